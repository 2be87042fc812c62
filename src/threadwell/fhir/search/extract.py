"""The values that a resource is found by, from the official expressions (FHIR R4 §3.1.1.5).

Each type's parameters are compiled when its first resource comes, and kept by the member of the
resource that their expressions begin with: of a type's parameters only those cost time that the
resource has something for.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from threadwell.fhir.definitions.search_parameters import (
    SearchParameter,
    parameter_type,
    search_parameters,
)
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.convert import converter
from threadwell.fhir.search.fhirpath import parse
from threadwell.fhir.search.steps import Key, Sink, Way, entered, walk, ways
from threadwell.fhir.search.values import CompositeValue, IndexValues

#: The store knows these of every resource; no index entry says them again.
KNOWN_TO_STORES = frozenset({"_id", "_lastUpdated"})


def extract(resource: Resource) -> IndexValues:
    """The values of a valid resource by search parameter code.

    ``_id`` and ``_lastUpdated`` are not among them: a store knows both. What R4 gives no
    expression for (``unsearchable``) has no values.
    """
    plan = _plan(resource["resourceType"])
    values: IndexValues = {}
    members = plan.members
    for name, element in resource.items():
        takes = members.get(name)
        if takes:
            for code, take, takes_resource in takes:
                out = values.get(code)
                if out is None:
                    out = []
                    take(resource if takes_resource else element, out)
                    if out:
                        values[code] = out
                else:
                    take(resource if takes_resource else element, out)
    for code, take in plan.always:
        take(resource, values.setdefault(code, []))
    for code, found in values.items():
        if len(found) > 1 and len(set(found)) < len(found):
            values[code] = list(dict.fromkeys(found))
    return values


def parameter_ways(parameter: SearchParameter, type_: str) -> tuple[Way, ...]:
    """The ways to the elements that a parameter is about in a resource of ``type_``."""
    return _ways(parameter.expression, type_)


def unsearchable(parameter: SearchParameter) -> str:
    """Why a parameter of R4 finds nothing here, ``""`` for one that does."""
    if not parameter.expression:
        return "R4 gives no expression for it"
    if parameter.type == "special":
        return "its matching is of its own kind"
    return ""


# A code, what puts its values into a list, and whether that takes the resource or the member.
# A plain tuple: it is taken apart for every parameter of every write.
_Take: TypeAlias = tuple[str, Sink, bool]


@dataclass(frozen=True, slots=True)
class _Plan:
    """``members``: what to do with each member; ``always``: what holds of an absent one too."""

    members: dict[str, tuple[_Take, ...]]
    always: tuple[tuple[str, Sink], ...]


@cache
def _plan(type_: str) -> _Plan:
    members: dict[str, list[_Take]] = defaultdict(list)
    always: list[tuple[str, Sink]] = []
    for code, parameter in search_parameters(type_).items():
        if unsearchable(parameter) or code in KNOWN_TO_STORES:
            continue
        for way in parameter_ways(parameter, type_):
            if parameter.components:
                _plan_composite(parameter, way, type_, members)
                continue
            convert = converter(parameter.type, way.type)
            if convert is None:
                continue
            if parameter.type == "reference" and way.type == "Resource":
                convert = _only_of(frozenset(parameter.targets), convert)
            first = way.steps[0]
            if isinstance(first, Key):
                take = entered(first.many, first.position, walk(way.steps[1:], convert))
                members[first.name].append((code, take, False))
            else:
                always.append((code, walk(way.steps, convert)))
    return _Plan({name: tuple(takes) for name, takes in members.items()}, tuple(always))


def _plan_composite(
    parameter: SearchParameter, way: Way, type_: str, members: dict[str, list[_Take]]
) -> None:
    """Have the composite looked for where the resource has what its way, or last part, needs."""
    components = [
        [
            (part.from_root, walk(part.steps, convert), part)
            for part in ways(parse(component.expression), way.type, type_)
            if (convert := converter(parameter_type(component.url), part.type))
        ]
        for component in parameter.components
    ]
    first_steps = [way.steps[0]] if way.steps else [part.steps[0] for *_, part in components[-1]]
    parts = [[(from_root, take) for from_root, take, _ in part] for part in components]
    find = walk(way.steps, lambda element, out: out.append(element))

    def composite(resource: Resource, out: list[Any]) -> None:
        elements: list[Any] = []
        find(resource, elements)
        for element in elements:
            found: list[tuple[Any, ...]] = []
            for part in parts:
                values: list[Any] = []
                for from_root, take in part:
                    take(resource if from_root else element, values)
                if not values:
                    break
                found.append(tuple(values))
            else:
                out.append(CompositeValue(tuple(found)))

    for step in first_steps:
        assert isinstance(step, Key), "a composite begins with a member"
        members[step.name].append((parameter.code, composite, True))


def _only_of(types: frozenset[str], convert: Sink) -> Sink:
    return lambda resource, out: (
        convert(resource, out) if resource["resourceType"] in types else None
    )


@cache
def _ways(expression: str, type_: str) -> tuple[Way, ...]:
    return tuple(ways(parse(expression), type_, type_))
