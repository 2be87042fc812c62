"""An expression of FHIRPath as text again, to be named in errors."""

from __future__ import annotations

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
)


def as_text(node: Node) -> str:
    """The expression as somebody writes it: ``name.where(use = 'official')``."""
    match node:
        case This():
            return "$this"
        case Root():
            return "%resource"
        case Context():
            return "%context"
        case Member(base, name):
            return f"{_before(base)}{name}"
        case Call(base, name, arguments):
            return f"{_before(base)}{name}({', '.join(map(as_text, arguments))})"
        case Index(base, position):
            return f"{as_text(base)}[{position}]"
        case Typed(base, operator, type_):
            return f"({as_text(base)} {operator} {type_})"
        case Binary(left, operator, right):
            return f"({as_text(left)} {operator} {as_text(right)})"
        case Literal(bool() as value):
            return str(value).lower()
        case Literal(str() as value):
            escaped = value.replace("\\", "\\\\").replace("'", "\\'")
            return f"'{escaped}'"
        case Literal(value):
            return str(value)


def _before(base: Node) -> str:
    return "" if isinstance(base, This) else f"{as_text(base)}."
