"""A condition as a closure that tells of one JSON value whether it holds.

The types decide at once where a name leads, so that a closure only looks up dictionary keys.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, ClassVar

from threadwell.fhir.fhirpath import find, logic
from threadwell.fhir.fhirpath.compare import TIMES
from threadwell.fhir.fhirpath.logic import Truth
from threadwell.fhir.fhirpath.text import as_text
from threadwell.fhir.fhirpath.top import Finder, Top, keys, once
from threadwell.fhir.fhirpath.tree import (
    Binary,
    Call,
    Context,
    Literal,
    Member,
    Node,
    Root,
    This,
    Typed,
    Unsupported,
)
from threadwell.fhir.fhirpath.values import (
    Collect,
    Part,
    constant,
    gather,
    is_type,
    json_names,
    member,
    root,
    then,
    this,
)

_ORDERS: Mapping[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}
#: The functions whose argument is looked at anew for each item.
_PER_ITEM = {"where", "select"}
#: Those whose argument is about the items of what they are called on.
_ABOUT_BASE = {*_PER_ITEM, "all"}
#: The functions that are compiled here.
_HERE = {*_PER_ITEM, "combine", "intersect"}
_LITERALS = {bool: "boolean", str: "string", int: "integer"}


def truth(node: Node, type_: str, top: str = "") -> Truth:
    """Whether the condition holds for a value of ``type_``.

    ``top`` is the type of what the whole expression starts from, where it is another: what
    ``%resource`` and ``%context`` stand for. Raises ``Unsupported``.
    """
    return Compiler(top or type_).truth(node, type_)


def _is_constant(node: Node) -> bool:
    """Whether the node is made of literals alone."""
    match node:
        case Binary(left, "|", right):
            return _is_constant(left) and _is_constant(right)
        case _:
            return isinstance(node, Literal)


def _is_fixed(node: Node) -> bool:
    """Whether the node's values are the same for whichever item."""
    match node:
        case Root() | Context() | Literal():
            return True
        case Member(base) | Typed(base):
            return _is_fixed(base)
        case Call(base, name, arguments):
            return _is_fixed(base) and (name in _ABOUT_BASE or all(map(_is_fixed, arguments)))
        case Binary(left, _, right):
            return _is_fixed(left) and _is_fixed(right)
        case _:
            return False


def _never(_item: Any, _top: Top) -> bool:
    return False


