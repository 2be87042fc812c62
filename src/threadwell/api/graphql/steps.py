"""What a field of the schema leads to. Each field has one, in its ``extensions``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from graphql import GraphQLField

_STEP = "step"


@dataclass(frozen=True, slots=True)
class Member:
    """An element of what it stands in: by its JSON name. ``type`` is its FHIR type."""

    name: str
    type: str
    many: bool


@dataclass(frozen=True, slots=True)
class Target:
    """The resource that a Reference leads to."""


@dataclass(frozen=True, slots=True)
class Read:
    """The resource of a type that has the id of the arguments."""

    type: str


@dataclass(frozen=True, slots=True)
class Search:
    """The resources of a type that a search finds.

    ``pages``: as a connection, which tells of further pages. ``reverse``: those that refer to the
    resource that it stands in.
    """

    type: str
    pages: bool = False
    reverse: bool = False


class Verb(Enum):
    """What a mutation does."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


@dataclass(frozen=True, slots=True)
class Change:
    """A resource of a type that is written."""

    type: str
    verb: Verb


Step: TypeAlias = Member | Target | Read | Search | Change


def leading(field: GraphQLField, step: Step) -> GraphQLField:
    """The field, which leads there."""
    field.extensions = {_STEP: step}
    return field


def step_of(field: GraphQLField) -> Step | None:
    """Where a field leads; ``None`` for those that GraphQL has itself."""
    found: Step | None = field.extensions.get(_STEP)
    return found
