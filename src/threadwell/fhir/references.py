"""Where a resource refers to others: every Reference in it, found by the definitions.

A property called ``reference`` is not always one of a Reference (``Expression.reference`` is a
uri), so the walk follows the types of the elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.structures import elements, primitive
from threadwell.fhir.resource import Resource

#: The FHIRPath of a Reference, and the Reference.
Found: TypeAlias = tuple[str, dict[str, Any]]


def references(resource: Resource) -> Iterator[Found]:
    """Each Reference that has a ``reference``: its FHIRPath, and the object itself to change.

    Those within contained resources are included; the resources of a Bundle or of Parameters are
    resources of their own and are not. What does not fit the definitions is passed over.
    """
    found: list[Found] = []
    _collect_resource(resource, str(resource.get("resourceType")), found)
    return iter(found)


def typed_references(
    resource: Resource,
) -> Iterator[tuple[str, dict[str, Any], tuple[str, ...]]]:
    """Each Reference that says a ``type``, with its FHIRPath and the types that R4 lets stand
    there; none where any may.
    """
    found: list[Found] = []
    targets: dict[int, tuple[str, ...]] = {}
    _collect_resource(resource, str(resource.get("resourceType")), found, targets)
    return iter([(path, one, targets.get(id(one), ())) for path, one in found if "type" in one])


class _Step(NamedTuple):
    name: str
    type: str
    targets: tuple[str, ...] = ()


@cache
def _steps(type_: str) -> dict[str, _Step]:
    """JSON property → the element that it stands for, of those that may hold a Reference."""
    steps = {
        json_name: _Step(element.name, code, element.types[code])
        for element in elements(type_)
        for json_name, code in element.json_names().items()
        if not primitive(code) and (code != "Resource" or element.name == "contained")
    }
    siblings = {
        f"_{json_name}": _Step(element.name, "Element")
        for element in elements(type_)
        for json_name, code in element.json_names().items()
        if primitive(code)
    }
    return steps | siblings


#: The types that each Reference may lead to, by its identity.
_Targets: TypeAlias = dict[int, tuple[str, ...]]


def _collect_resource(
    value: dict[str, Any], path: str, found: list[Found], targets: _Targets | None = None
) -> None:
    type_ = value.get("resourceType")
    if isinstance(type_, str) and type_ in RESOURCE_TYPES:
        _collect(value, type_, path, found, targets)


def _collect(
    value: dict[str, Any], type_: str, path: str, found: list[Found], targets: _Targets | None
) -> None:
    is_wanted = targets is not None or isinstance(value.get("reference"), str)
    if type_ == "Reference" and is_wanted:
        found.append((path, value))
    steps = _steps(type_)
    for json_name, child in value.items():
        if not isinstance(child, dict | list) or json_name not in steps:
            continue
        name, code, allowed = steps[json_name]
        step = f"{path}.{name}"
        if isinstance(child, dict):
            if targets is not None:
                targets[id(child)] = allowed
            _collect(child, code, step, found, targets)
            continue
        for index, item in enumerate(child):
            if not isinstance(item, dict):
                continue
            if targets is not None:
                targets[id(item)] = allowed
            if code == "Resource":
                _collect_resource(item, f"{step}[{index}]", found, targets)
            else:
                _collect(item, code, f"{step}[{index}]", found, targets)
