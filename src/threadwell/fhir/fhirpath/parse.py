"""From the text of an expression to its tree (FHIRPath N1, §3 to §6 and the grammar)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from threadwell.fhir.fhirpath.tree import (
    Binary,
    Call,
    Context,
    Index,
    Literal,
    Member,
    Node,
    Root,
    This,
    Typed,
    Unsupported,
)


def parse(expression: str, variables: Mapping[str, Node] = MappingProxyType({})) -> Node:
    """The tree of an expression; ``variables`` stand for ``%name``. Raises ``Unsupported``."""
    tokens = _tokens(expression)
    node = _Parser(tokens, variables).binary(0)
    if tokens[-1] != "":
        raise Unsupported(f"cannot read {tokens[-1]!r} in {expression!r}")
    return node


#: What an expression from outside may have: words and signs, one within the other in parentheses,
#: and steps of which each goes on from the one before. All of it is walked by recursion.
MAX_TOKENS, MAX_NESTED, MAX_STEPS = 2000, 20, 64
MAX_DIGITS = 200


def parse_outside(expression: str, variables: Mapping[str, Node] = MappingProxyType({})) -> Node:
    """As ``parse``, for an expression that somebody sends: it has bounds, which the message of
    ``Unsupported`` tells, and may end too early.
    """
    tokens = _tokens(expression)
    if len(tokens) > MAX_TOKENS:
        raise Unsupported(f"an expression has at most {MAX_TOKENS:,} words and signs")
    parser = _Parser(tokens, variables, MAX_NESTED)
    try:
        node = parser.binary(0)
        rest = tokens[-1]
    except IndexError:
        raise Unsupported("the expression ends too early") from None
    if rest != "":
        raise Unsupported(f"cannot read {rest!r}")
    if _steps(node) > MAX_STEPS:
        raise Unsupported(f"an expression goes on for at most {MAX_STEPS} steps")
    return node


def _number(digits: str) -> int | Decimal:
    if len(digits) > MAX_DIGITS:
        raise Unsupported(f"a number has at most {MAX_DIGITS} digits")
    return Decimal(digits) if "." in digits else int(digits)


def _steps(node: Node) -> int:
    """The steps of the longest way down the tree."""
    count, level = 0, [node]
    while level:
        count += 1
        level = [below for one in level for below in _below(one)]
    return count


def _below(node: Node) -> tuple[Node, ...]:
    match node:
        case Member(base) | Typed(base) | Index(base):
            return (base,)
        case Binary(left, _, right):
            return left, right
        case Call(base, _, arguments):
            return base, *arguments
        case _:
            return ()


_TOKEN = re.compile(
    r"\s*('(?:[^'\\]|\\.)*'|@T?[0-9][0-9T:.+Z-]*|[0-9]+(?:\.[0-9]+)?|[%$]?\w+"
    r"|!=|<=|>=|[().\[\]|=,<>+&*/-])"
)
_ESCAPE = re.compile(r"\\(.)")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
_CONVERSIONS = {"as": "as", "ofType": "as", "is": "is"}
_VARIABLES: dict[str, Node] = {
    "$this": This(),
    "%resource": Root(),
    "%context": Context(),
    "%ucum": Literal("http://unitsofmeasure.org"),
    "true": Literal(True),
    "false": Literal(False),
}

# Loosest first, as in the grammar. R4 writes types in parentheses or at an end, so that it makes
# no difference that ``as`` and ``is`` bind closer here than the rest.
_LEVELS = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "!="),
    ("<", "<=", ">", ">="),
    ("|",),
    ("+", "&", "-"),
    ("*", "/", "mod", "div"),
)


def _tokens(expression: str) -> list[str]:
    """The tokens, last first, ended by an empty one."""
    out = []
    position, end = 0, len(expression.rstrip())
    while position < end:
        match = _TOKEN.match(expression, position)
        if not match:
            raise Unsupported(f"cannot read {expression[position:]!r} in {expression!r}")
        out.append(match[1])
        position = match.end()
    return ["", *reversed(out)]


class _Parser:
    """Takes tokens from the end of a list."""

    def __init__(
        self, tokens: list[str], variables: Mapping[str, Node], nested: int | None = None
    ) -> None:
        self._tokens = tokens
        self._variables = variables
        self._left = nested

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._typed()
        left = self.binary(level + 1)
        while self._tokens[-1] in _LEVELS[level]:
            operator = self._tokens.pop()
            left = Binary(left, operator, self.binary(level + 1))
        return left

    def _nested(self) -> Node:
        if self._left is None:
            return self.binary(0)
        if not self._left:
            raise Unsupported(f"an expression has at most {MAX_NESTED} parentheses in each other")
        self._left -= 1
        node = self.binary(0)
        self._left += 1
        return node

    def _typed(self) -> Node:
        node = self._path()
        while self._tokens[-1] in {"as", "is"}:
            operator = self._tokens.pop()
            node = Typed(node, operator, self._type())
        return node

    def _type(self) -> str:
        name = self._tokens.pop()
        if not name.isidentifier():
            raise Unsupported(f"a type was expected, not {name!r}")
        return name

    def _path(self) -> Node:
        node = self._term()
        while True:
            if self._took("."):
                node = self._invocation(node)
            elif self._took("["):
                node = Index(node, self._position())
                self._expect("]")
            else:
                return node

    def _position(self) -> int:
        position = self._tokens.pop()
        named = self._variables.get(position.removeprefix("%"))
        if position.startswith("%") and isinstance(named, Literal) and type(named.value) is int:
            return named.value
        if not (position.isascii() and position.isdigit()):
            raise Unsupported(f"a position was expected, not {position!r}")
        return int(_number(position))

    def _term(self) -> Node:
        if self._took("("):
            node = self._nested()
            self._expect(")")
            return node
        token = self._tokens[-1]
        if token in _VARIABLES:
            return _VARIABLES[self._tokens.pop()]
        if token.startswith("%"):
            name = self._tokens.pop()[1:]
            if name not in self._variables:
                raise Unsupported(f"there is no %{name}")
            return self._variables[name]
        if token.startswith("@"):
            return Literal(self._tokens.pop()[1:].removeprefix("T"))
        if token.startswith("'"):
            return Literal(_ESCAPE.sub(_unescape, self._tokens.pop()[1:-1]))
        if token[:1].isdigit():
            return Literal(_number(self._tokens.pop()))
        return self._invocation(This())

    def _invocation(self, base: Node) -> Node:
        name = self._tokens.pop()
        if not name.isidentifier():
            raise Unsupported(f"a name was expected, not {name!r}")
        if not self._took("("):
            return Member(base, name)
        if name in _CONVERSIONS:
            node: Node = Typed(base, _CONVERSIONS[name], self._type())
            self._expect(")")
            return node
        arguments: list[Node] = []
        if not self._took(")"):
            arguments.append(self._nested())
            while self._took(","):
                arguments.append(self._nested())
            self._expect(")")
        return Call(base, name, tuple(arguments))

    def _took(self, token: str) -> bool:
        if self._tokens[-1] != token:
            return False
        self._tokens.pop()
        return True

    def _expect(self, token: str) -> None:
        if not self._took(token):
            raise Unsupported(f"{token!r} was expected, not {self._tokens[-1]!r}")


def _unescape(match: re.Match[str]) -> str:
    return _CONTROLS.get(match[1], match[1])
