"""FHIRPath Patch on a resource (FHIR R4 fhirpatch.html).

Each operation of the ``Parameters`` becomes operations of JSON Patch on the resource as the ones
before it have left it: its path is evaluated, and what it selects has a pointer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from threadwell.fhir.definitions.structures import Element, primitive
from threadwell.fhir.fhirpath.places import (
    Looker,
    Place,
    TooMuch,
    count_at,
    element_of,
    inside,
    parse_path,
)
from threadwell.fhir.fhirpath.tree import Member, Node, This, Unsupported
from threadwell.fhir.outcome import FhirError, invalid
from threadwell.fhir.part_values import Given, given_value
from threadwell.fhir.patch import MAX_OPERATIONS, Patch, too_costly
from threadwell.fhir.resource import Resource

#: Characters of one path, and of all the paths of a patch.
LONGEST_PATH = 1_000
MAX_PATHS = 300_000
#: Characters of a path that an error repeats.
_SHOWN = 200
#: Items of a list that are seen to be nothing as quickly as one value is looked at.
_QUICK = 16
_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'?")
#: The parts of an operation: where their value is. A value has any of them.
_PARTS = {
    "type": ("valueCode", "valueString"),
    "path": ("valueString",),
    "name": ("valueString",),
    "index": ("valueInteger",),
    "source": ("valueInteger",),
    "destination": ("valueInteger",),
}

_Parts: TypeAlias = Mapping[str, Any]


def path_operations(parameters: Any, where: str = "Parameters") -> list[Any]:
    """The operations of a ``Parameters`` that is a patch; raises 400 for what is none."""
    if not isinstance(parameters, dict) or parameters.get("resourceType") != "Parameters":
        raise invalid("A FHIRPath Patch is a Parameters resource", where)
    given = parameters.get("parameter", [])
    if not isinstance(given, list):
        raise invalid("parameter must be an array", f"{where}.parameter")
    for at, one in enumerate(given):
        if not isinstance(one, dict) or one.get("name") != "operation":
            text = "Each parameter of a FHIRPath Patch is named operation"
            raise invalid(text, f"{where}.parameter[{at}]")
    return given


def apply_path_patch(resource: Resource, parameters: Any) -> Resource:
    """The resource after all the operations; ``resource`` itself is not changed.

    Each path must select one element of the resource; what ``delete`` does not find is gone
    already. Raises ``FhirError`` 400, and then none of the operations holds, for what
    ``apply_patch`` does and for a path or a value that does not fit; it tells the number of the
    operation, from 1, and its path.
    """
    given = path_operations(parameters)
    if len(given) > MAX_OPERATIONS:
        raise too_costly(f"A patch has at most {MAX_OPERATIONS:,} operations")
    patch = _PathPatch(resource)
    for at, operation in enumerate(given):
        patch.apply(at, operation)
    return patch.result()


class _PathPatch:
    """A resource on its way."""

    def __init__(self, resource: Resource) -> None:
        self._patch = Patch(resource)
        self._looker = Looker()
        self._characters = MAX_PATHS

    def result(self) -> Resource:
        return self._patch.result()

    def apply(self, at: int, operation: Any) -> None:
        """Do one operation; raises 400 that tells which cannot be done."""
        path: Any = None
        try:
            parts = _parts(operation)
            kind, path = parts.get("type"), parts.get("path")
            apply = _OPERATIONS.get(kind) if isinstance(kind, str) else None
            if apply is None:
                raise invalid("its type must be add, insert, delete, replace or move")
            apply(self, self._parse(path), parts)
            self._patch.check_same()
        except FhirError as error:
            raise _told(error, at, path) from None
        except Unsupported as error:
            # What it says may repeat a value of the path.
            text = _LITERAL.sub("'…'", str(error))[:_SHOWN]
            raise _told(invalid(f"the path does not lead anywhere: {text}"), at, path) from None
        except (KeyError, RecursionError):
            raise _told(invalid("the path does not lead anywhere"), at, path) from None
        except TooMuch:
            raise _told(too_costly("the paths look at too much"), at, path) from None

    def add(self, node: Node, parts: _Parts) -> None:
        name = parts.get("name")
        if not isinstance(name, str) or not name:
            raise invalid("add must have a name")
        holder = self._one(node)
        element = element_of(holder, name)
        given = _given(parts, element)
        if element.many:
            self._insert(holder, given, self._count(holder, element))
            return
        members, above = inside(holder)
        names = [name for key in element.json_names() for name in (key, f"_{key}")]
        # What operations before this one have left empty is not there.
        if any(members.get(each) not in (None, {}) for each in names):
            raise invalid(f"{name} is there already, and is no list")
        self._make(holder)
        self._set(above, given)

    def insert(self, node: Node, parts: _Parts) -> None:
        holder, element = self._list(node)
        at = _number(parts, "index", self._count(holder, element))
        self._insert(holder, _given(parts, element), at)

    def delete(self, node: Node, _: _Parts) -> None:
        found = self._find(node)
        if found:
            self._remove(_only(found))

    def replace(self, node: Node, parts: _Parts) -> None:
        place = self._one(node)
        if not place.name:
            raise invalid("the path selects the whole resource")
        given = _given(parts, place.element)
        if place.at < 0:
            # A choice may come to be of another type, and then it has another name.
            self._remove(place)
            self._set(place.above, given)
            return
        paired = self._even(place.above, place.holder, given)
        self._do("replace", place.pointer, given.value)
        if paired:
            beside = place._replace(name=f"_{place.name}")
            self._do("replace", beside.pointer, given.beside)
            self._tidy(place.above, place.holder, place.name)

    def move(self, node: Node, parts: _Parts) -> None:
        holder, element = self._list(node)
        last = self._count(holder, element) - 1
        source, to = _number(parts, "source", last), _number(parts, "destination", last)
        members, above = inside(holder)
        for name in (element.name, f"_{element.name}"):
            if name in members:
                self._patch.apply(
                    {
                        "op": "move",
                        "path": _pointer((*above, name, str(to))),
                        "from": _pointer((*above, name, str(source))),
                    }
                )

    def _parse(self, path: Any) -> Node:
        if not isinstance(path, str) or not path:
            raise invalid("its path must be FHIRPath")
        if len(path) > LONGEST_PATH:
            raise too_costly(f"a path has at most {LONGEST_PATH:,} characters")
        self._characters -= len(path)
        if self._characters < 0:
            raise too_costly(f"the paths have at most {MAX_PATHS:,} characters together")
        return parse_path(path)

    def _find(self, node: Node) -> list[Place]:
        return self._looker.find(node, self._patch.document)

    def _one(self, node: Node) -> Place:
        found = self._find(node)
        if not found:
            raise invalid("the path selects nothing")
        return _only(found)

    def _list(self, node: Node) -> tuple[Place, Element]:
        """The element that has the list which the path names, and what the list is of."""
        if not isinstance(node, Member) or (isinstance(node.base, This) and node.name[0].isupper()):
            raise invalid("the path must end with the name of a list")
        holder = self._one(node.base)
        element = element_of(holder, node.name)
        if not element.many:
            raise invalid(f"{node.name} is no list")
        return holder, element

    def _count(self, holder: Place, element: Element) -> int:
        members, _ = inside(holder)
        return max(count_at(members, *named) for named in element.json_names().items())

    def _insert(self, holder: Place, given: Given, at: int) -> None:
        self._make(holder)
        members, above = inside(holder)
        paired = self._even(above, members, given)
        if given.name not in members:
            self._do("add", (*above, given.name), [])
        self._do("add", (*above, given.name, str(at)), given.value)
        if paired:
            self._do("add", (*above, f"_{given.name}", str(at)), given.beside)
            self._tidy(above, members, given.name)

    def _set(self, above: tuple[str, ...], given: Given) -> None:
        if given.value is not None:
            self._do("add", (*above, given.name), given.value)
        if given.beside is not None:
            self._do("add", (*above, f"_{given.name}"), given.beside)

    def _remove(self, place: Place) -> None:
        if not place.name:
            raise invalid("the path selects the whole resource")
        if place.at < 0:
            for name in (place.name, f"_{place.name}"):
                if name in place.holder:
                    self._do("remove", (*place.above, name))
            return
        paired = self._even(place.above, place.holder, Given(place.name, place.type, place.value))
        self._do("remove", place.pointer)
        if paired:
            self._do("remove", place._replace(name=f"_{place.name}").pointer)
            self._tidy(place.above, place.holder, place.name)

    def _make(self, place: Place) -> None:
        """Have the object that stands beside a primitive, to put members into."""
        members, pointer = inside(place)
        if members or not primitive(place.type):
            return
        if place.at < 0:
            self._do("add", pointer, {})
            return
        self._even(place.above, place.holder, Given(place.name, place.type, place.value, {}))
        self._do("replace", pointer, {})

    def _even(self, above: tuple[str, ...], members: Mapping[str, Any], given: Given) -> bool:
        """Have a list of primitives and what stands beside them equally long.

        Tells whether anything stands beside them, or is to.
        """
        beside = f"_{given.name}"
        if not primitive(given.type) or (given.beside is None and beside not in members):
            return False
        count = count_at(members, given.name, given.type)
        for name in (given.name, beside):
            if name not in members:
                self._looker.look(count)
                self._do("add", (*above, name), [None] * count)
        return True

    def _tidy(self, above: tuple[str, ...], members: Mapping[str, Any], name: str) -> None:
        """Leave out a list of primitives, or what stands beside them, where nothing is in it."""
        for each in (name, f"_{name}"):
            values = members.get(each)
            if isinstance(values, list) and values:
                self._looker.look(len(values) // _QUICK)
                if all(value is None for value in values):
                    self._do("remove", (*above, each))

    def _do(self, op: str, place: tuple[str, ...], value: Any = None) -> None:
        self._patch.apply({"op": op, "path": _pointer(place), "value": value})


def _parts(operation: Any) -> dict[str, Any]:
    """The parts of an operation by name; raises 400 for what is none."""
    listed = operation.get("part") if isinstance(operation, dict) else None
    found: dict[str, Any] = {}
    for part in listed if isinstance(listed, list) else []:
        name = part.get("name") if isinstance(part, dict) else None
        if name != "value" and name not in _PARTS:
            raise invalid("its parts are type, path, name, value, index, source and destination")
        if name in found:
            raise invalid(f"{name} is given twice")
        if name == "value":
            found[name] = part
        else:
            found[name] = next((part[key] for key in _PARTS[name] if key in part), None)
    return found


def _given(parts: _Parts, element: Element | None) -> Given:
    if element is None:
        raise invalid("the path selects the whole resource")
    if "value" not in parts:
        raise invalid("it must have a value")
    return given_value(parts["value"], element)


def _number(parts: _Parts, name: str, most: int) -> int:
    """A place in a list, which is at most ``most``."""
    value = parts.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(f"{name} must be a valueInteger")
    if not 0 <= value <= most:
        raise invalid(f"{name} is no place in the list")
    return value


def _only(found: list[Place]) -> Place:
    if len(found) > 1:
        raise invalid(f"the path selects {len(found):,} elements, and not one")
    return found[0]


def _pointer(tokens: tuple[str, ...]) -> str:
    # The names are FHIR's: none has to be escaped.
    return "".join(f"/{token}" for token in tokens)


def _told(error: FhirError, at: int, path: Any) -> FhirError:
    """The error with the number of the operation, and its path without the values in it."""
    shown = _LITERAL.sub("'…'", path)[:_SHOWN] if isinstance(path, str) and path else "no path"
    issues = [
        replace(
            issue,
            text=f"Operation {at + 1} ({shown}): {issue.text}",
            expression=f"Parameters.parameter[{at}]",
        )
        for issue in error.issues
    ]
    return FhirError(error.status, issues, error.id)


_OPERATIONS: Mapping[str, Callable[[_PathPatch, Node, _Parts], None]] = {
    "add": _PathPatch.add,
    "insert": _PathPatch.insert,
    "delete": _PathPatch.delete,
    "replace": _PathPatch.replace,
    "move": _PathPatch.move,
}
