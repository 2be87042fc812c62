"""What a code is in another system, by a concept map (FHIR R4 §4.10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from threadwell.fhir.resource import Resource

#: Kinds of match that say that there is none (ConceptMapEquivalence).
_NONE = frozenset({"unmatched", "disjoint"})
#: What an equivalence is from the other side.
_TURNED = {
    "wider": "narrower",
    "narrower": "wider",
    "subsumes": "specializes",
    "specializes": "subsumes",
}


class Match(NamedTuple):
    """What a concept map says of a code; ``source`` is the map's canonical."""

    equivalence: str
    system: str
    code: str
    display: str
    source: str

    @property
    def is_match(self) -> bool:
        """Whether there is such a code, and not the word that there is none."""
        return self.equivalence not in _NONE


def translate(
    maps: Iterable[Resource], system: str, code: str, *, reverse: bool = False
) -> list[Match]:
    """All that the maps say of a code; ``reverse`` reads them from target to source."""
    found: list[Match] = []
    for map_ in maps:
        source = str(map_.get("url", ""))
        for group in map_.get("group", ()):
            ends = str(group.get("source", "")), str(group.get("target", ""))
            if reverse and system in ("", ends[1]):
                found += _back(group, source, ends[0], code)
            elif not reverse and system in ("", ends[0]):
                found += _forth(group, source, ends[1], code)
    return list(dict.fromkeys(found))


def _forth(group: Resource, source: str, system: str, code: str) -> list[Match]:
    found = [
        Match(
            str(target.get("equivalence", "")),
            system,
            str(target.get("code", "")),
            str(target.get("display", "")),
            source,
        )
        for element in group.get("element", ())
        if element.get("code") == code
        for target in element.get("target", ())
    ]
    other = group.get("unmapped", {})
    if found or other.get("mode") not in ("provided", "fixed"):
        return found
    # A code that is provided is the same one in the other system; a fixed one stands for the rest.
    same = other["mode"] == "provided"
    to = code if same else str(other.get("code", ""))
    how = "equal" if same else "inexact"
    return [Match(how, system, to, "" if same else str(other.get("display", "")), source)]


def _back(group: Resource, source: str, system: str, code: str) -> list[Match]:
    return [
        Match(
            _TURNED.get(how := str(target.get("equivalence", "")), how),
            system,
            str(element.get("code", "")),
            str(element.get("display", "")),
            source,
        )
        for element in group.get("element", ())
        for target in element.get("target", ())
        if target.get("code") == code
    ]
