"""Change sets between processes: as bytes of resources, with what goes into the index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import ChangeSet, Write
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.prepare import as_sheet, work_out

#: In place of a resource whose body says all of it.
_SAID: Resource = {}


def with_worked(change_set: ChangeSet, project: str, keys: Keys | None) -> tuple[Any, ...]:
    """A change set for ``as_it_was``; with ``keys`` what its writes change in the index.

    It holds each resource no longer than until that is worked out: if nobody else does, the memory
    of one is free for the entries of the next.
    """
    every = list(change_set.writes)
    rest = change_set.unmatched, change_set.unchanged, change_set.kept
    del change_set
    worked: Sequence[object] = [None] * len(every)
    sheet = None
    if keys:
        worked, sheet = as_sheet(keys, every, work_out(keys, project, _letting_go(every)))
    writes = list(map(packed, every, worked))
    return (writes, *rest, sheet)


def _letting_go(every: list[Write]) -> Iterator[Write]:
    """The writes one by one. Of each that was had, its body stays in the list without the rest."""
    for at, write in enumerate(every):
        yield write
        if write.resource is not None:
            every[at] = replace(write, resource=_SAID)


def as_it_was(told: tuple[Any, ...]) -> ChangeSet:
    """The change set. Of a resource whose index is worked out no more than its body is there."""
    writes, *rest = told
    return ChangeSet(tuple([unpacked(*one) for one in writes]), *rest)


def packed(write: Write, worked: object) -> tuple[Any, ...]:
    """A write for ``unpacked``, with what it changes in the index, where that is worked out."""
    # The resource is told by its body as well. What was there before is told whole: where what is
    # worked out does not hold any more, it is worked out anew of both.
    members = (
        *(write.type, write.id, write.version_id, write.updated),
        *(write.resource is None, write.body, write.before, write.author, write.content),
    )
    return members, worked


def unpacked(members: Sequence[Any], worked: object) -> Write:
    """The write, as ``as_it_was`` has it."""
    type_, id_, version, updated, deleted, body, before, author, content = members
    if deleted:
        resource = None
    elif worked is None:
        resource = decode(body)
    else:
        resource = {"resourceType": type_, "id": id_}
    return Write(type_, id_, version, updated, resource, body, before, author, content, worked)
