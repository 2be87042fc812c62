"""HL7's R4 4.0.1 definitions, compiled to data by ``scripts/compile_definitions.py``.

Everything that depends on a resource type is read here and nowhere branched on. ``SOURCE.md``
names the package, its version and its licence.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


@cache
def load(name: str) -> Any:
    """The content of ``<name>.json.gz``, read once; callers share it and must not change it."""
    return msgspec.json.decode(_content(name))


def load_parts(name: str) -> dict[str, msgspec.Raw]:
    """The same of one that is an object: its members, each as its JSON, to be decoded when asked
    for. Of a server's processes each has its own copy of objects, and all have these in common.
    """
    return msgspec.json.decode(_content(name), type=dict[str, msgspec.Raw])


def _content(name: str) -> bytes:
    return gzip.decompress(files(__name__).joinpath(f"{name}.json.gz").read_bytes())


#: The 146 concrete resource types, without ``Resource`` and ``DomainResource``.
RESOURCE_TYPES: frozenset[str] = frozenset(load("resource_types"))
