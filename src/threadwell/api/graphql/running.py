"""An operation run over the store: all values of a level at once.

Every field may be null, so what fails is null by itself, beside an error that tells its path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    get_argument_values,
    get_directive_values,
)

from threadwell.api.graphql.document import Document
from threadwell.api.graphql.resolving import Item, Path, Resolving, Told, root_of
from threadwell.api.graphql.steps import step_of
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.stores.aside import Pauses

#: Values that an answer may have, and errors that are told of it.
MAX_VALUES = 300_000
MAX_ERRORS = 100

Value: TypeAlias = Any


class Result(NamedTuple):
    """What was found, and what could not be, each with its path."""

    values: dict[str, Value]
    errors: list[dict[str, Any]]


class Running:
    """One operation on its way."""

    def __init__(self, schema: GraphQLSchema, document: Document, resolving: Resolving) -> None:
        self._schema = schema
        self._document = document
        self._resolving = resolving
        self._values = 0
        self._pauses = Pauses()
        self._collected: dict[tuple[str, tuple[int, ...]], dict[str, list[FieldNode]]] = {}
        #: What was told of a part of the schema: each part is in many places of it.
        self._known: dict[Any, dict[str, Value]] = {}

    async def run(self) -> Result:
        """All of it; raises ``FhirError`` 400 where that is too much."""
        document = self._document
        root = self._schema.mutation_type if document.changes else self._schema.query_type
        assert root
        fields: dict[str, list[FieldNode]] = {}
        self._collect(root, document.operation.selection_set.selections, fields, set())
        values: dict[str, Value] = {}
        nothing = Item({}, None, {})
        for key, nodes in fields.items():
            values[key] = (await self._field(root, key, nodes, [nothing]))[0]
        told = self._resolving.told
        return Result(values, [_error(one) for one in told[:MAX_ERRORS]])

    async def _field(
        self, type_: GraphQLObjectType, key: str, nodes: list[FieldNode], items: Sequence[Item]
    ) -> list[Value]:
        """The values of one field of every item."""
        await self._count(len(items))
        name = nodes[0].name.value
        if name == "__typename":
            return [type_.name] * len(items)
        field = type_.fields.get(name) or _META[name]
        try:
            arguments = get_argument_values(field, nodes[0], self._document.variables)
        except GraphQLError as error:
            self._resolving.tell(invalid(error.message), nodes[0], key, items)
            return [None] * len(items)
        step = step_of(field)
        if step is None:
            found = [Item(_own(field, self._schema, item, arguments), None, {}) for item in items]
        else:
            found = await self._resolving.values(step, arguments, nodes[0], key, items)
        return await self._complete(field.type, nodes, found)

    async def _count(self, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise _too_much(f"An answer has at most {MAX_VALUES:,} values")
        await self._pauses.pause()

    async def _complete(
        self, type_: GraphQLOutputType, nodes: list[FieldNode], items: Sequence[Item]
    ) -> list[Value]:
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        if isinstance(type_, GraphQLList):
            return await self._complete_lists(type_.of_type, nodes, items)
        if isinstance(type_, GraphQLEnumType):
            return [type_.coerce_output_value(item.value) for item in items]
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            return [item.value for item in items]
        values: list[Value] = [None] * len(items)
        by_type: dict[GraphQLObjectType, list[int]] = {}
        for at, item in enumerate(items):
            of = self._type(type_, item.value)
            if of is not None:
                by_type.setdefault(of, []).append(at)
        for of, places in by_type.items():
            made = await self._objects(of, nodes, [items[at] for at in places])
            for at, one in zip(places, made, strict=True):
                values[at] = one
        return values

    async def _complete_lists(
        self, type_: GraphQLOutputType, nodes: list[FieldNode], items: Sequence[Item]
    ) -> list[Value]:
        inner: list[Item] = []
        sizes: list[int | None] = []
        for item in items:
            if item.value is None:
                sizes.append(None)
                continue
            listed = list(item.value)
            sizes.append(len(listed))
            for at, one in enumerate(listed):
                inner.append(Item(one, (item.path, at), item.root or root_of(one)))
        await self._count(len(inner))
        completed = iter(await self._complete(type_, nodes, inner))
        return [None if size is None else [next(completed) for _ in range(size)] for size in sizes]

    def _type(
        self, type_: GraphQLObjectType | GraphQLInterfaceType, value: Value
    ) -> GraphQLObjectType | None:
        """What a value is of; ``None`` for what is nothing."""
        if value is None:
            return None
        if isinstance(type_, GraphQLObjectType):
            return type_
        found = self._schema.get_type(str(value.get("resourceType")))
        return found if isinstance(found, GraphQLObjectType) else None

    async def _objects(
        self, type_: GraphQLObjectType, nodes: list[FieldNode], items: Sequence[Item]
    ) -> list[Value]:
        fields = self._fields(type_, nodes)
        if type_.name.startswith("__"):
            return await self._told(type_, nodes, items)
        made: list[dict[str, Value]] = [{} for _ in items]
        for key, of in fields.items():
            for into, value in zip(made, await self._field(type_, key, of, items), strict=True):
                into[key] = value
        return made

    async def _told(
        self, type_: GraphQLObjectType, nodes: list[FieldNode], items: Sequence[Item]
    ) -> list[Value]:
        """Parts of the schema, each told once and put wherever it is."""
        marks = [(type_.name, *map(id, nodes), _mark(item.value)) for item in items]
        new = {m: item for m, item in zip(marks, items, strict=True) if m not in self._known}
        made: dict[Any, dict[str, Value]] = {mark: {} for mark in new}
        for key, of in self._fields(type_, nodes).items():
            values = await self._field(type_, key, of, list(new.values()))
            for into, value in zip(made.values(), values, strict=True):
                into[key] = value
        self._known |= made
        return [self._known[mark] for mark in marks]

    def _fields(
        self, type_: GraphQLObjectType, nodes: list[FieldNode]
    ) -> dict[str, list[FieldNode]]:
        place = (type_.name, tuple(map(id, nodes)))
        found = self._collected.get(place)
        if found is None:
            found = self._collected[place] = {}
            visited: set[str] = set()
            for node in nodes:
                if node.selection_set:
                    self._collect(type_, node.selection_set.selections, found, visited)
        return found

    def _collect(
        self,
        type_: GraphQLObjectType,
        selections: Sequence[Any],
        into: dict[str, list[FieldNode]],
        visited: set[str],
    ) -> None:
        """Gather the fields that are selected of a type, by the names that they have in the answer
        (GraphQL §6.3.2).
        """
        for selection in selections:
            if not self._is_wanted(selection):
                continue
            match selection:
                case FieldNode():
                    key = selection.alias.value if selection.alias else selection.name.value
                    into.setdefault(key, []).append(selection)
                case InlineFragmentNode():
                    condition = selection.type_condition
                    if condition is None or self._fits(type_, condition.name.value):
                        self._collect(type_, selection.selection_set.selections, into, visited)
                case FragmentSpreadNode():
                    name = selection.name.value
                    fragment = self._document.fragments[name]
                    if name not in visited:
                        visited.add(name)
                        if self._fits(type_, fragment.type_condition.name.value):
                            inner = fragment.selection_set.selections
                            self._collect(type_, inner, into, visited)

    def _is_wanted(self, selection: Any) -> bool:
        variables = self._document.variables
        skip = get_directive_values(GraphQLSkipDirective, selection, variables)
        if skip and skip["if"] is True:
            return False
        include = get_directive_values(GraphQLIncludeDirective, selection, variables)
        return not (include and include["if"] is False)

    def _fits(self, type_: GraphQLObjectType, name: str) -> bool:
        return name == type_.name or any(one.name == name for one in type_.interfaces)


_META: Mapping[str, GraphQLField] = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}


def _own(field: GraphQLField, schema: GraphQLSchema, item: Item, arguments: dict[str, Any]) -> Any:
    """The value of a field that tells of the schema itself."""
    assert field.resolve
    return field.resolve(item.value, SimpleNamespace(schema=schema), **arguments)


def _mark(value: Any) -> Any:
    """The same for the same part of the schema; a part lives as long as the schema."""
    return (value[0], id(value[1])) if isinstance(value, tuple) else id(value)


def _error(told: Told) -> dict[str, Any]:
    error, node, path = told
    where = node.loc
    found: dict[str, Any] = {"message": error.issues[0].text}
    if where is not None:
        place = where.source.get_location(where.start)
        found["locations"] = [{"line": place.line, "column": place.column}]
    return {
        **found,
        "path": _listed(path),
        "extensions": {"code": error.issues[0].code},
    }


def _listed(path: Path) -> list[str | int]:
    keys: list[str | int] = []
    while path is not None:
        path, key = path
        keys.append(key)
    return keys[::-1]


def _too_much(text: str) -> FhirError:
    return FhirError(400, [Issue("too-costly", text)])