class Compiler:
    """Compiles the nodes of one expression, which starts from a value of the type ``top``."""

    #: What an order is that cannot be told: a resource is refused only for what is surely wrong.
    UNTOLD: ClassVar[bool | None] = True

    def __init__(self, top: str) -> None:
        self._top = top
        self._asked: Node | None = None

    def truth(self, node: Node, type_: str) -> Truth:
        """Whether a condition holds for a value of ``type_``."""
        match node:
            case Binary(left, operator, right) if operator in logic.LOGIC:
                return logic.LOGIC[operator](self.truth(left, type_), self.truth(right, type_))
            case Binary(left, operator, right) if operator in _ORDERS:
                parts = self.parts(left, type_)
                kind = next((part.type for part in parts if part.type in TIMES), "")
                other = self._collect(right, type_)
                return logic.ordered(gather(parts), other, kind, _ORDERS[operator], self.UNTOLD)
            case Binary(left, "=" | "!=" as operator, right):
                both = self._collect(left, type_), self._collect(right, type_)
                return logic.equal(*both, operator == "=")
            case Binary(left, "in", right) | Binary(right, "contains", left):
                return logic.within(self._collect(left, type_), self._among(right, type_))
            case Typed(base, "is", name):
                return self._is(base, name, type_)
            case Call(base, "exists" | "empty" as name, ()):
                return logic.exists(self._presence(base, type_), name == "exists")
            case Call(base, "not", ()):
                return logic.negation(self.truth(base, type_))
            case Call(Member(This(), name), "hasValue", ()):
                values = json_names(type_, name, beside=False)
                return (lambda item, _: not values.isdisjoint(item)) if values else _never
            case Call(base, "isDistinct", ()):
                return logic.distinct(self._collect(base, type_))
            case Call(base, "all", (criteria,)):
                parts = self.parts(base, type_)
                held = logic.for_all([(p.collect, self.truth(criteria, p.type)) for p in parts])
                return once(held) if _is_fixed(base) else held
            case Call(base, name, (given,)) if name in logic.TEXT:
                texts = self._collect(base, type_), self._collect(given, type_)
                return logic.on_text(logic.TEXT[name], *texts)
            case Binary(_, "-" | "*" | "/" | "mod" | "div", _):
                raise Unsupported("there is no arithmetic here")
            case Call(_, name) if name not in _HERE and name not in find.FUNCTIONS:
                raise Unsupported(f"there is no function {name}")
            case _:
                return logic.single(self._single(node, type_))

    def _single(self, node: Node, type_: str) -> Collect:
        """What finds the values of a node that is no condition by itself."""
        if node is self._asked:
            # Its values would be whether it holds: nobody knows what it means.
            raise Unsupported(f"nothing is found by {as_text(node)}")
        before, self._asked = self._asked, node
        try:
            return self._collect(node, type_)
        finally:
            self._asked = before

    def _is(self, base: Node, name: str, type_: str) -> Truth:
        parts = self.parts(base, type_)

        def check(item: Any, top: Top) -> bool | None:
            for part in parts:
                for value in part.collect(item, top):
                    return is_type(part.type, value, name)
            return None

        return check

    def _presence(self, node: Node, type_: str) -> Finder[Any]:
        match node:
            case Member(This(), name) if name[0].islower():
                names = json_names(type_, name)
                # A primitive has no members; among the types of a choice there may be one.
                return (lambda item, _: not names.isdisjoint(item)) if names else _never
            case _:
                return self._collect(node, type_)

    def _collect(self, node: Node, type_: str) -> Collect:
        collect = gather(self.parts(node, type_))
        return once(collect) if _is_fixed(node) and not _is_constant(node) else collect

    def _among(self, node: Node, type_: str) -> Finder[Container[Any]]:
        """The keys of the node's values."""
        collect = gather(self.parts(node, type_))
        if _is_constant(node):
            listed = keys(collect(None, Top(None)))
            return lambda _item, _top: listed

        def found(item: Any, top: Top) -> Container[Any]:
            return keys(collect(item, top))

        return once(found) if _is_fixed(node) else found

    def parts(self, node: Node, type_: str) -> list[Part]:
        """Where the node's values are, seen from a value of ``type_``."""
        match node:
            case This():
                return [Part(type_, this)]
            case Root() | Context():
                return [Part(self._top, root)]
            case Literal(value):
                return [Part(_LITERALS.get(type(value), "decimal"), constant(value))]
            case Member(This(), name) if name[0].isupper():
                return [Part(type_, this)] if name == type_ else []
            case Member(base, name):
                return self._members(base, name, type_)
            case Typed(base, "as", name):
                return find.of_type(self.parts(base, type_), name)
            case Binary(left, "|", right):
                return self.parts(left, type_) + self.parts(right, type_)
            case Binary(left, "+", right):
                return [find.total(self._collect(left, type_), self._collect(right, type_))]
            case Binary(left, "&", right):
                return [find.text(self._collect(left, type_), self._collect(right, type_))]
            case Call(base, "where", (criteria,)):
                return [self._where(part, criteria) for part in self.parts(base, type_)]
            case Call(base, "select", (projection,)):
                return [
                    Part(found.type, then(part.collect, found.collect))
                    for part in self.parts(base, type_)
                    for found in self.parts(projection, part.type)
                ]
            case Call(base, "intersect", (other,)):
                return [
                    find.common(part, self._among(other, type_)) for part in self.parts(base, type_)
                ]
            case Call(base, "combine", (other,)):
                both = self.parts(base, type_), self.parts(other, type_)
                return find.combined(*both, self._collect(other, type_)) if any(both) else []
            case Call(base, name, arguments) if name in find.FUNCTIONS:
                given = [self._collect(argument, type_) for argument in arguments]
                return find.FUNCTIONS[name](self.parts(base, type_), *given)
            case Binary() | Typed() | Call():
                return [find.verdict(self.truth(node, type_))]
            case _:
                raise Unsupported(f"nothing is found by {as_text(node)}")

    def _members(self, base: Node, name: str, type_: str) -> list[Part]:
        """Of a base of several types, those that have no such member are passed over."""
        parts = self.parts(base, type_)
        found: list[Part] = []
        missing: list[Unsupported] = []
        for part in parts:
            try:
                found += member(part, name)
            except Unsupported as error:
                missing.append(error)
        if missing and len(missing) == len(parts):
            raise missing[0]
        return found

    def _where(self, part: Part, criteria: Node) -> Part:
        holds = self.truth(criteria, part.type)
        return Part(
            part.type, then(part.collect, lambda item, top: [item] if holds(item, top) else [])
        )
