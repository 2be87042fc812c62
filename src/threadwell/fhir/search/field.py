"""What a query needs to know of a search parameter to read a value for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from threadwell.fhir.definitions import RESOURCE_TYPES, load
from threadwell.fhir.definitions.search_parameters import (
    Component,
    SearchParameter,
    parameter_type,
    search_parameters,
)
from threadwell.fhir.fhirpath.parse import parse
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.search.catalogue import R4, Catalogue, OfType, State
from threadwell.fhir.search.extract import parameter_ways, unsearchable
from threadwell.fhir.search.steps import Way, ways

_SPECIAL_VALUES = "http://hl7.org/fhir/special-values"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of one resource type, or one component of a composite.

    ``code`` is ``""`` for a component; ``name`` is what to call it in a message. ``element_types``
    are the FHIR types of the elements it looks at, ``targets`` the resource types that they may
    refer to, ``systems`` the code systems with their codes where it looks at plain codes only.
    """

    code: str
    name: str
    type: str
    element_types: frozenset[str]
    targets: tuple[str, ...]
    systems: dict[str, frozenset[str]] | None
    components: tuple[Field, ...] = ()


def field(type_: str, code: str, catalogue: Catalogue = R4) -> Field:
    """The parameter ``code`` of a resource type.

    Raises ``FhirError`` 400 for one that the type does not have or that cannot be searched by
    (``Unready`` where that may be otherwise later).
    """
    return _field(type_, code, catalogue.of(type_))


class Unsearchable(FhirError):
    """Nothing can be searched by that parameter."""


class Unknown(Unsearchable):
    """The type has no such parameter."""

    def __init__(self, name: str) -> None:
        super().__init__(400, [Issue("invalid", f"Unknown search parameter: {name}")])


class Unready(Unsearchable):
    """The store does not find anything by that parameter now."""

    def __init__(self, text: str) -> None:
        super().__init__(400, [Issue("not-supported", text)])


@lru_cache(maxsize=8192)
def _field(type_: str, code: str, of: OfType | None) -> Field:
    found_by = search_parameters(type_) if of is None else of.found
    parameter = found_by.get(code)
    if parameter is None:
        state = None if of is None else of.states.get(code)
        if state is not None:
            raise Unready(f"Search parameter {code} of {type_} {_UNREADY[state]}")
        raise Unknown(code)
    reason = unsearchable(parameter)
    if reason:
        text = f"Search parameter {code} is not supported: {reason}"
        raise Unready(text)
    found = parameter_ways(parameter, type_)
    return Field(
        code=code,
        name=code,
        type=parameter.type,
        element_types=frozenset(way.type for way in found),
        targets=_targets(parameter, found),
        systems=_systems(found),
        components=tuple(
            _component(component, found, type_, code) for component in parameter.components
        ),
    )


_UNREADY = {
    State.INDEXING: "is being indexed: it can be used when that is done",
    State.FADING: "is not indexed here",
    State.LEAVING: "is not indexed here",
    State.OFF: "is not indexed here",
}


def has_field(type_: str, code: str, catalogue: Catalogue = R4) -> bool:
    """Whether the resource type can be searched by that parameter."""
    parameter = catalogue.found(type_).get(code)
    return parameter is not None and not unsearchable(parameter)


def _component(component: Component, contexts: tuple[Way, ...], type_: str, code: str) -> Field:
    node = parse(component.expression)
    found = tuple(way for context in contexts for way in ways(node, context.type, type_))
    return Field(
        code="",
        name=code,
        type=parameter_type(component.url),
        element_types=frozenset(way.type for way in found),
        targets=_any_of(found),
        systems=_systems(found),
    )


def _targets(parameter: SearchParameter, found: tuple[Way, ...]) -> tuple[str, ...]:
    of_elements = _any_of(found)
    both = tuple(target for target in of_elements if target in parameter.targets)
    return both or of_elements


def _any_of(found: tuple[Way, ...]) -> tuple[str, ...]:
    """The types that any of the ways may refer to; all of them where one names none."""
    references = [way.targets for way in found if way.type in {"Reference", "canonical", "url"}]
    if not all(references):
        return tuple(sorted(RESOURCE_TYPES))
    return tuple(dict.fromkeys(target for targets in references for target in targets))


def _systems(found: tuple[Way, ...]) -> dict[str, frozenset[str]] | None:
    """The code systems that a plain code or boolean has without saying so (§4.1)."""
    if not {way.type for way in found} <= {"code", "boolean"}:
        return None
    out: dict[str, frozenset[str]] = {}
    for way in found:
        if way.type == "boolean":
            out[_SPECIAL_VALUES] = frozenset({"true", "false"})
        for system, codes in load("value_sets").get(way.value_set, {}).items():
            out[system] = out.get(system, frozenset()) | frozenset(codes)
    return out
