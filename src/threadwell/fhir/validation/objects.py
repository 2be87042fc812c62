"""Checks of complex types: data types, backbone elements and resources, compiled from elements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.structures import Element, elements, primitive
from threadwell.fhir.validation.bindings import bound, outside
from threadwell.fhir.validation.invariants import Invariants, broken, narrowed
from threadwell.fhir.validation.primitives import PRIMITIVES
from threadwell.fhir.validation.problem import MOST, Check, Problem, given_up, wrong_type
from threadwell.fhir.validation.reference import reference_check
from threadwell.fhir.validation.siblings import ABSENT, check_pair, check_pairs
from threadwell.fhir.validation.uris import absolute

#: A property name longer than this is cut off in a message.
_MAX_NAME = 64

_ID = {"id"}

#: What the checks found under each name; nothing for a name that the type does not have.
Findings = list[tuple[str, list[Problem]]]


class Property(NamedTuple):
    """One JSON property of a type: ``check`` is of its whole value, ``item`` of one repeat."""

    element: Element
    check: Check
    item: Check
    primitive: bool


class Choice(NamedTuple):
    """The JSON names of an element of which at most one may be there."""

    element: Element
    names: frozenset[str]


class Compiler:
    """Compiles types to checks, each once; a type may contain itself.

    ``resources`` are the checks of elements that are resources: by the element's name, "" for
    every other.
    """

    def __init__(self, resources: Mapping[str, Check]) -> None:
        self._resources = resources
        self._compiled: dict[tuple[str, tuple[str, ...]], Check] = {}

    def compile(self, type_: str, targets: tuple[str, ...] = ()) -> Check:
        """The check of a complex type; ``targets`` are those of a Reference."""
        if (type_, targets) in self._compiled:
            return self._compiled[type_, targets]
        properties: dict[str, Property] = {}
        checks: dict[str, Check] = {}
        parts = elements(type_)
        shape = _Shape(type_, parts, properties)
        check = self._compiled[type_, targets] = _object_check(shape, checks)
        shape.element = self.compile("Element")
        for element in parts:
            for name, code in element.json_names().items():
                properties[name] = self._property(type_, element, name, code)
        if type_ == "Reference":
            item = reference_check(targets)
            properties["reference"] = properties["reference"]._replace(check=item, item=item)
        checks.update((name, property_.check) for name, property_ in properties.items())
        if type_ in RESOURCE_TYPES:
            checks["resourceType"] = _anything  # it was read to come here
        return check

    def _property(self, owner: str, element: Element, name: str, type_: str) -> Property:
        if primitive(type_):
            item = PRIMITIVES[type_]
        elif type_ == "Resource":
            item = self._resources.get(name, self._resources[""])
        else:
            item = self.compile(type_, element.types[type_])
        if element.value_set:
            item = bound(type_, item, element.value_set)
        item = absolute(item, type_, owner, element.name)
        item = narrowed(item, f"{owner}.{element.name}", type_)
        return Property(element, _many(item) if element.many else item, item, primitive(type_))


def _anything(_: Any) -> None:
    return None


def _suspicious(_: Any) -> list[Problem]:
    return []


def _many(item: Check) -> Check:
    def check(values: Any) -> list[Problem] | None:
        if not isinstance(values, list):
            return wrong_type("array", values)
        if not values:
            return [Problem("structure", "Invalid empty array")]
        problems: list[Problem] | None = None
        for index, value in enumerate(values):
            if (found := item(value)) is not None:
                problems = problems or []
                problems += [problem.under(f"[{index}]") for problem in found]
                if given_up(problems):
                    break
        return problems

    return check


class _Shape:
    """What is to be said about a type beyond the checks of its properties."""

    #: The check of what stands beside a primitive.
    element: Check

    def __init__(
        self, type_: str, parts: tuple[Element, ...], properties: Mapping[str, Property]
    ) -> None:
        self.properties = properties
        self.extension = type_ == "Extension"
        self.required = tuple(e.name for e in parts if e.required and not e.choice)
        self.choices = tuple(Choice(e, frozenset(e.json_names())) for e in parts if e.choice)
        self.is_element = type_ not in RESOURCE_TYPES
        self.invariants = Invariants(type_)

    def problems(self, value: dict[str, Any], findings: Findings) -> list[Problem] | None:
        """Every problem of the object, given what the checks of its properties found.

        ``None`` where there is none after all: extensions beside primitives look like unknown
        properties at first.
        """
        extended = {name[1:] for name in value if name[:1] == "_" and self._primitive(name[1:])}
        problems: list[Problem] = []
        for name, found in findings[:MOST]:
            if name in extended or (name[:1] == "_" and name[1:] in extended):
                continue
            problems += self._under(name, found) if found else _unknown(name)
        for name in sorted(extended):
            problems += self._under(name, self._pair(name, value))
        present = value.keys() | extended
        problems += self._missing(present)
        if self.is_element and present <= _ID:
            problems.append(Problem("structure", "Invalid empty object"))
        elif self.extension and ("extension" in value) == (
            len(present & self.choices[0].names) > 0
        ):
            problems.append(broken("Extension", "ext-1"))
        problems += self.invariants.suspected(value)
        return problems or None

    def _primitive(self, name: str) -> bool:
        return name in self.properties and self.properties[name].primitive

    def _pair(self, name: str, value: dict[str, Any]) -> list[Problem]:
        property_ = self.properties[name]
        if name not in value and property_.element.value_set and not property_.element.many:
            return [outside(property_.element.value_set)]
        check = check_pairs if property_.element.many else check_pair
        found = value.get(name, ABSENT), value[f"_{name}"]
        return check(*found, property_.item, self.element)

    def _under(self, name: str, problems: list[Problem]) -> list[Problem]:
        step = f".{self.properties[name].element.name}"
        return [problem.under(step) for problem in problems]

    def _missing(self, present: set[str]) -> list[Problem]:
        missing = [name for name in self.required if name not in present]
        problems = [Problem("structure", "Missing required property", f".{n}") for n in missing]
        for element, names in self.choices:
            count = len(names & present)
            if count > 1:
                text = "Only one of the types of a choice may be there"
                problems.append(Problem("structure", text, f".{element.name}"))
            elif count == 0 and element.required:
                text = "Missing required property"
                problems.append(Problem("structure", text, f".{element.name}"))
        return problems


def _object_check(shape: _Shape, checks: Mapping[str, Check]) -> Check:
    get = checks.get
    required = shape.required
    choices = [(names, int(e.required)) for e, names in shape.choices]
    extension = shape.extension
    invariants = shape.invariants
    spoken_of = invariants.names

    def check(value: Any) -> list[Problem] | None:
        if not isinstance(value, dict):
            return wrong_type("object", value)
        findings: Findings | None = None
        for name, child in value.items():
            found = get(name, _suspicious)(child)
            if found is not None:
                if findings is None:
                    findings = []
                findings.append((name, found))
        if findings is not None or (len(value) < 2 and (not value or "id" in value)):
            return shape.problems(value, findings or [])
        for name in required:
            if name not in value:
                return shape.problems(value, [])
        for names, minimum in choices:
            count = len(value.keys() & names)
            if not minimum <= count <= 1 or (extension and ("extension" in value) == (count == 1)):
                return shape.problems(value, [])
        if spoken_of is None or not spoken_of.isdisjoint(value):
            return invariants.problems(value)
        return None

    return check


def _unknown(name: str) -> list[Problem]:
    name = name[:_MAX_NAME]
    return [Problem("structure", f'Invalid additional property "{name}"', f".{name}")]
