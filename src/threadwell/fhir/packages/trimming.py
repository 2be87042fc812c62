"""A definition without what is for its readers: most of the bytes of a package are that."""

from __future__ import annotations

from typing import Any

from threadwell.fhir.resource import Resource

_FOR_READERS = ("text", "contact", "useContext", "jurisdiction", "copyright", "mapping", "purpose")
_OF_ELEMENTS = (
    "alias", "comment", "condition", "definition", "example", "isSummary", "mapping",
    "meaningWhenMissing", "mustSupport", "orderMeaning", "requirements", "short",
)  # fmt: skip


def trimmed(resource: Resource) -> Resource:
    """The definition with all that it says to programs."""
    kept: dict[str, Any] = {k: v for k, v in resource.items() if k not in _FOR_READERS}
    if kept.get("resourceType") != "StructureDefinition":
        return kept
    whole = _elements(kept.pop("snapshot", None))
    if whole:
        # What differs is in it as well.
        return {**kept, "differential": None, "snapshot": whole}
    return {**kept, "differential": _elements(kept.get("differential"))}


def _elements(view: Any) -> Any:
    listed = view.get("element") if isinstance(view, dict) else None
    if not isinstance(listed, list):
        return None
    return {
        "element": [
            {name: value for name, value in one.items() if name not in _OF_ELEMENTS}
            for one in listed
            if isinstance(one, dict)
        ]
    }
