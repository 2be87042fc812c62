"""Expressions that clients send: what they may call."""

from __future__ import annotations

from threadwell.fhir.fhirpath.parse import parse_outside
from threadwell.fhir.fhirpath.tree import (
    Binary,
    Call,
    Index,
    Literal,
    Member,
    Node,
    This,
    Typed,
    Unsupported,
)

#: What an expression of a client may call, and with how many arguments: nothing that looks back at
#: the whole resource, or takes more than a look at each value. Patterns may take any time.
_CALLS = {
    "all": 1, "contains": 1, "count": 0, "empty": 0, "exists": 0, "first": 0, "hasValue": 0,
    "isDistinct": 0, "not": 0, "select": 1, "startsWith": 1, "tail": 0, "where": 1,
}  # fmt: skip


def parse_from_client(expression: str) -> Node:
    """The tree of an expression; raises ``Unsupported``."""
    node = parse_outside(expression)
    check(node)
    return node


def check(node: Node) -> None:
    """Raise ``Unsupported`` for what no client may have evaluated."""
    match node:
        case This() | Literal():
            return
        case Member(base) | Typed(base) | Index(base):
            check(base)
        case Binary(left, _, right):
            check(left)
            check(right)
        case Call(base, name, arguments) if _CALLS.get(name) == len(arguments):
            check(base)
            for argument in arguments:
                check(argument)
        case _:
            raise Unsupported("not for clients")
