"""An expression of FHIRPath as a tree; it knows nothing of types or of JSON."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class This:
    """What the expression starts from, or within a function's argument the item at hand."""


@dataclass(frozen=True, slots=True)
class Root:
    """``%resource``: the whole resource."""


@dataclass(frozen=True, slots=True)
class Context:
    """``%context``: what the whole expression starts from."""


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
    """``left operator right``."""

    left: Node
    operator: str
    right: Node


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, boolean or number."""

    value: str | bool | int | Decimal


Node: TypeAlias = This | Root | Context | Member | Call | Index | Typed | Binary | Literal


class Unsupported(ValueError):
    """The expression uses FHIRPath that we do not have."""
