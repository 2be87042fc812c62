"""What each type is made of: the elements of the StructureDefinitions (FHIR R4 §5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from threadwell.fhir.definitions import load_parts

#: A profile that elements name as their type; in JSON it goes by the type that it narrows.
_PROFILED = {"SimpleQuantity": "Quantity"}


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type.

    ``name`` is FHIR's (``content[x]`` for a choice). ``types`` are the types that it may have,
    each with the resource types that a reference may lead to (none named is any); a backbone
    element's type is its path (``Communication.payload``). ``value_set`` is the url of the value
    set that its codes must come from, "" for none. ``summary`` tells whether a summary has it.
    """

    name: str
    required: bool
    many: bool
    types: Mapping[str, tuple[str, ...]]
    value_set: str
    summary: bool

    @property
    def choice(self) -> bool:
        """Whether its JSON name ends with the name of its type (``contentString``)."""
        return self.name.endswith("[x]")

    def json_names(self) -> dict[str, str]:
        """Each name that it may have in JSON, with the type that the name stands for."""
        if not self.choice:
            return {self.name: next(iter(self.types))}
        stem = self.name.removesuffix("[x]")
        return {f"{stem}{_capital(_PROFILED.get(type_, type_))}": type_ for type_ in self.types}


@cache
def elements(type_: str) -> tuple[Element, ...]:
    """The elements of a resource type, data type or backbone element, inherited ones included.

    Raises ``KeyError`` for a primitive type and for a name that R4 does not know.
    """
    return tuple(
        Element(
            name,
            bool(minimum),
            bool(many),
            {code: tuple(targets) for code, targets in types.items()},
            value_set,
            bool(summary),
        )
        for name, (minimum, many, types, value_set, summary) in _members(type_).items()
    )


def has_element(type_: str, name: str) -> bool:
    """Whether a type has an element of that name; raises ``KeyError`` as ``elements`` does."""
    return name in _members(type_)


@cache
def primitive(type_: str) -> bool:
    """Whether the type is a primitive: a JSON string, number or boolean, not an object."""
    return type_ not in _structures()


def _members(type_: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(_structures()[type_])
    return found


@cache
def _structures() -> dict[str, msgspec.Raw]:
    return load_parts("structures")


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
