"""A query as it is sent, parsed, checked against the schema, and within the limits.

All that is refused is refused before anything is read: how deep it reaches, how many fields it has
with every fragment in its place, how long its text is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_variable_values,
    parse,
    validate,
)
from graphql.execution.values import VariableValues

from threadwell.fhir.outcome import FhirError, Issue, invalid

#: Characters of a query's text, tokens of it, and fields that are written in it.
MAX_TEXT = 100_000
MAX_TOKENS = 10_000
MAX_WRITTEN = 1_000
#: Pairs of fields of one name: each may have to be compared with each other.
MAX_PAIRS = 20_000
#: Fields with every fragment in its place, and how many stand within each other.
MAX_FIELDS = 5_000
MAX_DEPTH = 24
#: Mistakes that are told of a query.
_MOST = 20


@dataclass(frozen=True, slots=True)
class Document:
    """An operation that may be run, the fragments that it names, and its variables."""

    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues

    @property
    def changes(self) -> bool:
        """Is it a mutation?"""
        return self.operation.operation is OperationType.MUTATION


def read_document(
    schema: GraphQLSchema, text: str, name: str | None, variables: Mapping[str, Any]
) -> Document:
    """The operation of that ``name`` (any, if there is one only); raises ``FhirError`` 400."""
    if len(text) > MAX_TEXT:
        raise _too_costly(f"A query has at most {MAX_TEXT:,} characters")
    try:
        parsed = parse(text, max_tokens=MAX_TOKENS)
    except GraphQLError as error:
        raise invalid(error.message) from None
    operations, fragments = _parts(parsed)
    _check_written(parsed)
    if errors := validate(schema, parsed, max_errors=_MOST, hide_suggestions=True):
        raise _refused(errors)
    operation = _chosen(operations, name)
    if operation.operation is OperationType.SUBSCRIPTION:
        raise invalid("There are no subscriptions in GraphQL here")
    _check_size(operation, fragments)
    definitions = operation.variable_definitions or ()
    values = get_variable_values(
        schema, definitions, dict(variables), max_errors=_MOST, hide_suggestions=True
    )
    if isinstance(values, list):
        raise _refused(values)
    return Document(operation, fragments, values)


def _parts(
    parsed: DocumentNode,
) -> tuple[list[OperationDefinitionNode], dict[str, FragmentDefinitionNode]]:
    operations: list[OperationDefinitionNode] = []
    fragments: dict[str, FragmentDefinitionNode] = {}
    for definition in parsed.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations.append(definition)
        elif isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
    return operations, fragments


def _chosen(operations: list[OperationDefinitionNode], name: str | None) -> OperationDefinitionNode:
    if name is not None:
        operations = [one for one in operations if one.name and one.name.value == name]
        if not operations:
            raise invalid("There is no operation of that operationName")
    if len(operations) != 1:
        raise invalid("operationName must say which of several operations is meant")
    return operations[0]


def _check_written(parsed: DocumentNode) -> None:
    """Raise 400 for more than can be checked: some rules look at each pair of fields."""
    fields = 0
    names: Counter[str] = Counter()
    rest = [one.selection_set for one in parsed.definitions if hasattr(one, "selection_set")]
    level = 0
    while rest:
        level += 1
        following: list[SelectionSetNode] = []
        for selections in rest:
            for selection in selections.selections:
                fields += 1
                if isinstance(selection, FieldNode):
                    names[(selection.alias or selection.name).value] += 1
                inner = getattr(selection, "selection_set", None)
                if inner is not None:
                    following.append(inner)
        if fields > MAX_WRITTEN:
            raise _too_costly(f"A query has at most {MAX_WRITTEN:,} fields in its text")
        if sum([many * many for many in names.values()]) > MAX_PAIRS:
            raise _too_costly("A query has too many fields of one name")
        if level > MAX_DEPTH * 2:
            raise _too_deep()
        rest = following


def _check_size(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> None:
    """Raise 400 for too much. Fragments lead to no circle by now."""
    known: dict[str, tuple[int, int]] = {}

    def size(selections: SelectionSetNode | None) -> tuple[int, int]:
        fields = depth = 0
        for selection in selections.selections if selections else ():
            match selection:
                case FragmentSpreadNode():
                    name = selection.name.value
                    if name not in known:
                        known[name] = size(fragments[name].selection_set)
                    more, below = known[name]
                case InlineFragmentNode():
                    more, below = size(selection.selection_set)
                case FieldNode():
                    more, below = size(selection.selection_set)
                    more, below = more + 1, below + 1
                case _:
                    continue
            fields, depth = fields + more, max(depth, below)
        return fields, depth

    fields, depth = size(operation.selection_set)
    if fields > MAX_FIELDS:
        raise _too_costly(f"A query has at most {MAX_FIELDS:,} fields, those of fragments included")
    if depth > MAX_DEPTH:
        raise _too_deep()


def _too_deep() -> FhirError:
    return _too_costly(f"A query reaches at most {MAX_DEPTH} levels deep")


def _refused(errors: list[GraphQLError]) -> FhirError:
    issues = []
    for error in errors[:_MOST]:
        place = error.locations[0] if error.locations else None
        where = f" (line {place.line}, column {place.column})" if place else ""
        issues.append(Issue("invalid", f"{error.message}{where}"))
    return FhirError(400, issues)


def _too_costly(text: str) -> FhirError:
    return FhirError(400, [Issue("too-costly", text)])
