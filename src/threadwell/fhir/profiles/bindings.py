"""Codes and the value sets that they are bound to (FHIR R4 §4.1.5).

Of most value sets of the world only a part is known where nobody asks a terminology server. So
there are three answers: a code is in it, it is not, or that cannot be told here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from threadwell.fhir.profiles.library import MALFORMED, Library
from threadwell.fhir.resource import Resource
from threadwell.fhir.terminology.library import NotDone, TooMuch, Unknown
from threadwell.fhir.terminology.members import members

#: Value sets that one may be made of.
_MAX_DEPTH = 10


class Codes(NamedTuple):
    """What is known of a value set.

    ``listed`` are its codes, each with its system; ``open`` the systems of which there may be
    more, ``""`` for any.
    """

    listed: frozenset[tuple[str, str]]
    open: frozenset[str]

    def has(self, system: str, code: str) -> bool | None:
        """Whether a code is in it; ``None`` where that cannot be told."""
        if (system, code) in self.listed:
            return True
        return None if system in self.open or "" in self.open else False

    def has_code(self, code: str) -> bool | None:
        """Whether a code of whichever of its systems is in it."""
        if any(code == listed for _, listed in self.listed):
            return True
        return None if self.open else False


def codes_of(url: str, library: Library, depth: int = 0) -> Codes | None:
    """What is known of a value set; ``None`` where nothing is."""
    value_set = library.value_set(url)
    if value_set is None or depth > _MAX_DEPTH or not value_set.keys() & {"compose", "expansion"}:
        return None
    try:
        return Codes(frozenset(members(value_set, library)), frozenset())
    except (NotDone, TooMuch, Unknown):
        return _in_part(value_set, library, depth)
    except MALFORMED:
        return None


def held(codes: Codes, value: Any, type_: str) -> bool | None:
    """Whether a value has a code of the value set; of a concept, one of its codings is enough."""
    if type_ == "CodeableConcept":
        found = [held(codes, one, "Coding") for one in value.get("coding", ())]
        return True if True in found else None if None in found else False
    if type_ in ("Coding", "Quantity"):
        code = value.get("code")
        return codes.has(value.get("system", ""), code) if isinstance(code, str) else False
    if isinstance(value, str):
        return codes.has_code(value)
    return None


def _in_part(value_set: Resource, library: Library, depth: int) -> Codes:
    """By its parts: those that can be listed, and the systems of those that cannot."""
    compose = value_set.get("compose", {})
    listed: set[tuple[str, str]] = set()
    open_: set[str] = set()
    for include in compose.get("include", ()):
        found = _listed(include, library)
        if found is not None:
            listed |= found
        elif "system" in include:
            open_.add(str(include["system"]))
        else:
            # A code is of all the value sets that are named: one of them tells enough.
            parts = [codes_of(url, library, depth + 1) for url in include.get("valueSet", ())]
            known = [part for part in parts if part is not None]
            if len(parts) == 1 and known:
                listed |= known[0].listed
                open_ |= known[0].open
            else:
                open_.add("")
    for exclude in compose.get("exclude", ()):
        out = _listed(exclude, library)
        if out is not None:
            listed -= out
        else:
            system = str(exclude.get("system", ""))
            unsure = {key for key in listed if system in ("", key[0])}
            listed -= unsure
            open_ |= {key[0] for key in unsure}
    return Codes(frozenset(listed), frozenset(open_))


def _listed(part: Resource, library: Library) -> set[tuple[str, str]] | None:
    try:
        return set(members({"compose": {"include": [part]}}, library))
    except (NotDone, TooMuch, Unknown):
        return None


def once(find: Callable[[str], Codes | None]) -> Callable[[str], Codes | None]:
    """The same, looked for once for each url."""
    kept: dict[str, Codes | None] = {}

    def found(url: str) -> Codes | None:
        if url not in kept:
            kept[url] = find(url)
        return kept[url]

    return found
