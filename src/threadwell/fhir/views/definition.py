"""A ``ViewDefinition`` → columns, and the rows of a resource (SQL on FHIR 2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any, TypeAlias

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.fhirpath.logic import Truth
from threadwell.fhir.fhirpath.parse import parse_outside
from threadwell.fhir.fhirpath.tree import Literal, Node, Unsupported
from threadwell.fhir.fhirpath.values import NO_VALUE, Part
from threadwell.fhir.resource import Resource
from threadwell.fhir.views.paths import ROW_INDEX, Paths, Row, TooMuch

#: What a column, and a constant, may be called.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: Rows of one resource beyond which a view is broken off.
MOST_ROWS = 100_000
#: Columns of a table, conditions, constants, branches of a union, and selections within each other.
MOST, _MOST_NESTED = 200, 10
#: Columns and selections that are read: what is in ``forEach`` is for each of the types that its
#: elements may have.
_MOST_READ = 4_000
#: How deep ``repeat`` goes.
_DEEPEST = 100

#: Some of the cells of a row, by the names of their columns.
Cells: TypeAlias = dict[str, Any]
_Make: TypeAlias = Callable[[Any, Row], list[Cells]]


class BadView(ValueError):
    """A view that cannot be run; the message says where, and why."""


class SeveralValues(Exception):
    """The cell of a column would have several values; the message names the column."""

    def __init__(self, column: str) -> None:
        super().__init__(f"{column} has several values: make it a collection, or ask for first()")


@dataclass(frozen=True, slots=True)
class Column:
    """``type`` is FHIR's, ``""`` where nobody has said it. ``many``: its cells are lists."""

    name: str
    type: str = ""
    many: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What a ViewDefinition says, ready to be run."""

    name: str
    resource: str
    columns: tuple[Column, ...]
    _where: tuple[Truth, ...]
    _make: _Make

    def rows(self, resource: Resource) -> list[Cells]:
        """The rows of a resource of the type ``resource``; raises ``TooMuch``,
        ``SeveralValues``.
        """
        row = Row(resource)
        if any(not holds(resource, row) for holds in self._where):
            return []
        return self._make(resource, row)


@dataclass(frozen=True, slots=True)
class _Selection:
    columns: tuple[Column, ...]
    make: _Make


def compiled(view: Any, *, patterns: bool = True) -> View:
    """The view of a ViewDefinition as JSON; raises ``BadView``.

    ``patterns`` says whether it may look for regular expressions of its own, which may take any
    time: only where whoever wrote the view is the one who waits for it.
    """
    if not isinstance(view, dict):
        raise BadView("a ViewDefinition is a JSON object")
    resource = view.get("resource")
    if not isinstance(resource, str) or resource not in RESOURCE_TYPES:
        raise BadView("ViewDefinition.resource has to be a resource type of R4")
    reader = _Reader(resource, _constants(view.get("constant", [])), patterns=patterns)
    where = tuple(reader.conditions(view.get("where", [])))
    selects = view.get("select")
    if not isinstance(selects, list) or not selects:
        raise BadView("ViewDefinition.select has to be there")
    whole = reader.joined([], selects, [], resource, "ViewDefinition")
    if len(whole.columns) > MOST:
        raise BadView(f"ViewDefinition.select has more than {MOST} columns")
    name = view.get("name")
    return View(name if isinstance(name, str) else "", resource, whole.columns, where, whole.make)


def _constants(given: Any) -> dict[str, Node]:
    found: dict[str, Node] = {"rowIndex": ROW_INDEX}
    for at, one in enumerate(_list(given, "ViewDefinition.constant")):
        path = f"ViewDefinition.constant[{at}]"
        values = [value for name, value in one.items() if name.startswith("value")]
        name = one.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(values) != 1:
            raise BadView(f"{path} has a name and one value")
        (value,) = values
        if not isinstance(value, str | bool | int | float | Decimal):
            raise BadView(f"{path} has a value of a primitive type")
        found[name] = Literal(Decimal(str(value)) if isinstance(value, float) else value)
    return found


class _Reader:
    def __init__(self, resource: str, variables: Mapping[str, Node], *, patterns: bool) -> None:
        self._variables = variables
        self._paths = Paths(resource, patterns=patterns)
        self._resource = resource
        self._nested = self._read = 0

    def conditions(self, given: Any) -> Iterator[Truth]:
        for at, one in enumerate(_list(given, "ViewDefinition.where")):
            path = f"ViewDefinition.where[{at}].path"
            node = self._parsed(one.get("path"), path)
            try:
                yield self._paths.condition(node, self._resource)
            except Unsupported as error:
                raise BadView(f"{path}: {error}") from None

    def joined(self, columns: Any, selects: Any, unions: Any, type_: str, path: str) -> _Selection:
        """Columns beside selections beside a union: each row of one with each of the others."""
        found: list[_Selection] = []
        if columns:
            found.append(self._columns(columns, type_, path))
        for at, one in enumerate(_list(selects, f"{path}.select")):
            found.append(self.select(one, type_, f"{path}.select[{at}]"))
        if unions:
            found.append(self._union(unions, type_, path))
        names = [column.name for one in found for column in one.columns]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise BadView(f"{path}: there are two columns {twice}")
        if len(found) == 1:
            return found[0]
        makes = [one.make for one in found]
        width = len(names)

        def make(item: Any, row: Row) -> list[Cells]:
            each = [one(item, row) for one in makes]
            count = 1
            for some in each:
                count *= len(some)
            if count > MOST_ROWS:
                raise _too_many_rows()
            row.put_together(count, width)
            made: list[Cells] = []
            for combination in product(*each):
                cells: Cells = {}
                for part in combination:
                    cells.update(part)
                made.append(cells)
            return made

        return _Selection(tuple(column for one in found for column in one.columns), make)

    def select(self, one: Any, type_: str, path: str) -> _Selection:
        if self._nested == _MOST_NESTED:
            raise BadView(f"{path} is within more than {_MOST_NESTED} others")
        self._nested += 1
        try:
            return self._select(one, type_, path)
        finally:
            self._nested -= 1

    def _select(self, one: Any, type_: str, path: str) -> _Selection:
        self._count(1)
        ways = [name for name in ("forEach", "forEachOrNull", "repeat") if name in one]
        if len(ways) > 1:
            raise BadView(f"{path} has {' and '.join(ways)}: one of them is allowed")

        def inside(of: str) -> _Selection:
            return self.joined(
                one.get("column", []), one.get("select", []), one.get("unionAll", []), of, path
            )

        if not ways:
            return inside(type_)
        if ways[0] == "repeat":
            return self._repeat(one["repeat"], inside, type_, f"{path}.repeat")
        return self._for_each(one[ways[0]], inside, type_, path, or_null=ways[0] != "forEach")

    def _count(self, read: int) -> None:
        self._read += read
        if self._read > _MOST_READ:
            raise BadView(f"the view comes to more than {_MOST_READ:,} columns and selections")

    def _for_each(
        self,
        given: Any,
        inside: Callable[[str], _Selection],
        type_: str,
        path: str,
        *,
        or_null: bool,
    ) -> _Selection:
        parts = self._found(given, type_, path)
        each = [(part, inside(part.type)) for part in parts]
        columns = each[0][1].columns if each else ()
        nothing: Cells = {column.name: [] if column.many else None for column in columns}
        # Of a row without an element only its place is known.
        absent = inside(parts[0].type) if parts else None

        def make(item: Any, row: Row) -> list[Cells]:
            before, made, at = row.index, [], 0
            for part, selection in each:
                for value in part.collect(item, row):
                    row.step()
                    if value is not NO_VALUE:
                        row.index = at
                        made += selection.make(value, row)
                        at += 1
                    if len(made) > MOST_ROWS:
                        raise _too_many_rows()
            if not at and or_null:
                row.index = 0
                made = absent.make({}, row) if absent else []
                made = made or [nothing]
            row.index = before
            return made

        return _Selection(columns, make)

    def _repeat(
        self, given: Any, inside: Callable[[str], _Selection], type_: str, path: str
    ) -> _Selection:
        if not isinstance(given, list) or not given or len(given) > MOST:
            raise BadView(f"{path} is a list of paths, {MOST} at most")
        nodes = [self._parsed(one, path) for one in given]
        known: dict[str, tuple[list[Part], _Selection]] = {}

        def below(of: str, *, first: bool = False) -> tuple[list[Part], _Selection]:
            if of not in known:
                parts: list[Part] = []
                failed: list[Unsupported] = []
                for node in nodes:
                    try:
                        parts += self._paths.parts(node, of)
                    except Unsupported as error:
                        failed.append(error)
                if first and len(failed) == len(nodes):
                    raise BadView(f"{path}: {failed[0]}")
                known[of] = parts, inside(of) if not first else _Selection((), _no_rows)
            return known[of]

        parts, _ = below(type_, first=True)
        columns = below(parts[0].type)[1].columns if parts else ()

        def walk(parts: Sequence[Part], item: Any, row: Row, made: list[Cells], depth: int) -> None:
            for part in parts:
                for value in part.collect(item, row):
                    row.step()
                    row.index += 1
                    deeper, selection = below(part.type)
                    made += selection.make(value, row)
                    if len(made) > MOST_ROWS or depth > _DEEPEST:
                        raise _too_many_rows()
                    walk(deeper, value, row, made, depth + 1)

        def make(item: Any, row: Row) -> list[Cells]:
            before = row.index
            made: list[Cells] = []
            row.index = -1
            walk(parts, item, row, made, 0)
            row.index = before
            return made

        return _Selection(columns, make)

    def _union(self, given: Any, type_: str, path: str) -> _Selection:
        branches = [
            self.select(one, type_, f"{path}.unionAll[{at}]")
            for at, one in enumerate(_list(given, f"{path}.unionAll"))
        ]
        first = branches[0].columns
        for at, branch in enumerate(branches):
            if [one.name for one in branch.columns] != [one.name for one in first]:
                raise BadView(f"{path}.unionAll[{at}] has other columns than the first")

        def make(item: Any, row: Row) -> list[Cells]:
            made: list[Cells] = []
            for branch in branches:
                made += branch.make(item, row)
                if len(made) > MOST_ROWS:
                    raise _too_many_rows()
            return made

        return _Selection(first, make)

    def _columns(self, given: Any, type_: str, path: str) -> _Selection:
        found: list[tuple[Column, Callable[[Any, Row], list[Any]]]] = []
        columns = _list(given, f"{path}.column")
        self._count(len(columns))
        for at, one in enumerate(columns):
            where = f"{path}.column[{at}]"
            name, many = one.get("name"), one.get("collection") is True
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise BadView(f"{where}.name has letters, digits and underscores")
            node = self._parsed(one.get("path"), f"{where}.path")
            try:
                parts = self._paths.parts(node, type_)
                collect = self._paths.collect(node, type_)
            except Unsupported as error:
                raise BadView(f"{where}.path: {error}") from None
            said = one.get("type")
            kinds = {part.type for part in parts}
            kind = said if isinstance(said, str) else kinds.pop() if len(kinds) == 1 else ""
            found.append((Column(name, kind.rpartition("/")[2], many), collect))
        width = len(found)

        def make(item: Any, row: Row) -> list[Cells]:
            row.put_together(1, width)
            cells: Cells = {}
            for column, collect in found:
                values = [value for value in collect(item, row) if value is not NO_VALUE]
                if column.many:
                    row.step(len(values))
                    cells[column.name] = values
                elif len(values) > 1:
                    raise SeveralValues(column.name)
                else:
                    cells[column.name] = values[0] if values else None
            return [cells]

        return _Selection(tuple(column for column, _ in found), make)

    def _found(self, given: Any, type_: str, path: str) -> list[Part]:
        try:
            return self._paths.parts(self._parsed(given, path), type_)
        except Unsupported as error:
            raise BadView(f"{path}: {error}") from None

    def _parsed(self, given: Any, path: str) -> Node:
        if not isinstance(given, str) or not given.strip():
            raise BadView(f"{path} is a path")
        try:
            return parse_outside(given, self._variables)
        except Unsupported as error:
            raise BadView(f"{path}: {error}") from None


def _too_many_rows() -> TooMuch:
    return TooMuch(f"a resource makes more than {MOST_ROWS:,} rows")


def _no_rows(_item: Any, _row: Row) -> list[Cells]:
    return []


def _list(given: Any, path: str) -> list[Any]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise BadView(f"{path} is a list of objects")
    if len(given) > MOST:
        raise BadView(f"{path} has more than {MOST}")
    return given
