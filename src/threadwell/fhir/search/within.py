"""Contained resources as a chain finds them: by the search parameters that lead there.

To an index, a resource that is contained is one of a type of its own, which tells the way to it:
``MedicationRequest.medication#Medication``. Such a type is called inner here.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.query import (
    AllFilter,
    CompartmentFilter,
    DateFilter,
    EitherFilter,
    Filter,
    HasFilter,
    IdFilter,
    MissingFilter,
    NotFilter,
)
from threadwell.fhir.search.references import contained, with_types
from threadwell.fhir.search.values import IndexValues, ReferenceValue

#: Contained resources that a chain may lead through, one after the other.
_DEPTH = 2


class Inner(NamedTuple):
    """A contained resource, and its inner type."""

    type: str
    resource: Resource


def inner_type(type_: str, param: str, target: str) -> str:
    """The inner type of what a parameter of a type, or of an inner type, leads to."""
    return f"{type_}.{param}#{target}"


def plain_type(type_: str) -> str:
    """The type of the resources of a type, or of an inner one."""
    return type_.rpartition("#")[2]


def is_inner(type_: str) -> bool:
    """Whether it is an inner type."""
    return "#" in type_


def inner_resources(resource: Resource, bases: Container[str]) -> list[Inner]:
    """Every resource that a chain finds within another, each once by each way."""
    if not contained(resource):
        return []
    # Their references tell what they lead to, as those of the whole do.
    resource = with_types(resource)
    inside = contained(resource)
    found: dict[tuple[str, str], Inner] = {}
    level = [Inner(resource["resourceType"], resource)]
    for _ in range(_DEPTH):
        following: list[Inner] = []
        for type_, one in level:
            for param, url in _within(extract(one, bases)):
                target = inside.get(url, {})
                if target.get("resourceType") in RESOURCE_TYPES:
                    inner = Inner(inner_type(type_, param, target["resourceType"]), target)
                    if (inner.type, url) not in found:
                        found[inner.type, url] = inner
                        following.append(inner)
        level = following
    return list(found.values())


def searched_values(type_: str, resource: Resource, bases: Container[str]) -> list[IndexValues]:
    """The values of what a search of ``type_`` looks at in a resource: those of the whole, or of
    each that it contains where that is an inner type.
    """
    if not is_inner(type_):
        return [extract(resource, bases)]
    inner = inner_resources(resource, bases)
    return [extract(one.resource, bases) for one in inner if one.type == type_]


def looks_within(filter_: Filter) -> bool:
    """Whether a filter can hold for a contained resource, which has no id or time of its own, and
    nothing elsewhere that refers to it, and belongs to no compartment by itself.
    """
    match filter_:
        case IdFilter() | HasFilter() | CompartmentFilter():
            return False
        case AllFilter(filters):
            return all(map(looks_within, filters))
        case NotFilter(inner):
            return looks_within(inner)
        case EitherFilter(alternatives):
            return any(all(map(looks_within, filters)) for filters in alternatives)
        case DateFilter(param) | MissingFilter(param):
            return param not in {"_id", "_lastUpdated"}
        case _:
            return True


def _within(values: IndexValues) -> Iterator[tuple[str, str]]:
    for param, of in values.items():
        for value in of:
            if isinstance(value, ReferenceValue) and value.url.startswith("#"):
                yield param, value.url
