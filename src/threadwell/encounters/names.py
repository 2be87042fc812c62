"""What a resource is called by people."""

from __future__ import annotations

from typing import Any

from threadwell.fhir.resource import Resource

#: Names that nobody is shown by as long as there is another one.
_NOT_IN_USE = frozenset({"nickname", "anonymous", "old", "maiden", "temp"})


def resource_name(resource: Resource) -> str:
    """The name within a resource: a ``HumanName``, a plain name, or ``""``."""
    name = resource.get("name")
    if isinstance(name, str):
        return name
    if isinstance(name, list) and name:
        return human_name(min(name, key=_aside))
    for telecom in resource.get("telecom") or ():
        if telecom.get("value"):
            return str(telecom["value"])
    return ""


def _aside(name: dict[str, Any]) -> int:
    """How far a name stands back behind the others of the same person."""
    use = name.get("use")
    return 0 if use == "official" else 2 if use in _NOT_IN_USE else 1


def human_name(name: dict[str, Any]) -> str:
    """A FHIR ``HumanName`` as people say it."""
    parts = [*(name.get("given") or ()), name.get("family") or ""]
    return str(name.get("text") or " ".join(filter(None, parts)))
