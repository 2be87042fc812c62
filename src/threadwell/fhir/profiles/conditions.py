"""Invariants of profiles: the house's FHIRPath, and what guides write beyond R4's own.

``extension(url)``, ``exists(criteria)``, ``length()``, ``substring(…)``, ``iif(…)``, ``memberOf``,
``ofType`` on the value itself, positions and sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

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
    This,
    Unsupported,
)
from threadwell.fhir.fhirpath.truth import Compiler
from threadwell.fhir.fhirpath.values import NO_VALUE, Collect, Part, gather, then
from threadwell.fhir.profiles.bindings import Codes, held

#: Whether codes are of a value set, by its url; ``None`` where that cannot be told.
CodesOf = Callable[[str], Codes | None]

_SUMS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": lambda one, other: Decimal(one) / Decimal(other),
    "div": lambda one, other: int(one / other),
    "mod": lambda one, other: one % other,
}
_CHANGES: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "trim": str.strip,
}


def condition(expression: str, type_: str, top: str, codes: CodesOf) -> Truth:
    """Whether an invariant holds of a value of ``type_`` in a resource of the type ``top``.

    Raises ``Unsupported``. What cannot be told of a value counts as true.
    """
    try:
        holds = _Conditions(top, codes).truth(parse_outside(expression), type_)
    except (KeyError, RecursionError, ValueError) as error:
        raise Unsupported(str(error)) from None

    def check(item: Any, whole: Top) -> bool:
        try:
            return holds(item, whole) is not False
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return True

    return check


class _Conditions(Compiler):
    def __init__(self, top: str, codes: CodesOf) -> None:
        super().__init__(top)
        self._codes = codes

    def truth(self, node: Node, type_: str) -> Truth:
        match _told(node):
            case Call(base, "memberOf", (Literal(str() as url),)):
                return self._member_of(base, url, type_)
            case Call(_, "matches", (Literal(str() as pattern),)) if _repeats_repeats(pattern):
                # It may take any time.
                raise Unsupported("a pattern repeats what repeats")
            case told:
                return super().truth(told, type_)

    def parts(self, node: Node, type_: str) -> list[Part]:
        match _told(node):
            case Call(base, "length", ()):
                return [_each(self.parts(base, type_), "integer", len)]
            case Call(base, "lower" | "upper" | "trim" as name, ()):
                return [_each(self.parts(base, type_), "string", _CHANGES[name])]
            case Call(base, "substring", (Literal(int() as start),)):
                cut = slice(start, None)
                return [_each(self.parts(base, type_), "string", lambda text: text[cut])]
            case Call(base, "substring", (Literal(int() as start), Literal(int() as count))):
                part = slice(start, start + count)
                return [_each(self.parts(base, type_), "string", lambda text: text[part])]
            case Call(This(), "iif", (criteria, one, *other)):
                return self._either(criteria, one, other[0] if other else None, type_)
            case Call(base, "last", ()):
                return [_sliced(part, slice(-1, None)) for part in self.parts(base, type_)]
            case Call(base, "single", ()):
                return self.parts(base, type_)
            case Index(base, position):
                cut = slice(position, position + 1)
                return [_sliced(part, cut) for part in self.parts(base, type_)]
            case Binary(left, "+" | "-" | "*" | "/" | "div" | "mod" as sign, right):
                both = gather(self.parts(left, type_)), gather(self.parts(right, type_))
                return [Part("decimal", _summed(*both, _SUMS[sign]))]
            case told:
                return super().parts(told, type_)

    def _either(self, criteria: Node, one: Node, other: Node | None, type_: str) -> list[Part]:
        holds = self.truth(criteria, type_)
        parts = self.parts(one, type_)
        first = gather(parts)
        second: Collect = gather(self.parts(other, type_)) if other else (lambda _i, _t: [])

        def find(item: Any, top: Top) -> list[Any]:
            return (first if holds(item, top) else second)(item, top)

        return [Part(parts[0].type if parts else "string", find)]

    def _member_of(self, base: Node, url: str, type_: str) -> Truth:
        parts = self.parts(base, type_)

        def check(item: Any, top: Top) -> bool | None:
            codes = self._codes(url)
            if codes is None:
                return None
            found = [
                held(codes, value, part.type)
                for part in parts
                for value in part.collect(item, top)
                if value is not NO_VALUE
            ]
            return None if not found or None in found else all(found)

        return check


def _told(node: Node) -> Node:
    """The same said by what any expression has."""
    match node:
        case Call(base, "exists", (criteria,)):
            return Call(Call(base, "where", (criteria,)), "exists", ())
        case Call(base, "extension", (Literal() as url,)):
            is_it = Binary(Member(This(), "url"), "=", url)
            return Call(Member(base, "extension"), "where", (is_it,))
        case _:
            return node


def _each(parts: list[Part], type_: str, change: Callable[[Any], Any]) -> Part:
    collect = gather(parts)

    def find(item: Any, top: Top) -> list[Any]:
        return [change(v) for v in collect(item, top) if isinstance(v, str)]

    return Part(type_, find)


def _sliced(part: Part, cut: slice) -> Part:
    return Part(part.type, then(lambda item, top: part.collect(item, top)[cut], lambda v, _: [v]))


def _summed(left: Collect, right: Collect, add: Callable[[Any, Any], Any]) -> Collect:
    def find(item: Any, top: Top) -> list[Any]:
        one, other = left(item, top), right(item, top)
        return [add(one[0], other[0])] if len(one) == len(other) == 1 else []

    return find


def _repeats_repeats(pattern: str) -> bool:
    """Whether a pattern repeats what ends with a repetition, or a group that has one."""
    # ``at_once``: nothing but closing brackets since the last repetition. ``within``: one since the
    # last bracket. ``armed``: another repetition here would repeat it.
    at_once = within = armed = False
    for character in pattern:
        if armed and character in "+*{":
            return True
        if character in "+*}":
            at_once = within = armed = True
        elif character == ")":
            armed, within = at_once or within, False
        else:
            at_once = armed = False
            within = within and character not in "([]"
    return False
