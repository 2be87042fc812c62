"""The code systems, value sets and concept maps that R4 publishes, as they are compiled in."""

from __future__ import annotations

import gzip
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

from threadwell.fhir import definitions
from threadwell.fhir.quantities.units import UCUM
from threadwell.fhir.resource import Resource

#: The resource types of which there are some.
TYPES = ("CodeSystem", "ConceptMap", "ValueSet")


#: Units of measure, as far as they are known (``fhir.quantities``): by their grammar.
_UNITS: Resource = {
    "resourceType": TYPES[0],
    "url": UCUM,
    "name": "UCUM",
    "status": "active",
    "caseSensitive": True,
    "content": "fragment",
}


@lru_cache(maxsize=64)
def find(type_: str, url: str, version: str = "") -> Resource | None:
    """The one with this ``url``, and this version if one is named; callers must not change it."""
    if (type_, url) == (TYPES[0], UCUM) and not version:
        return _UNITS
    line = _lines().get((type_, url))
    if line is None:
        return None
    found: Resource = msgspec.json.decode(line)
    return found if version in ("", found.get("version")) else None


def concept_maps() -> list[Resource]:
    """All concept maps, which are found by what they lead to as well."""
    return [msgspec.json.decode(line) for (type_, _), line in _lines().items() if type_ == TYPES[1]]


class _Head(msgspec.Struct, rename={"type": "resourceType"}):
    type: str
    url: str


@cache
def _lines() -> dict[tuple[str, str], bytes]:
    """Each resource as it was written, since most are never asked for."""
    packed = files(definitions).joinpath("terminology.ndjson.gz").read_bytes()
    lines = gzip.decompress(packed).splitlines()
    heads = [msgspec.json.decode(line, type=_Head) for line in lines]
    return {(head.type, head.url): line for head, line in zip(heads, lines, strict=True)}
