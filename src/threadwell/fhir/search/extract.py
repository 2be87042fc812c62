"""The values that a resource is found by, from the official expressions (FHIR R4 §3.1.1.5).

Each type's parameters are compiled when its first resource comes, and kept by the member of the
resource that their expressions begin with: of a type's parameters only those cost time that the
resource has something for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from threadwell.fhir.definitions.search_parameters import (
    SearchParameter,
    parameter_type,
    search_parameters,
)
from threadwell.fhir.fhirpath.parse import parse
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import R4, Catalogue, OfType, catalogue_of
from threadwell.fhir.search.convert import converter
from threadwell.fhir.search.references import localised, with_types
from threadwell.fhir.search.steps import Key, Sink, Truth, Way, Where, entered, walk, ways
from threadwell.fhir.search.values import CompositeValue, IndexValues

#: The store knows these of every resource; no index entry says them again.
KNOWN_TO_STORES = frozenset({"_id", "_lastUpdated"})


def extract(
    resource: Resource, bases: Container[str] = frozenset(), only: frozenset[str] | None = None
) -> IndexValues:
    """The values of a valid resource by search parameter code; ``only`` those, if any are given.

    References to what is below one of ``bases`` are to resources of our own; the parameters are
    those of their store (``catalogue.Home``). ``_id`` and
    ``_lastUpdated`` are not among the codes: a store knows both. What R4 gives no expression for
    (``unsearchable``) has no values.
    """
    resource = with_types(resource)
    plan = extraction(resource["resourceType"], catalogue_of(bases), only)
    values: IndexValues = {}
    members = plan.members
    for name, element in resource.items():
        member = members.get(name)
        if member:
            for code, take, takes_resource in member.takes:
                out = values.get(code)
                found = [] if out is None else out
                if member.each:
                    for item in element:
                        if item is not None:  # a primitive that has an extension only
                            take(item, found)
                else:
                    take(resource if takes_resource else element, found)
                if found and out is None:
                    values[code] = found
    for code, take, _ in plan.always.takes:
        take(resource, values.setdefault(code, []))
    for code, found in values.items():
        if len(found) > 1 and len(set(found)) < len(found):
            values[code] = list(dict.fromkeys(found))
    return localised(values, bases) if bases else values


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


class Take(NamedTuple):
    """What puts the values of the parameter ``code`` into a list.

    It takes the member that it stands under, or else the whole ``resource``.
    """

    code: str
    sink: Sink
    resource: bool


class Member(NamedTuple):
    """What the parameters of a type take of one member.

    ``each``: they take the items of a list one by one.
    ``type`` is the FHIR type of the member, or of its items, where a parameter takes it as it is;
    ``names`` are the members of it of which one is there, or nothing is taken.
    """

    takes: tuple[Take, ...]
    each: bool
    type: str
    names: frozenset[str]
    #: Those members of it that are all that any parameter looks at; empty where nobody can tell.
    looked_at: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Extraction:
    """``members``: what to do with each member; ``always``: what to do with the whole resource, for
    what holds of an absent member too. ``reads``: the members that are all that a parameter looks
    at, by code, without the parameters of which that cannot be told.
    """

    members: dict[str, Member]
    always: Member
    reads: dict[str, frozenset[str]]


def extraction(
    type_: str, catalogue: Catalogue = R4, only: frozenset[str] | None = None
) -> Extraction:
    """How the values of a type's resources are found, or ``only`` those of some parameters."""
    return _extraction(type_, catalogue.of(type_), only)


