"""What may be asked: R4's types and search parameters as a GraphQL schema.

It is made of the definitions when the first query comes, once in a process. A resource of any type
has the lists of those that refer to it; each list is one field, that all types share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from threading import Lock

from graphql import (
    GraphQLArgument,
    GraphQLArgumentMap,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFieldMap,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    assert_valid_schema,
)

from threadwell.api.graphql.steps import Change, Member, Read, Search, Target, Verb, leading
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.definitions.structures import elements, primitive
from threadwell.fhir.search.field import field, has_field
from threadwell.fhir.search.filter_expression import FILTER

#: Arguments of a list of elements, and of a search, that are no parameters of what they choose.
COUNT, OFFSET, SORT, CURSOR, REFERENCE, FHIRPATH = (
    "_count",
    "_offset",
    "_sort",
    "_cursor",
    "_reference",
    "fhirpath",
)
_INTEGERS = frozenset({"integer", "unsignedInt", "positiveInt"})
_SCALARS = {
    "boolean": GraphQLBoolean,
    "decimal": GraphQLFloat,
    "id": GraphQLID,
    **dict.fromkeys(_INTEGERS, GraphQLInt),
}
_lock = Lock()


def schema() -> GraphQLSchema:
    """The schema of the server. The first call takes some seconds."""
    with _lock:
        return _schema()


def is_made() -> bool:
    """Has the first call been?"""
    return _schema.cache_info().currsize > 0


@cache
def parameters(type_: str) -> Mapping[str, str]:
    """The search parameters of a type by their names in GraphQL, which has no hyphens."""
    return {
        code.replace("-", "_"): code for code in search_parameters(type_) if has_field(type_, code)
    }


@cache
def _schema() -> GraphQLSchema:
    made = _Builder().build()
    # Else the first query would have to wait for it.
    assert_valid_schema(made)
    return made


class _Builder:
    def __init__(self) -> None:
        self._resource = GraphQLInterfaceType("Resource", lambda: self._shared())
        self._types: dict[str, GraphQLObjectType] = {}
        self._navigation: dict[str, GraphQLArgumentMap] = {}
        self._types_in_order = sorted(RESOURCE_TYPES)
        self._searches = {type_: self._search_arguments(type_) for type_ in self._types_in_order}
        #: For each type the lists of what may refer to it, by their names.
        self._referring: dict[str, GraphQLFieldMap] = defaultdict(dict)

    def build(self) -> GraphQLSchema:
        for source in self._types_in_order:
            self._refer(source)
        reads: GraphQLFieldMap = {}
        changes: GraphQLFieldMap = {}
        for type_ in self._types_in_order:
            reads |= self._reads(type_)
            changes |= self._changes(type_)
        types = [self._object(type_) for type_ in self._types_in_order]
        return GraphQLSchema(
            query=GraphQLObjectType("Query", reads),
            mutation=GraphQLObjectType("Mutation", changes),
            types=types,
        )

    def _reads(self, type_: str) -> GraphQLFieldMap:
        of_type = self._object(type_)
        edge = GraphQLObjectType(
            f"{type_}Edge",
            {
                "mode": _member("mode", "code", GraphQLString),
                "score": _member("score", "decimal", GraphQLFloat),
                "resource": _member("resource", type_, of_type),
            },
        )
        numbers = ("count", "offset", "pageSize")
        connection = GraphQLObjectType(
            f"{type_}Connection",
            {
                **{name: _member(name, "integer", GraphQLInt) for name in numbers},
                **{
                    name: _member(name, "string", GraphQLID)
                    for name in ("first", "previous", "next", "last")
                },
                "edges": leading(GraphQLField(GraphQLList(edge)), Member("edges", "", many=False)),
            },
        )
        arguments = self._searches[type_]
        paged = {**arguments, CURSOR: GraphQLArgument(GraphQLString)}
        by_id: GraphQLArgumentMap = {"id": GraphQLArgument(GraphQLNonNull(GraphQLID))}
        return {
            type_: leading(GraphQLField(of_type, by_id), Read(type_)),
            f"{type_}List": leading(GraphQLField(GraphQLList(of_type), arguments), Search(type_)),
            f"{type_}Connection": leading(
                GraphQLField(connection, paged), Search(type_, pages=True)
            ),
        }

    def _changes(self, type_: str) -> GraphQLFieldMap:
        of_type = self._object(type_)
        id_ = GraphQLArgument(GraphQLNonNull(GraphQLID))
        made: GraphQLFieldMap = {}
        for verb in Verb:
            name = f"{type_}{verb.value}"
            arguments: GraphQLArgumentMap = {} if verb is Verb.CREATE else {"id": id_}
            if verb is not Verb.DELETE:
                # A resource is checked against its definitions when it is written.
                body = GraphQLScalarType(name, description=f"A {type_} as its JSON")
                arguments["res"] = GraphQLArgument(GraphQLNonNull(body))
            made[name] = leading(GraphQLField(of_type, arguments), Change(type_, verb))
        return made

    def _search_arguments(self, type_: str) -> GraphQLArgumentMap:
        text = GraphQLArgument(GraphQLString)
        number = GraphQLArgument(GraphQLInt)
        return {
            COUNT: number,
            OFFSET: number,
            SORT: text,
            FILTER: text,
            **dict.fromkeys(parameters(type_), text),
        }

    def _refer(self, source: str) -> None:
        """Give each type that ``source`` may refer to its list."""
        references: dict[str, tuple[str, ...]] = {
            name: field(source, code).targets
            for name, code in parameters(source).items()
            if search_parameters(source)[code].type == "reference"
        }
        if not references:
            return
        chosen = GraphQLEnumType(
            f"{source}Reference", {name: parameters(source)[name] for name in references}
        )
        arguments = {
            REFERENCE: GraphQLArgument(GraphQLNonNull(chosen)),
            **self._searches[source],
        }
        found = GraphQLField(GraphQLList(self._object(source)), arguments)
        leading(found, Search(source, reverse=True))
        for target in {target for targets in references.values() for target in targets}:
            self._referring[target][f"{source}List"] = found

    def _shared(self) -> GraphQLFieldMap:
        return self._members("Resource")

    def _object(self, type_: str) -> GraphQLObjectType:
        """The type of a FHIR type, or of a backbone element by its path."""
        made = self._types.get(type_)
        if made is None:
            is_resource = type_ in RESOURCE_TYPES
            made = GraphQLObjectType(
                _name(type_),
                lambda: self._fields(type_),
                interfaces=[self._resource] if is_resource else [],
            )
            self._types[type_] = made
        return made

    def _fields(self, type_: str) -> GraphQLFieldMap:
        found = self._members(type_)
        if type_ == "Reference":
            arguments: GraphQLArgumentMap = {
                "optional": GraphQLArgument(GraphQLBoolean),
                "type": GraphQLArgument(GraphQLString),
            }
            found["resource"] = leading(GraphQLField(self._resource, arguments), Target())
        return found | self._referring.get(type_, {})

    def _members(self, type_: str) -> GraphQLFieldMap:
        found: GraphQLFieldMap = {}
        if type_ in RESOURCE_TYPES or type_ == "Resource":
            found["resourceType"] = _member("resourceType", "code", GraphQLString)
        for element in elements(type_):
            for name, of in element.json_names().items():
                kind = self._kind(of, name)
                if not element.many:
                    found[name] = _member(name, of, kind)
                    continue
                made = GraphQLField(GraphQLList(kind), self._navigated(of))
                found[name] = leading(made, Member(name, of, many=True))
        return found

    def _kind(self, type_: str, name: str) -> GraphQLOutputType:
        if name == "id":
            return GraphQLID
        if type_ == "Resource":
            return self._resource
        if primitive(type_):
            return _SCALARS.get(type_, GraphQLString)
        return self._object("Quantity" if type_ == "SimpleQuantity" else type_)

    def _navigated(self, type_: str) -> GraphQLArgumentMap:
        """What a list of that type may be narrowed by (FHIR R4 graphql.html#list)."""
        made = self._navigation.get(type_)
        if made is None:
            number = GraphQLArgument(GraphQLInt)
            made = {COUNT: number, OFFSET: number}
            if not primitive(type_) and type_ != "Resource":
                text = GraphQLArgument(GraphQLString)
                made[FHIRPATH] = text
                for element in elements(type_):
                    for name, of in element.json_names().items():
                        if primitive(of) and not element.many:
                            made[name] = text
            self._navigation[type_] = made
        return made


def _member(name: str, type_: str, kind: GraphQLOutputType) -> GraphQLField:
    return leading(GraphQLField(kind), Member(name, type_, many=False))


def _name(type_: str) -> str:
    """``Communication.payload`` is ``CommunicationPayload``, as Medplum calls it."""
    return "".join(part[0].upper() + part[1:] for part in type_.split("."))
