"""Values within a resource, with what stands beside them, their types and their paths."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from threadwell.fhir.definitions.structures import Element, elements, primitive

#: What has the members of an element beside a primitive.
ELEMENT = "Element"


class Place(NamedTuple):
    """A value. ``type`` is its FHIR type (a backbone's is its path); of a resource it is its own.

    ``value`` is ``None`` for a primitive that has extensions alone; ``beside`` is the object that
    has these. ``path`` is FHIRPath from the resource on.
    """

    value: Any
    type: str
    path: str
    beside: Any = None

    @property
    def members(self) -> tuple[Any, str]:
        """The object that has its members, and the type that says which these are."""
        if primitive(self.type):
            return self.beside, ELEMENT
        return self.value, self.type


def within(place: Place, name: str) -> Iterator[Place]:
    """The values of a member, by FHIR's name of it: ``value[x]``, or ``valueQuantity`` for one
    type of it.
    """
    holder, type_ = place.members
    if not isinstance(holder, dict):
        return
    found = member(type_, name)
    if found is None:
        return
    element, names = found
    for json_name, of in names.items():
        value, beside = holder.get(json_name), None
        if primitive(of):
            beside = holder.get(f"_{json_name}")
        if value is None and beside is None:
            continue
        path = f"{place.path}.{element.name.removesuffix('[x]')}"
        if not element.many:
            yield _place(value, of, path, beside)
            continue
        values, others = value or [], beside or []
        for at in range(max(len(values), len(others))):
            item = values[at] if at < len(values) else None
            other = others[at] if at < len(others) else None
            yield _place(item, of, f"{path}[{at}]", other)


@lru_cache(maxsize=4096)
def member(type_: str, name: str) -> tuple[Element, dict[str, str]] | None:
    """The element of a type that goes by a name, and its JSON names with their types."""
    try:
        listed = elements(type_)
    except KeyError:
        return None
    for element in listed:
        if element.name == name:
            return element, element.json_names()
    for element in listed:
        if element.choice:
            names = element.json_names()
            if name in names:
                return element, {name: names[name]}
            if name == element.name.removesuffix("[x]"):
                return element, names
    return None


def _place(value: Any, type_: str, path: str, beside: Any) -> Place:
    if type_ == "Resource" and isinstance(value, dict):
        type_ = str(value.get("resourceType"))
    return Place(value, type_, path, beside)
