"""A condition as a closure that tells of one JSON value whether it holds.

The types decide at once where a name leads, so that a closure only looks up dictionary keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from threadwell.fhir.fhirpath import find, logic
from threadwell.fhir.fhirpath.compare import TIMES
from threadwell.fhir.fhirpath.logic import Truth
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
_LITERALS = {bool: "boolean", str: "string", int: "integer"}


def truth(node: Node, type_: str, top: str = "") -> Truth:
    """Whether the condition holds for a value of ``type_``.

    ``top`` is the type of what the whole expression starts from, where it is another: what
    ``%resource`` and ``%context`` stand for. Raises ``Unsupported``.
    """
    return _Compiler(top or type_).truth(node, type_)


def _never(_item: Any, _top: Any) -> bool:
    return False


class _Compiler:
    def __init__(self, top: str) -> None:
        self._top = top

    def truth(self, node: Node, type_: str) -> Truth:
        match node:
            case Binary(left, operator, right) if operator in logic.LOGIC:
                return logic.LOGIC[operator](self.truth(left, type_), self.truth(right, type_))
            case Binary(left, operator, right) if operator in _ORDERS:
                parts = self._parts(left, type_)
                kind = next((part.type for part in parts if part.type in TIMES), "")
                other = self._collect(right, type_)
                return logic.ordered(gather(parts), other, kind, _ORDERS[operator])
            case Binary(left, "=" | "!=" as operator, right):
                both = self._collect(left, type_), self._collect(right, type_)
                return logic.equal(*both, operator == "=")
            case Binary(left, "in", right) | Binary(right, "contains", left):
                return logic.within(self._collect(left, type_), self._collect(right, type_))
            case Typed(base, "is", name):
                return self._is(base, name, type_)
            case Call(base, "exists" | "empty" as name, ()):
                return logic.exists(self._presence(base, type_), name == "exists")
            case Call(base, "not", ()):
                return logic.negation(self.truth(base, type_))
            case Call(Member(This(), name), "hasValue", ()):
                values = json_names(type_, name, beside=False)
                return lambda item, _: not values.isdisjoint(item)
            case Call(base, "isDistinct", ()):
                return logic.distinct(self._collect(base, type_))
            case Call(base, "all", (criteria,)):
                parts = self._parts(base, type_)
                return logic.for_all([(p.collect, self.truth(criteria, p.type)) for p in parts])
            case Call(base, name, (given,)) if name in logic.TEXT:
                texts = self._collect(base, type_), self._collect(given, type_)
                return logic.on_text(logic.TEXT[name], *texts)
            case Call(_, name) if name not in _PER_ITEM and name not in find.FUNCTIONS:
                raise Unsupported(f"there is no function {name}")
            case _:
                return logic.single(self._collect(node, type_))

    def _is(self, base: Node, name: str, type_: str) -> Truth:
        parts = self._parts(base, type_)

        def check(item: Any, top: Any) -> bool | None:
            for part in parts:
                for value in part.collect(item, top):
                    return is_type(part.type, value, name)
            return None

        return check

    def _presence(self, node: Node, type_: str) -> Callable[[Any, Any], Any]:
        match node:
            case Member(This(), name) if name[0].islower():
                names = json_names(type_, name)
                # A primitive has no members; among the types of a choice there may be one.
                return (lambda item, _: not names.isdisjoint(item)) if names else _never
            case _:
                return self._collect(node, type_)

    def _collect(self, node: Node, type_: str) -> Collect:
        return gather(self._parts(node, type_))

    def _parts(self, node: Node, type_: str) -> list[Part]:
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
                return find.of_type(self._parts(base, type_), name)
            case Binary(left, "|", right):
                return self._parts(left, type_) + self._parts(right, type_)
            case Binary(left, "+", right):
                return [find.total(self._collect(left, type_), self._collect(right, type_))]
            case Binary(left, "&", right):
                return [find.text(self._collect(left, type_), self._collect(right, type_))]
            case Call(base, "where", (criteria,)):
                return [self._where(part, criteria) for part in self._parts(base, type_)]
            case Call(base, "select", (projection,)):
                return [
                    Part(found.type, then(part.collect, found.collect))
                    for part in self._parts(base, type_)
                    for found in self._parts(projection, part.type)
                ]
            case Call(base, name, arguments) if name in find.FUNCTIONS:
                given = [self._collect(argument, type_) for argument in arguments]
                return find.FUNCTIONS[name](self._parts(base, type_), *given)
            case Binary() | Typed() | Call():
                return [find.verdict(self.truth(node, type_))]
            case _:
                raise Unsupported(f"nothing is found by {node}")

    def _members(self, base: Node, name: str, type_: str) -> list[Part]:
        """Of a base of several types, those that have no such member are passed over."""
        parts = self._parts(base, type_)
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
