"""The part of FHIRPath that search parameters are written in: from text to a tree.

Paths, ``where``, ``exists``, ``extension``, ``hasExtension``, ``resolve() is``, ``as`` in both
forms, ``ofType``, an indexer, unions, ``and`` and comparisons. ``parse`` knows nothing of types or
of JSON; ``steps`` gives the tree its meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class This:
    """What the expression starts from."""


@dataclass(frozen=True, slots=True)
class Root:
    """``%resource``: the whole resource."""


@dataclass(frozen=True, slots=True)
class Member:
    """``base.name``; at the start of an expression the name may be a type's."""

    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """``base.name(arguments)``."""

    base: Node
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """``base[position]``."""

    base: Node
    position: int


@dataclass(frozen=True, slots=True)
class Typed:
    """``base as type`` (also as a call, and ``ofType``), or ``base is type``."""

    base: Node
    operator: str
    type: str


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right``; the operator is ``|``, ``and``, ``=`` or ``!=``."""

    left: Node
    operator: str
    right: Node


@dataclass(frozen=True, slots=True)
class Literal:
    """A string or boolean."""

    value: str | bool


Node: TypeAlias = This | Root | Member | Call | Index | Typed | Binary | Literal


class Unsupported(ValueError):
    """The expression uses FHIRPath that this part of it does not have."""


def parse(expression: str) -> Node:
    """The tree of an expression; raises ``Unsupported``."""
    tokens = _tokens(expression)
    node = _Parser(tokens).binary(0)
    if tokens[-1] != "":
        raise Unsupported(f"cannot read {tokens[-1]!r} in {expression!r}")
    return node


_TOKEN = re.compile(r"\s*('(?:[^'\\]|\\.)*'|%?\w+|!=|[().\[\]|=,])")
_CONVERSIONS = {"as", "ofType"}

# Loosest first, as in the grammar of FHIRPath; ``as`` and ``is`` bind closer than all of them.
_LEVELS = (("and",), ("=", "!="), ("|",))


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

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._typed()
        left = self.binary(level + 1)
        while self._tokens[-1] in _LEVELS[level]:
            operator = self._tokens.pop()
            left = Binary(left, operator, self.binary(level + 1))
        return left

    def _typed(self) -> Node:
        node = self._path()
        while self._tokens[-1] in {"as", "is"}:
            operator = self._tokens.pop()
            node = Typed(node, operator, self._tokens.pop())
        return node

    def _path(self) -> Node:
        node = self._term()
        while True:
            if self._took("."):
                node = self._invocation(node)
            elif self._took("["):
                position = self._tokens.pop()
                if not position.isdigit():
                    raise Unsupported(f"a position was expected, not {position!r}")
                node = Index(node, int(position))
                self._expect("]")
            else:
                return node

    def _term(self) -> Node:
        if self._took("("):
            node = self.binary(0)
            self._expect(")")
            return node
        if self._took("%resource"):
            return Root()
        token = self._tokens[-1]
        if token in {"true", "false"}:
            return Literal(self._tokens.pop() == "true")
        if token.startswith("'"):
            return Literal(self._tokens.pop()[1:-1])
        return self._invocation(This())

    def _invocation(self, base: Node) -> Node:
        name = self._tokens.pop()
        if not name.isidentifier():
            raise Unsupported(f"a name was expected, not {name!r}")
        if not self._took("("):
            return Member(base, name)
        if name in _CONVERSIONS:
            node: Node = Typed(base, "as", self._tokens.pop())
            self._expect(")")
            return node
        arguments: list[Node] = []
        while not self._took(")"):
            arguments.append(self.binary(0))
            self._took(",")
        return Call(base, name, tuple(arguments))

    def _took(self, token: str) -> bool:
        if self._tokens[-1] != token:
            return False
        self._tokens.pop()
        return True

    def _expect(self, token: str) -> None:
        if not self._took(token):
            raise Unsupported(f"{token!r} was expected, not {self._tokens[-1]!r}")
