"""The paths of a view: the house's FHIRPath, and what views have beyond it (SQL on FHIR §FHIRPath).

``%name`` of a constant, ``%rowIndex``, ``getResourceKey()``, ``getReferenceKey(Type)``,
``extension(url)``, ``join(separator)``, arithmetic, ``exists(criteria)`` and positions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.fhirpath.compare import is_number
from threadwell.fhir.fhirpath.find import text
from threadwell.fhir.fhirpath.logic import Truth
from threadwell.fhir.fhirpath.top import Top
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
from threadwell.fhir.fhirpath.truth import Compiler
from threadwell.fhir.fhirpath.values import NO_VALUE, Collect, Part, gather, this
from threadwell.fhir.views.boundaries import boundary

#: Stands for ``%rowIndex`` in a tree: no expression can call it so.
ROW_INDEX = Call(This(), "%rowIndex", ())

_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": lambda one, other: Decimal(one) / Decimal(other),
}
_ADD = _ARITHMETIC["+"]
#: The types of numbers.
_NUMBERS = frozenset({"decimal", "integer", "positiveInt", "unsignedInt"})
#: Values that are looked at to make the rows of one resource, and letters of the texts made for it.
MOST_STEPS, MOST_LETTERS = 1_000_000, 16_000_000
#: Cells of the rows that are put together for one resource; a row has room for some in any case.
MOST_CELLS, _ROOM = 4_000_000, 4
_MOST_BITS = 63
#: Nodes that the paths of one view come to: what is done to a choice is for each of its types.
_MOST_NODES = 20_000
#: The functions that take a pattern: how long one takes to be found, nobody can tell beforehand.
_PATTERNS = frozenset({"matches", "replaceMatches"})


class TooMuch(Exception):
    """A resource makes more than anybody can want; the message says of what."""


class Row(Top):
    """A resource, and which of its rows is made: ``%rowIndex``."""

    __slots__ = ("_cells", "_letters", "_steps", "index")

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.index = 0
        self._steps = self._letters = self._cells = 0

    def write(self, letters: int) -> None:
        """Count the letters of a text that is made; raises ``TooMuch``."""
        self._letters += letters
        if self._letters > MOST_LETTERS:
            raise TooMuch(f"a resource makes texts of more than {MOST_LETTERS:,} letters")

    def step(self, values: int = 1) -> None:
        """Count values that are looked at; raises ``TooMuch``."""
        self._steps += values
        if self._steps > MOST_STEPS:
            raise TooMuch(f"a resource takes more than {MOST_STEPS:,} steps")

    def put_together(self, rows: int, columns: int) -> None:
        """Count the cells of rows that are to be made; raises ``TooMuch``."""
        self._cells += rows * (columns + _ROOM)
        if self._cells > MOST_CELLS:
            raise TooMuch(f"the rows of a resource take more than {MOST_CELLS:,} cells")


class Paths(Compiler):
    """Compiles the paths of a view over resources of one type.

    ``patterns`` says whether they may have some of their own.
    """

    UNTOLD = None

    def __init__(self, top: str, *, patterns: bool) -> None:
        super().__init__(top)
        self._patterns = patterns
        self._nodes = 0

    def collect(self, node: Node, type_: str) -> Collect:
        """What finds the values of a path, seen from a value of ``type_``."""
        return _all_of(self.parts(node, type_))

    def _collect(self, node: Node, type_: str) -> Collect:
        collect = super()._collect(node, type_)
        # What is found once is counted each time that something is done with it.
        return _tallied(collect) if _leads_away(node) else collect

    def condition(self, node: Node, type_: str) -> Truth:
        """A condition; raises ``Unsupported`` for a path that is surely none."""
        kinds = {part.type for part in self.parts(_told(node), type_)}
        if kinds - {"boolean"}:
            raise Unsupported("a condition has to be true or false")
        return self.truth(node, type_)

    def truth(self, node: Node, type_: str) -> Truth:
        """As for any expression; ``exists`` may have a condition of its own."""
        match told := _told(node):
            case Call(_, name, arguments) if name in _PATTERNS:
                self._check_pattern(name, arguments)
            case Call(base, "all" | "isDistinct" as name, arguments):
                told = Call(_looked_at(base), name, arguments)
        return super().truth(told, type_)

    def parts(self, node: Node, type_: str) -> list[Part]:
        """Where the values are, as for any expression, and by what views have beyond it."""
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise Unsupported("the paths of the view come to too much")
        match node:
            case Call(base, "select", (projection,)):
                return [
                    Part(found.type, _counted(part.collect, found.collect))
                    for part in self.parts(base, type_)
                    for found in self.parts(projection, part.type)
                ]
            case Member(base, name) if _leads_away(base):
                # From an item to what is not within it: each of many items may lead to as many.
                return self.parts(Call(base, "select", (Member(This(), name),)), type_)
            case Call(base, "intersect", (others,)):
                counted = Call(_looked_at(base), "intersect", (_looked_at(others),))
                return super().parts(counted, type_)
            case Call(base, "count", ()):
                found = self.parts(base, type_)
                return [Part("integer", _number_of(_tallied(_all_of(found))))]
            case Call(base, "where", (criteria,)):
                return [self._kept(part, criteria) for part in self.parts(base, type_)]
            case Call(base, "descendants", ()):
                found = super().parts(node, type_)
                return [Part(part.type, _counted(part.collect, this)) for part in found]
            case Call(_, "combine", _) | Binary(_, "|", _):
                found = super().parts(node, type_)
                return [Part(part.type, _tallied(part.collect)) for part in found]
            case Binary(left, "&", right):
                both = self._collect(left, type_), self._collect(right, type_)
                return [_bounded(text(*both))]
            case Call(_, name, arguments) if name in _PATTERNS:
                self._check_pattern(name, arguments)
                return [_bounded(part) for part in super().parts(node, type_)]
            case Call(This(), "%rowIndex", ()):
                return [Part("integer", _row_index)]
            case Call(base, "getResourceKey", ()):
                return [_each(self.parts(base, type_), _resource_key)]
            case Call(base, "getReferenceKey", arguments) if len(arguments) < 2:
                return [_each(self.parts(base, type_), _reference_key(_type_of(arguments)))]
            case Call(base, "join", arguments) if len(arguments) < 2:
                separator = _text_of(arguments)
                return [_bounded(_joined(self.parts(base, type_), separator))]
            case Call(base, "lowBoundary" | "highBoundary" as name, ()):
                found = self.parts(base, type_)
                return [_ended(part, high=name == "highBoundary") for part in found]
            case Call(base, "last", ()):
                return [_sliced(part, slice(-1, None)) for part in self.parts(base, type_)]
            case Index(base, position):
                wanted = slice(position, position + 1)
                return [_sliced(part, wanted) for part in self.parts(base, type_)]
            case Binary(left, "+" | "-" | "*" | "/" as operator, right):
                one, other = self.parts(left, type_), self.parts(right, type_)
                are_texts = {part.type for part in (*one, *other)} - _NUMBERS
                kind = "string" if operator == "+" and are_texts else "decimal"
                both = _all_of(one), _all_of(other)
                return [_bounded(Part(kind, _reckoned(*both, _ARITHMETIC[operator])))]
            case Call() if (told := _told(node)) is not node:
                return self.parts(told, type_)
            case _:
                return super().parts(node, type_)

    def _kept(self, part: Part, criteria: Node) -> Part:
        holds = self.truth(criteria, part.type)

        def keep(item: Any, row: Top) -> list[Any]:
            return [item] if holds(item, row) else []

        return Part(part.type, _counted(part.collect, keep))

    def _check_pattern(self, name: str, arguments: tuple[Node, ...]) -> None:
        match arguments:
            case _ if not self._patterns:
                raise Unsupported(f"{name} is for views that are run by command or in Python")
            case (Literal(str() as pattern), *_):
                try:
                    re.compile(pattern)
                except (re.error, OverflowError) as error:
                    raise Unsupported(f"{name}: no pattern: {error}") from None
            case _:
                raise Unsupported(f"{name} takes a pattern that is written there")


def _all_of(parts: list[Part]) -> Collect:
    """What finds the values of all parts."""
    return gather(parts) if parts else lambda _item, _top: []


def _counted(collect: Collect, step: Collect) -> Collect:
    """The values that ``step`` finds from each of those that ``collect`` does; each is counted."""

    def find(item: Any, row: Any) -> list[Any]:
        found: list[Any] = []
        for value in collect(item, row):
            these = step(value, row)
            row.step(len(these) or 1)
            found += these
        return found

    return find


def _tallied(collect: Collect) -> Collect:
    """The same values, each of which is counted."""

    def find(item: Any, row: Any) -> list[Any]:
        found = collect(item, row)
        row.step(len(found))
        return found

    return find


def _number_of(collect: Collect) -> Collect:
    return lambda item, row: [len(collect(item, row))]


def _looked_at(node: Node) -> Node:
    """The same values, each of which is counted."""
    return Call(node, "select", (This(),))


def _leads_away(node: Node) -> bool:
    """Whether a path begins with the whole resource, or goes by a reference to another one."""
    while True:
        match node:
            case Root() | Context() | Call(_, "resolve", _):
                return True
            case Member(base) | Typed(base) | Index(base) | Call(base):
                node = base
            case _:
                return False


def _bounded(part: Part) -> Part:
    """The same, where the letters of each text among its values are counted."""

    def find(item: Any, row: Any) -> list[Any]:
        found = part.collect(item, row)
        row.write(sum(len(one) for one in found if isinstance(one, str)))
        return found

    return Part(part.type, find)


def _told(node: Node) -> Node:
    """The same said by what any expression has."""
    match node:
        case Call(base, "exists", (criteria,)):
            return Call(Call(base, "where", (criteria,)), "exists", ())
        case Call(base, "extension", (Literal() as url,)):
            is_it = Binary(Member(This(), "url"), "=", url)
            return Call(Member(base, "extension"), "where", (is_it,))
        case Call(base, "not", ()) if (inner := _told(base)) is not base:
            return Call(inner, "not", ())
        case _:
            return node


def _row_index(_: Any, top: Top) -> list[Any]:
    return [top.index if isinstance(top, Row) else 0]


def _each(parts: list[Part], change: Callable[[Any], str | None]) -> Part:
    collect = gather(parts) if parts else None

    def find(item: Any, top: Top) -> list[Any]:
        found = [] if collect is None else collect(item, top)
        return [made for value in found if (made := change(value)) is not None]

    return Part("string", find)


def _resource_key(resource: Any) -> str | None:
    if isinstance(resource, dict) and "resourceType" in resource and "id" in resource:
        return f"{resource['resourceType']}/{resource['id']}"
    return None


def _reference_key(wanted: str) -> Callable[[Any], str | None]:
    def key(reference: Any) -> str | None:
        text = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(text, str) or text.startswith("#"):
            return None
        type_, slash, id_ = "/".join(text.partition("/_history/")[0].split("/")[-2:]).partition("/")
        if not slash or type_ not in RESOURCE_TYPES or (wanted and type_ != wanted):
            return None
        return f"{type_}/{id_}"

    return key


def _type_of(arguments: tuple[Node, ...]) -> str:
    match arguments:
        case ():
            return ""
        case (Member(This(), name),) if name in RESOURCE_TYPES:
            return name
        case (Literal(str() as name),) if name in RESOURCE_TYPES:
            return name
        case _:
            raise Unsupported("getReferenceKey takes the name of a resource type")


def _text_of(arguments: tuple[Node, ...]) -> str:
    match arguments:
        case ():
            return ""
        case (Literal(str() as text),):
            return text
        case _:
            raise Unsupported("join takes a text")


def _joined(parts: list[Part], separator: str) -> Part:
    collect = gather(parts) if parts else None

    def find(item: Any, top: Top) -> list[Any]:
        found = [] if collect is None else collect(item, top)
        return [separator.join(str(value) for value in found if value is not NO_VALUE)]

    return Part("string", find)


def _ended(part: Part, *, high: bool) -> Part:
    def find(item: Any, top: Top) -> list[Any]:
        ends = [boundary(value, part.type, high=high) for value in part.collect(item, top)]
        return [one for one in ends if one is not None]

    return Part(part.type, find)


def _sliced(part: Part, which: slice) -> Part:
    return Part(part.type, lambda item, top: part.collect(item, top)[which])


def _reckoned(left: Collect, right: Collect, reckon: Callable[[Any, Any], Any]) -> Collect:
    def find(item: Any, top: Top) -> list[Any]:
        one, other = left(item, top), right(item, top)
        if len(one) != 1 or len(other) != 1 or NO_VALUE in (one[0], other[0]):
            return []
        texts = isinstance(one[0], str) and isinstance(other[0], str) and reckon is _ADD
        if not texts and not (is_number(one[0]) and is_number(other[0])):
            return []
        try:
            made = reckon(one[0], other[0])
        except (TypeError, ArithmeticError):
            # FHIRPath has nothing where a number is too large (N1 §6.6).
            return []
        return [] if isinstance(made, int) and made.bit_length() > _MOST_BITS else [made]

    return find
