"""What a stored resource refers to, and which circle it belongs to."""

from __future__ import annotations

from threadwell.encounters import codes
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Key


def target(body: Resource, element: str) -> str:
    """What the Reference in ``element`` refers to (``Type/id``), ``""`` if there is none."""
    value = body.get(element) or {}
    return str(value.get("reference", "")) if isinstance(value, dict) else ""


def as_key(name: str) -> Key:
    """The key of ``Type/id``."""
    type_, _, id_ = name.partition("/")
    return Key(type_, id_)


def circle_of(body: Resource) -> str:
    """The key of the circle that a resource belongs to, ``""`` for one that we did not make."""
    found = (
        str(identifier.get("value", ""))
        for identifier in body.get("identifier") or ()
        if identifier.get("system") == codes.CIRCLE
    )
    return next(found, "")
