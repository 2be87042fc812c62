"""The parts of ``Reference.reference`` (FHIR R4 references.html#literal)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from threadwell.fhir.definitions import RESOURCE_TYPES


# Small, as it serves one resource: its subject, sender and recipients are often the same.
@lru_cache(maxsize=128)
def split_reference(text: str) -> tuple[str, str]:
    """Type and id of a relative reference, ``("", "")`` of any other.

    The version of ``Patient/1/_history/2`` is dropped: a search looks for the resource.
    """
    type_, _, id_ = text.partition("/")
    if type_ not in RESOURCE_TYPES or not id_:
        return "", ""
    id_, slash, rest = id_.partition("/")
    return (type_, id_) if not slash or rest.startswith("_history/") else ("", "")


def reference_type(reference: dict[str, Any]) -> str:
    """The type of the resource that a Reference leads to, as far as it says; else ``""``."""
    text = reference.get("reference", "")
    type_ = split_reference(text)[0]
    if type_:
        return type_
    if "://" in text:
        parts = text.partition("/_history/")[0].split("/")
        if parts[-2] in RESOURCE_TYPES:
            return str(parts[-2])
    return str(reference.get("type", ""))
