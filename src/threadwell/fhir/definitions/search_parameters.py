"""HL7's R4 search parameters by resource type (FHIR R4 searchparameter-registry.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from threadwell.fhir.definitions import RESOURCE_TYPES, load
from threadwell.fhir.definitions.structures import has_element

# R4 names the two components of this parameter the wrong way round.
_SWAPPED = "http://hl7.org/fhir/SearchParameter/DocumentReference-relationship"


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite parameter: the ``url`` of its definition, and where its values are.

    ``expression`` starts from each element that the composite's own expression finds.
    """

    url: str
    expression: str


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A search parameter as one resource type has it.

    ``type`` is FHIR's (``token``, ``reference`` …); ``expression`` is FHIRPath, for all types that
    share the parameter, and ``""`` where FHIR gives none. ``targets`` are the types a reference may
    lead to, as far as the parameter says.
    """

    code: str
    type: str
    expression: str
    targets: tuple[str, ...]
    components: tuple[Component, ...]
    url: str
    description: str


@cache
def search_parameters(type_: str) -> Mapping[str, SearchParameter]:
    """The parameters of a resource type by code, those of ``Resource`` included.

    A type that R4 does not have has none.
    """
    if type_ not in RESOURCE_TYPES:
        return MappingProxyType({})
    is_domain_resource = has_element(type_, "text")
    bases = ("Resource", "DomainResource", type_) if is_domain_resource else ("Resource", type_)
    found = {p["code"]: _parameter(p, base) for base in bases for p in _by_base(base)}
    return MappingProxyType(found)


@cache
def parameter_type(url: str) -> str:
    """The type of the parameter with that url; raises ``KeyError`` if R4 has none."""
    return _types()[url]


@cache
def _types() -> dict[str, str]:
    return {p["url"]: p["type"] for p in load("search_parameters")}


def _by_base(base: str) -> list[dict[str, Any]]:
    return _bases().get(base, [])


@cache
def _bases() -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {}
    for parameter in load("search_parameters"):
        for base in parameter["base"]:
            out.setdefault(base, []).append(parameter)
    return out


def _parameter(parameter: dict[str, Any], base: str) -> SearchParameter:
    components = parameter["component"]
    if parameter["url"] == _SWAPPED:
        components = components[::-1]
    return SearchParameter(
        code=parameter["code"],
        type=parameter["type"],
        expression=parameter["expression"],
        targets=tuple(parameter["target"]),
        components=tuple(
            Component(definition["definition"], component["expression"])
            for definition, component in zip(parameter["component"], components, strict=True)
        ),
        url=parameter["url"],
        description=parameter["description"][base],
    )
