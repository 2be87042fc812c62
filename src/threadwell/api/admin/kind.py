"""What a kind of such things is: how it is found, and what may be done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import derived_id

#: Every one of a project; the one of an id.
All: TypeAlias = Callable[[Context], Awaitable[list[Resource]]]
Find: TypeAlias = Callable[[Context, str], Awaitable[Resource | None]]
#: Makes one of a body; changes one, found as it is, to a body; ends one.
Create: TypeAlias = Callable[[Context, Request, Resource], Awaitable[Resource]]
Update: TypeAlias = Callable[[Context, Request, Resource, Resource], Awaitable[Resource]]
Delete: TypeAlias = Callable[[Context, Request, Resource], Awaitable[None]]
#: The texts of one that a search parameter looks at.
Values: TypeAlias = Callable[[Resource], Sequence[str]]

_VERSION = "https://threadwell.dev/fhir/admin-version"


@dataclass(frozen=True, slots=True)
class Kind:
    """``type`` as Medplum names it. ``texts`` are search parameters that look for the beginning of
    a text, ``exact`` those that look for all of it. What is ``None`` cannot be done.
    """

    type: str
    all: All
    find: Find
    create: Create | None = None
    update: Update | None = None
    delete: Delete | None = None
    texts: Mapping[str, Values] = field(default_factory=dict)
    exact: Mapping[str, Values] = field(default_factory=dict)


def versioned(resource: Resource, of: bytes, updated: str = "") -> Resource:
    """The same with ``meta``: a version that changes whenever ``of`` does."""
    meta: dict[str, Any] = {"versionId": derived_id(_VERSION, of.hex())}
    if updated:
        meta["lastUpdated"] = updated
    head = {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta}
    return {**head, **{k: v for k, v in resource.items() if k not in head}}


def member(name: str) -> Values:
    """The text of a member, or the reference in it."""

    def values(one: Resource) -> Sequence[str]:
        value = one.get(name)
        if isinstance(value, dict):
            value = value.get("reference")
        return (value,) if isinstance(value, str) else ()

    return values
