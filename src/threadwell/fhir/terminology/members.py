"""Which codes are in a value set (FHIR R4 §4.9.5, "Value Set Contents")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from threadwell.fhir.resource import Resource
from threadwell.fhir.terminology.concepts import CodeSystem, Concept
from threadwell.fhir.terminology.library import Library, NotDone, TooMuch, Unknown

#: Codes that a value set may have to be listed here, and value sets that one may be made of.
MAX_MEMBERS = 50_000
MAX_IMPORTS = 100
#: Concepts that are looked at for one value set, by each part and filter anew.
MAX_LOOKS = 1_000_000


class Member(NamedTuple):
    """A code of a value set."""

    system: str
    code: str
    display: str
    version: str = ""
    is_abstract: bool = False
    is_inactive: bool = False


#: (system, code) → the member, in the order of the value set.
Members: TypeAlias = dict[tuple[str, str], Member]


def members(value_set: Resource, library: Library) -> Members:
    """All codes of a value set.

    Raises ``Unknown`` for what it names and is not known here, ``NotDone`` for a filter that is not
    understood here, ``TooMuch`` for more than ``MAX_MEMBERS``, more work than ``MAX_LOOKS``, or one
    that is made of itself.
    """
    return _Listing(library).members(value_set, ())


def urls(value_set: Resource) -> tuple[list[str], list[str]]:
    """The canonicals of the code systems and of the value sets that a value set names."""
    systems: list[str] = []
    value_sets: list[str] = []
    for part in _parts(value_set):
        if system := part.get("system"):
            version = part.get("version")
            systems.append(f"{system}|{version}" if version else system)
        value_sets += part.get("valueSet", ())
    return systems, value_sets


def _parts(value_set: Resource) -> list[Resource]:
    compose = value_set.get("compose", {})
    return [*compose.get("include", ()), *compose.get("exclude", ())]


class _Listing:
    def __init__(self, library: Library) -> None:
        self._library = library
        self._imports = 0
        self._looks = 0

    def members(self, value_set: Resource, within: Sequence[str]) -> Members:
        compose = value_set.get("compose")
        if compose is None:
            return _listed(value_set)
        url = value_set.get("url", "")
        if url and url in within:
            raise TooMuch("A value set is made of itself")
        within = (*within, url)
        found: Members = {}
        for include in compose.get("include", ()):
            for key, member in self._part(include, within).items():
                found.setdefault(key, member)
            if len(found) > MAX_MEMBERS:
                raise TooMuch(f"A value set has more than {MAX_MEMBERS:,} codes")
        for exclude in compose.get("exclude", ()):
            for key in self._part(exclude, within):
                found.pop(key, None)
        if compose.get("inactive") is False:
            found = {key: one for key, one in found.items() if not one.is_inactive}
        return found

    def _part(self, part: Resource, within: Sequence[str]) -> Members:
        """What one ``include`` or ``exclude`` names: what all that it says have in common."""
        found: Members | None = None
        if "system" in part:
            found = self._of_system(part)
        for url in part.get("valueSet", ()):
            self._imports += 1
            if self._imports > MAX_IMPORTS:
                raise TooMuch(f"A value set is made of more than {MAX_IMPORTS} others")
            named = self._library.value_set(url)
            if named is None:
                raise Unknown("ValueSet", url)
            others = self.members(named, within)
            found = others if found is None else {k: v for k, v in found.items() if k in others}
        return found or {}

    def _of_system(self, part: Resource) -> Members:
        version = str(part.get("version", ""))
        url = str(part["system"])
        system = self._library.code_system(f"{url}|{version}" if version else url)
        if listed := part.get("concept"):
            return _named(url, version, listed, system)
        if system is None or not system.is_whole:
            raise Unknown("CodeSystem", url)
        chosen: Iterable[Concept] = system.concepts.values()
        filters = part.get("filter", ())
        # A filter may walk the hierarchy before it looks at each concept.
        self._looks += len(system.concepts) * (1 + 2 * len(filters))
        if self._looks > MAX_LOOKS:
            raise TooMuch(f"To list a value set, {MAX_LOOKS:,} concepts are looked at, at most")
        for filter_ in filters:
            passes = _filter(system, filter_)
            chosen = [concept for concept in chosen if passes(concept)]
        version = version or str(system.source.get("version", ""))
        return {(url, one.code): _member(url, version, one) for one in chosen}


def _named(
    url: str, version: str, listed: Sequence[Resource], system: CodeSystem | None
) -> Members:
    """Codes that a value set lists: they are in it, whether their code system is known or not."""
    found: Members = {}
    for one in listed:
        code = str(one.get("code", ""))
        concept = system.find(code) if system else None
        member = _member(url, version, concept) if concept else Member(url, code, "", version)
        found[url, code] = member._replace(code=code, display=one.get("display") or member.display)
    return found


def _member(url: str, version: str, concept: Concept) -> Member:
    return Member(
        url, concept.code, concept.display, version, concept.is_abstract, concept.is_inactive
    )


def _listed(value_set: Resource) -> Members:
    """What a value set that says nothing else was once expanded to (§4.9.8)."""
    found: Members = {}
    waiting = list(reversed(value_set.get("expansion", {}).get("contains", ())))
    while waiting:
        one = waiting.pop()
        waiting += reversed(one.get("contains", ()))
        system, code = str(one.get("system", "")), one.get("code")
        if code is not None and len(found) < MAX_MEMBERS:
            found[system, code] = Member(
                system,
                code,
                str(one.get("display", "")),
                str(one.get("version", "")),
                one.get("abstract") is True,
                one.get("inactive") is True,
            )
    return found


def _filter(system: CodeSystem, filter_: Mapping[str, Any]) -> Callable[[Concept], bool]:
    """Whether a concept passes ``compose.include.filter`` (§4.9.5.1, FilterOperator)."""
    name, how, value = (str(filter_.get(key, "")) for key in ("property", "op", "value"))
    if name in ("concept", "code") and how in _HIERARCHY:
        return _HIERARCHY[how](system, value)
    if how == "=":
        return lambda concept: value in _values(concept, name)
    if how in ("in", "not-in"):
        wanted = {one.strip() for one in value.split(",")}
        return lambda concept: wanted.isdisjoint(_values(concept, name)) == (how == "not-in")
    if how == "exists" and value in ("true", "false"):
        return lambda concept: bool(_values(concept, name)) == (value == "true")
    raise NotDone(f"A value set filters by {how[:40]} of {name[:40]}, which is not done here")


def _values(concept: Concept, name: str) -> list[str]:
    if name in ("concept", "code"):
        return [concept.code]
    if name == "display":
        return [concept.display]
    if name == "parent":
        return [*concept.parents]
    found = concept.property(name)
    return [("true" if one else "false") if isinstance(one, bool) else str(one) for one in found]


def _is_a(system: CodeSystem, code: str) -> Callable[[Concept], bool]:
    below = system.below(code)
    return lambda concept: concept.code in below


def _descends(system: CodeSystem, code: str) -> Callable[[Concept], bool]:
    below = system.below(code)
    top = system.find(code)
    return lambda concept: concept.code in below and concept is not top


def _is_not_a(system: CodeSystem, code: str) -> Callable[[Concept], bool]:
    below = system.below(code)
    return lambda concept: concept.code not in below


def _generalizes(system: CodeSystem, code: str) -> Callable[[Concept], bool]:
    above = system.above(code)
    return lambda concept: concept.code in above


_HIERARCHY = {
    "is-a": _is_a,
    "descendent-of": _descends,
    "is-not-a": _is_not_a,
    "generalizes": _generalizes,
}
