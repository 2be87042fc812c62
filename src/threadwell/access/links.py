"""What a resource refers to, of our own: by references, and by the urls of attachments."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Any

from threadwell.fhir.search.references import parse_absolute, split_reference
from threadwell.stores.contract import Key

_BINARY = re.compile(r"(^|/)Binary/")


def links(value: Any, bases: Container[str], path: str = "") -> Iterator[tuple[Key, str]]:
    """The name of each resource that a value refers to, and where it does."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield from links(item, bases, f"{path}[{at}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str):
                if name == "reference" or (name == "url" and _BINARY.search(item)):
                    key = _key(item, bases)
                    if key is not None:
                        yield key, f"{path}.{name}"
            else:
                yield from links(item, bases, f"{path}.{name}" if path else name)


def _key(text: str, bases: Container[str]) -> Key | None:
    absolute = parse_absolute(text)
    if absolute is not None:
        return Key(absolute.type, absolute.id) if absolute.base in bases else None
    type_, id_ = split_reference(text)
    return Key(type_, id_) if type_ else None
