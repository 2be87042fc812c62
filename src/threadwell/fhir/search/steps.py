"""A search parameter's expression as the ways that lead to its values in JSON.

``ways`` reads the tree of an expression with the definitions at hand, once for each type: every
choice of a type becomes a way of its own, so that walking one is a matter of dictionary keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from threadwell.fhir.definitions.structures import elements, primitive
from threadwell.fhir.fhirpath.text import as_text
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
from threadwell.fhir.search.references import reference_type

#: Does the element fit?
Test: TypeAlias = Callable[[Any], bool]
#: Puts what the element holds into the list.
Sink: TypeAlias = Callable[[Any, list[Any]], None]


@dataclass(frozen=True, slots=True)
class Key:
    """Step to the member of that JSON name; to one ``position`` of a list, or to all of it."""

    name: str
    many: bool
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """Stay where the test holds."""

    test: Test


@dataclass(frozen=True, slots=True)
class Truth:
    """Step to whether the test holds: true or false, never nothing."""

    test: Test


@dataclass(frozen=True, slots=True)
class Way:
    """Steps from an element, or from the whole resource (``%resource``), to elements of one type.

    ``type`` is a FHIR type or the path of a backbone element. ``targets`` are the resource types
    that a Reference there may lead to, none named is any. ``value_set`` is what a code is bound to.
    """

    type: str
    steps: tuple[Key | Where | Truth, ...] = ()
    targets: tuple[str, ...] = ()
    value_set: str = ""
    from_root: bool = False

    @property
    def name(self) -> str:
        """The member that it ends with, ``""`` where it has no step to one."""
        return next((step.name for step in reversed(self.steps) if isinstance(step, Key)), "")


def ways(node: Node, type_: str, resource_type: str) -> list[Way]:
    """The ways of an expression from an element of ``type_`` in a resource.

    None where the expression speaks of other types only. Raises ``Unsupported``.
    """
    match node:
        case This():
            return [Way(type_)]
        case Root():
            return [Way(resource_type, from_root=True)]
        case Member(This(), name) if name[0].isupper():
            is_root = name in {type_, "Resource", "DomainResource"}
            return [Way(type_)] if is_root else []
        case Member(base, name):
            return [w for way in ways(base, type_, resource_type) for w in _member(way, name)]
        case Index(base, position):
            return [_at(way, position) for way in ways(base, type_, resource_type)]
        case Typed(base, "as", name):
            return [w for w in ways(base, type_, resource_type) if _is_type(w.type, name)]
        case Binary(left, "|", right):
            return ways(left, type_, resource_type) + ways(right, type_, resource_type)
        case Binary():
            if not _speaks_of(node, type_):
                return []
            return [Way("boolean", (Truth(_test(node, type_)),))]
        case Call(base, "where", (criteria,)):
            return [_where(way, criteria) for way in ways(base, type_, resource_type)]
        case Call(base, "extension", (Literal(url),)):
            extensions = ways(Member(base, "extension"), type_, resource_type)
            return [_then(way, Where(partial(_has_url, url))) for way in extensions]
        case _:
            raise Unsupported(f"parameters do not use {as_text(node)}")


def walk(steps: tuple[Key | Where | Truth, ...], sink: Sink) -> Sink:
    """A function that hands every element at the end of ``steps`` to ``sink``."""
    if not steps:
        return sink
    then = walk(steps[1:], sink)
    match steps[0]:
        case Key(name, many, position):
            return _keyed(name, entered(many, position, then))
        case Where(test):
            return lambda element, out: then(element, out) if test(element) else None
        case Truth(test):
            return lambda element, out: then(test(element), out)


def entered(many: bool, position: int | None, then: Sink) -> Sink:
    """A function that hands the value of a member, each of it if it is a list, to ``then``."""
    if not many:
        return then
    if position is not None:
        return lambda items, out: then(items[position], out) if len(items) > position else None

    def each(items: Any, out: list[Any]) -> None:
        for item in items:
            if item is not None:  # a primitive that has an extension only
                then(item, out)

    return each


def _keyed(name: str, then: Sink) -> Sink:
    def step(element: Any, out: list[Any]) -> None:
        value = element.get(name)
        if value is not None:
            then(value, out)

    return step


def _member(way: Way, name: str) -> list[Way]:
    if primitive(way.type):
        return []
    for element in elements(way.type):
        if element.name.removesuffix("[x]") == name:
            return [
                replace(
                    way,
                    type="Quantity" if type_ == "SimpleQuantity" else type_,
                    steps=(*way.steps, Key(json_name, element.many)),
                    targets=element.types[type_],
                    value_set=element.value_set,
                )
                for json_name, type_ in element.json_names().items()
            ]
    raise Unsupported(f"{way.type} has no {name}")


def _at(way: Way, position: int) -> Way:
    last = way.steps[-1]
    if not isinstance(last, Key):
        raise Unsupported("a position is taken of a member only")
    return replace(way, steps=(*way.steps[:-1], replace(last, position=position)))


def _where(way: Way, criteria: Node) -> Way:
    match criteria:
        case Typed(Call(This(), "resolve", ()), "is", target):
            narrowed = replace(way, targets=(target,))
            return _then(narrowed, Where(lambda element: reference_type(element) == target))
        case _:
            return _then(way, Where(_test(criteria, way.type)))


def _then(way: Way, step: Where) -> Way:
    return replace(way, steps=(*way.steps, step))


def _test(node: Node, type_: str) -> Test:
    """Whether a condition holds for an element of ``type_``."""
    match node:
        case Binary(left, "and", right):
            one, other = _test(left, type_), _test(right, type_)
            return lambda element: one(element) and other(element)
        case Binary(left, "=" | "!=" as operator, Literal(value)):
            found, wanted = _collector(left, type_), operator == "="
            return lambda element: any((item == value) is wanted for item in found(element))
        case Call(base, "exists", ()):
            present = _collector(base, type_)
            return lambda element: bool(present(element))
        case Call(This(), "hasExtension", (Literal(url),)):
            return lambda element: any(_has_url(url, item) for item in element.get("extension", ()))
        case _:
            raise Unsupported(f"parameters do not test {as_text(node)}")


def _collector(node: Node, type_: str) -> Callable[[Any], list[Any]]:
    walks = [walk(way.steps, _keep) for way in ways(node, type_, type_)]

    def collect(element: Any) -> list[Any]:
        out: list[Any] = []
        for step in walks:
            step(element, out)
        return out

    return collect


def _keep(element: Any, out: list[Any]) -> None:
    out.append(element)


def _has_url(url: object, extension: dict[str, Any]) -> bool:
    return extension.get("url") == url


def _is_type(type_: str, name: str) -> bool:
    # One R4 expression writes ``DateTime``.
    return type_ == name or type_ == name[0].lower() + name[1:]


def _speaks_of(node: Node, type_: str) -> bool:
    match node:
        case Binary(left, _, right):
            return _speaks_of(left, type_) or _speaks_of(right, type_)
        case Call(base) | Member(base) if not isinstance(base, This):
            return _speaks_of(base, type_)
        case Member(This(), name):
            return name == type_
        case _:
            return False
