"""Where in a resource the elements are that a path selects: what a patch changes.

A path goes down from the resource by names, positions, ``where(...)``, ``first()``, ``last()``,
``tail()``, ``single()``, ``extension(url)`` and types. The conditions are evaluated as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from threadwell.fhir.definitions.structures import Element, elements, primitive
from threadwell.fhir.fhirpath.clients import check
from threadwell.fhir.fhirpath.logic import Truth
from threadwell.fhir.fhirpath.parse import parse_outside
from threadwell.fhir.fhirpath.top import Top
from threadwell.fhir.fhirpath.tree import (
    Binary,
    Call,
    Index,
    Literal,
    Member,
    Node,
    Root,
    This,
    Typed,
    Unsupported,
)
from threadwell.fhir.fhirpath.truth import truth
from threadwell.fhir.fhirpath.values import NO_VALUE, is_type

#: Values, and what is within them, that the conditions of one patch may look at.
MAX_LOOKS = 2_000_000
#: Nodes of a condition that are looked through as one, and characters of a text.
_SIMPLE, _TEXT = 6, 64
#: What any resource may be called at the start of a path.
_ANY = ("Resource", "DomainResource")


class Place(NamedTuple):
    """One element of a resource.

    ``value`` is its JSON, ``NO_VALUE`` for a primitive that has extensions alone. It is the member
    ``name`` of the object ``holder``, which is at the pointer ``above``, or the item ``at`` of
    that member; ``element`` defines it. The resource itself has neither.
    """

    type: str
    value: Any
    holder: Mapping[str, Any]
    above: tuple[str, ...] = ()
    name: str = ""
    at: int = -1
    element: Element | None = None

    @property
    def pointer(self) -> tuple[str, ...]:
        """Where the value is."""
        if not self.name:
            return self.above
        return (*self.above, self.name, *([] if self.at < 0 else [str(self.at)]))


class TooMuch(Exception):
    """The conditions would look at more than they may."""


class Looker:
    """Finds places; all it does together is bounded."""

    def __init__(self) -> None:
        self._looks = MAX_LOOKS
        #: By the identity of a node, which is kept so that no other comes to have it, and the type.
        self._conditions: dict[tuple[int, str], tuple[Node, Truth, int]] = {}

    def find(self, node: Node, resource: Any) -> list[Place]:
        """What the path selects in the resource, in its order.

        Raises ``Unsupported`` for a path that cannot be, ``TooMuch``.
        """
        match node:
            case This() | Root():
                return [Place(str(resource.get("resourceType")), resource, {})]
            case Member(This(), name) if name[0].isupper():
                (whole,) = self.find(This(), resource)
                if name != whole.type and name not in _ANY:
                    raise Unsupported(f"the resource is no {name}")
                return [whole]
            case Member(base, name):
                bases = self.find(base, resource)
                return [found for place in bases for found in self._within(place, name)]
            case Index(base, position):
                return self.find(base, resource)[position : position + 1]
            case Typed(base, "as", name):
                return [
                    place
                    for place in self.find(base, resource)
                    if is_type(place.type, place.value, name)
                ]
            case Call(base, "where", (criteria,)):
                found = self.find(base, resource)
                return [place for place in found if self._holds(criteria, place)]
            case Call(base, "extension", (Literal(str() as url),)):
                found = self.find(Member(base, "extension"), resource)
                return [place for place in found if inside(place)[0].get("url") == url]
            case Call(base, name, ()) if name in _SUBSETS:
                return _SUBSETS[name](self.find(base, resource))
        raise Unsupported("a path goes down by names, positions, where(...) and the like")

    def _within(self, place: Place, name: str) -> list[Place]:
        element = element_of(place, name)
        holder, above = inside(place)
        found = []
        for json_name, type_ in element.json_names().items():
            values = values_at(holder, json_name, type_)
            self.look(len(values))
            for at, value in enumerate(values):
                index = at if element.many else -1
                own = _own(type_, value)
                found.append(Place(own, value, holder, above, json_name, index, element))
        return found

    def _holds(self, criteria: Node, place: Place) -> bool:
        asked = id(criteria), place.type
        if asked not in self._conditions:
            holds = _condition(criteria, place.type)
            self._conditions[asked] = criteria, holds, 1 + _nodes(criteria) // _SIMPLE
        _, holds, weight = self._conditions[asked]
        if place.value is NO_VALUE:
            return False
        self.look(weight * _size(place.value))
        try:
            return holds(place.value, Top(place.value)) is True
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            # What FHIRPath cannot compare is neither true nor false.
            return False

    def look(self, looks: int) -> None:
        """Count so many values as looked at; raises ``TooMuch``."""
        self._looks -= looks
        if self._looks < 0:
            raise TooMuch


@lru_cache(maxsize=256)
def parse_path(path: str) -> Node:
    """The tree of a path; raises ``Unsupported``."""
    try:
        return parse_outside(path)
    except RecursionError:
        raise Unsupported("it nests too deep") from None


def element_of(place: Place, name: str) -> Element:
    """The element of that name that what is at the place may have; raises ``Unsupported``."""
    # What a primitive has are the members of every element.
    type_ = "Element" if primitive(place.type) else place.type
    for element in elements(type_):
        if name in (element.name, element.name.removesuffix("[x]")):
            return element
    raise Unsupported(f"{place.type} has no {name}")


def inside(place: Place) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The object that has the members of the place, and its pointer.

    Those of a primitive stand beside it: it is empty where nothing does.
    """
    if not primitive(place.type):
        return place.value if isinstance(place.value, dict) else {}, place.pointer
    beside = place._replace(name=f"_{place.name}")
    value = place.holder.get(beside.name)
    if place.at >= 0 and isinstance(value, list):
        value = value[place.at] if place.at < len(value) else None
    return value if isinstance(value, dict) else {}, beside.pointer


