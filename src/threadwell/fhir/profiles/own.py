"""The profiles and extensions that R4 itself publishes, as they are compiled in."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

import msgspec

from threadwell.fhir import definitions
from threadwell.fhir.resource import Resource


def find(canonical: str) -> Resource | None:
    """The one of that canonical, of R4's version if one is named."""
    url, _, version = canonical.partition("|")
    line = _lines().get(url)
    if line is None:
        return None
    found: Resource = msgspec.json.decode(line)
    return found if version in ("", found["version"]) else None


class _Head(msgspec.Struct):
    url: str


@cache
def _lines() -> dict[str, bytes]:
    packed = files(definitions).joinpath("profiles.ndjson.gz").read_bytes()
    lines = gzip.decompress(packed).splitlines()
    return {msgspec.json.decode(line, type=_Head).url: line for line in lines}