@lru_cache(maxsize=1024)
def _extraction(type_: str, of: OfType | None, only: frozenset[str] | None) -> Extraction:
    members: dict[str, list[_Found]] = defaultdict(list)
    always: list[Take] = []
    reads: dict[str, set[str]] = defaultdict(set)
    untold: set[str] = set()
    parameters = search_parameters(type_) if of is None else of.written
    for code, parameter in parameters.items():
        if unsearchable(parameter) or code in KNOWN_TO_STORES:
            continue
        if only is not None and code not in only:
            continue
        for way in parameter_ways(parameter, type_):
            if parameter.components:
                firsts = _plan_composite(parameter, way, type_, members)
                _tell(code, firsts, reads, untold)
                continue
            convert = converter(parameter.type, way.type, way.name)
            if convert is None:
                continue
            if parameter.type == "reference" and way.type == "Resource":
                convert = _only_of(frozenset(parameter.targets), convert)
            first = way.steps[0]
            _tell(code, [first], reads, untold)
            if isinstance(first, Key):
                members[first.name].append(_Found(code, way, walk(way.steps[1:], convert)))
            else:
                always.append(Take(code, walk(way.steps, convert), True))
    return Extraction(
        {name: _member(found) for name, found in members.items()},
        Member(tuple(always), False, "", frozenset()),
        {code: frozenset(found) for code, found in reads.items() if code not in untold},
    )


def _tell(
    code: str,
    firsts: Iterable[Key | Where | Truth],
    reads: dict[str, set[str]],
    untold: set[str],
) -> None:
    """Note what a parameter looks at, by the first steps of its ways from the resource."""
    for first in firsts:
        if isinstance(first, Key):
            reads[code].add(first.name)
        else:
            untold.add(code)


class _Found(NamedTuple):
    """What a parameter takes of the member that its ``way`` begins with; no way is a composite."""

    code: str
    way: Way | None
    sink: Sink


def _member(found: list[_Found]) -> Member:
    firsts = [way.steps[0] if way else None for _, way, _ in found]
    keys = [first for first in firsts if isinstance(first, Key)]
    each = len(keys) == len(found) and all(key.many and key.position is None for key in keys)
    takes, types, names = [], set(), set()
    for (code, way, sink), first in zip(found, firsts, strict=True):
        if way is None or not isinstance(first, Key):
            takes.append(Take(code, sink, True))
            continue
        takes.append(Take(code, sink if each else entered(first.many, first.position, sink), False))
        step = next((step.name for step in way.steps[1:] if isinstance(step, Key)), None)
        if step is None:
            types.add(way.type)
        else:
            names.add(step)
    seconds = [way.steps[1] if way and len(way.steps) > 1 else None for _, way, _ in found]
    inner = {second.name for second in seconds if isinstance(second, Key)}
    told = all(isinstance(second, Key) for second in seconds)
    # Of the whole resource, and of a list as a whole, nothing can be said.
    alone = len(keys) == len(found) and (each or not any(key.many for key in keys))
    return Member(
        tuple(takes),
        each,
        min(types) if alone and len(types) == 1 else "",
        frozenset(names) if alone and not types else frozenset(),
        frozenset(inner) if alone and not each and told else frozenset(),
    )


def _plan_composite(
    parameter: SearchParameter,
    way: Way,
    type_: str,
    members: dict[str, list[_Found]],
) -> list[Key | Where | Truth]:
    """Have the composite looked for where the resource has what its way, or last part, needs.

    Its first steps from the resource are returned.
    """
    components = [
        [
            (part.from_root, walk(part.steps, convert), part)
            for part in ways(parse(component.expression), way.type, type_)
            if (convert := converter(parameter_type(component.url), part.type, part.name))
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
        members[step.name].append(_Found(parameter.code, None, composite))
    of_parts = [
        part.steps[0] if part.steps else Truth(bool)  # the whole resource: nobody can tell
        for component in components
        for from_root, _, part in component
        if from_root or not way.steps
    ]
    return [*way.steps[:1], *of_parts]


def _only_of(types: frozenset[str], convert: Sink) -> Sink:
    return lambda resource, out: (
        convert(resource, out) if resource["resourceType"] in types else None
    )


@cache
def _ways(expression: str, type_: str) -> tuple[Way, ...]:
    return tuple(ways(parse(expression), type_, type_))