def values_at(holder: Mapping[str, Any], name: str, type_: str) -> list[Any]:
    """The values of a member, whether it is a list or not."""
    found = _listed(holder.get(name))
    if not primitive(type_):
        return found
    beside = _listed(holder.get(f"_{name}"))
    found = [*found, *[None] * (len(beside) - len(found))]
    return [NO_VALUE if value is None else value for value in found]


def count_at(holder: Mapping[str, Any], name: str, type_: str) -> int:
    """How many ``values_at`` finds."""
    names = (name, f"_{name}") if primitive(type_) else (name,)
    return max(len(_listed(holder.get(each))) for each in names)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _own(type_: str, value: Any) -> str:
    """The type of a value: of a resource, it tells itself."""
    if type_ == "Resource" and isinstance(value, dict):
        return str(value.get("resourceType"))
    return type_


def _single(found: list[Place]) -> list[Place]:
    if len(found) > 1:
        raise Unsupported("single() has several")
    return found


_SUBSETS: Mapping[str, Callable[[list[Place]], list[Place]]] = {
    "first": lambda found: found[:1],
    "last": lambda found: found[-1:],
    "tail": lambda found: found[1:],
    "single": _single,
}


def _condition(criteria: Node, type_: str) -> Truth:
    try:
        check(criteria)
        return truth(criteria, type_)
    except (KeyError, RecursionError):
        raise Unsupported("its condition cannot be evaluated") from None


def _size(value: Any) -> int:
    """How many values there are in a value; a long text counts as several."""
    if isinstance(value, dict):
        return 1 + sum(map(_size, value.values()))
    if isinstance(value, list):
        return sum(map(_size, value))
    return 1 + len(value) // _TEXT if isinstance(value, str) else 1


def _nodes(node: Node) -> int:
    match node:
        case Binary(left, _, right):
            return 1 + _nodes(left) + _nodes(right)
        case Call(base, _, arguments):
            return 1 + _nodes(base) + sum(map(_nodes, arguments))
        case Member(base) | Typed(base) | Index(base):
            return 1 + _nodes(base)
    return 1
