"""What an expression finds: lists of JSON values, with the FHIR type of each known beforehand."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.structures import elements, primitive
from threadwell.fhir.fhirpath.top import Finder, Top
from threadwell.fhir.fhirpath.tree import Unsupported

#: Finds values.
Collect: TypeAlias = Finder[list[Any]]

#: Stands for a primitive that has extensions but no value: it is there, but equals nothing.
NO_VALUE: Any = object()

#: The type of what may be anything: `descendants()` finds it.
ANYTHING = "*"


class Part(NamedTuple):
    """Values of one FHIR type (or backbone path, or ``ANYTHING``) that an expression finds."""

    type: str
    collect: Collect


def this(item: Any, _: Top) -> list[Any]:
    """The item at hand."""
    return [item]


def root(_: Any, top: Top) -> list[Any]:
    """What the whole expression starts from."""
    return [top.value]


def constant(value: Any) -> Collect:
    """Always the same value."""
    return lambda _item, _top: [value]


def gather(parts: list[Part]) -> Collect:
    """The values of all the parts."""
    if len(parts) == 1:
        return parts[0].collect
    collects = [part.collect for part in parts]
    return lambda item, top: [value for collect in collects for value in collect(item, top)]


def then(collect: Collect, step: Collect) -> Collect:
    """The values that ``step`` finds from each of those that ``collect`` does."""
    if collect is this:
        return step
    return lambda item, top: [found for value in collect(item, top) for found in step(value, top)]


def member(part: Part, name: str) -> list[Part]:
    """The members of that name, one part for each type that they may have.

    Raises ``Unsupported`` where the type is known to have none.
    """
    if part.type == ANYTHING:
        return [Part(ANYTHING, then(part.collect, _any_member(name)))]
    if primitive(part.type):
        return []
    for element in elements(part.type):
        if element.name.removesuffix("[x]") == name:
            return [
                Part(type_, then(part.collect, _reader(json_name, element.many, primitive(type_))))
                for json_name, type_ in element.json_names().items()
            ]
    raise Unsupported(f"{part.type} has no {name}")


def json_names(type_: str, name: str, *, beside: bool = True) -> frozenset[str]:
    """The JSON members that a member of that name may be in.

    ``beside`` are those that hold the extensions of primitives.
    """
    if primitive(type_):
        return frozenset()
    for element in elements(type_):
        if element.name.removesuffix("[x]") == name:
            found = element.json_names()
            extended = {f"_{name}" for name, code in found.items() if beside and primitive(code)}
            return frozenset(found) | extended
    raise Unsupported(f"{type_} has no {name}")


def is_type(type_: str, value: Any, name: str) -> bool:
    """Whether a value of that type is of the named one (R4 has ``Boolean`` for ``boolean``)."""
    if type_ == "Resource":
        return bool(value.get("resourceType") == name)
    return type_ == name or type_ == name[0].lower() + name[1:]


def may_be(type_: str, name: str) -> bool:
    """Whether some value of that type may be of the named one."""
    return (type_ == "Resource" and name in RESOURCE_TYPES) or is_type(type_, {}, name)


def _reader(name: str, many: bool, primitive_: bool) -> Collect:
    beside = f"_{name}"

    def one(item: Any, _top: Top) -> list[Any]:
        value = item.get(name)
        return [] if value is None else [value]

    def one_primitive(item: Any, _top: Top) -> list[Any]:
        if name in item:
            return [item[name]]
        return [NO_VALUE] if beside in item else []

    def each(item: Any, _top: Top) -> list[Any]:
        return list(item.get(name, ()))

    def each_primitive(item: Any, _top: Top) -> list[Any]:
        values = item.get(name) or item.get(beside, ())
        if beside not in item:
            return list(values)
        return [value if isinstance(value, str | int | float) else NO_VALUE for value in values]

    if many:
        return each_primitive if primitive_ else each
    return one_primitive if primitive_ else one


def _any_member(name: str) -> Collect:
    def find(item: Any, _top: Top) -> list[Any]:
        value = item.get(name) if isinstance(item, dict) else None
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    return find
