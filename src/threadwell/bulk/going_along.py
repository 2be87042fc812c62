"""What goes along with what is expunged: its files, and held messages that say the same words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.intake.circles.place import child_id, thread_of
from threadwell.intake.held.hold import MESSAGE_TYPE, decode_message
from threadwell.intake.held.listing import TWIN, is_held, quarantined
from threadwell.intake.links import as_key
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.people.writers import where_it_stands
from threadwell.intake.sameness import SAME
from threadwell.stores.contract import START, Key, Store, Stored

#: Versions that are looked through at a time.
AT_ONCE = 500
# A reference may be a whole URL, and of one version.
_BINARY = re.compile(rb'"(?:[^"]*/)?Binary/([A-Za-z0-9\-.]{1,64})(?:/_history/[^"]*)?"')


def files_in(stored: Stored) -> set[str]:
    """The ids of the Binaries that a version refers to."""
    return {match.decode() for match in _BINARY.findall(stored.body)}


async def versions_of(store: Store, project: str, key: Key) -> AsyncIterator[Stored]:
    """All versions of a resource, the latest first."""
    offset = 0
    while True:
        some, total = await store.history(project, *key, AT_ONCE, offset)
        for version in some:
            yield version
        offset += len(some)
        if not some or offset >= total:
            return


async def shared_files(store: Store, project: str, going: set[Key]) -> set[str]:
    """Those files of what goes that something has, or had, which stays.

    All that the project has is read for it, where there are files.
    """
    files: set[str] = set()
    for key in going:
        async for version in versions_of(store, project, key):
            files |= files_in(version)
    shared: set[str] = set()
    after = START
    while files and (versions := await store.versions(project, after, AT_ONCE)):
        for one in versions:
            if Key(one.stored.type, one.stored.id) not in going:
                shared |= files & files_in(one.stored)
        after = versions[-1].position
    return shared


async def held_for(store: Store, project: str, messages: Iterable[Key]) -> dict[Key, Key | None]:
    """The Tasks in which the words of messages are, too: each that it waited in itself, and those
    that hold what may be the same message, come by another way. Each with what the message that it
    holds is, or would become (``None`` where that cannot be told).
    """
    found: dict[Key, Stored] = {}
    for some in chunks(key for key in messages if key.type == "Communication"):
        targets = tuple(ReferenceMatch(key.type, key.id, "") for key in some)
        query = Query("Task", (ReferenceFilter("focus", targets),))
        async for stored in search_all(store, project, query):
            if is_held(stored) and _may_be_the_same(decode(stored.body)):
                found[Key("Task", stored.id)] = stored
        for key in some:
            own = await store.read_many(project, await _waited_in(store, project, key))
            found |= {one: task for one, task in own.items() if is_held(task)}
    return {key: await held_in(store, project, stored) for key, stored in found.items()}


def _may_be_the_same(task: Resource) -> bool:
    """Whether a Task holds what may be its focus, and nobody has said that it is another one."""
    answers = [one for one in task.get("output") or () if one["type"].get("text") == SAME]
    is_another = any(one.get("valueBoolean") is False for one in answers)
    return quarantined(task).reason == TWIN and not is_another


async def held_among(store: Store, project: str, keys: Iterable[Key]) -> dict[Key, Key | None]:
    """Those Tasks of the keys that hold a message, each with what that is, or would become."""
    found: dict[Key, Key | None] = {}
    for key in (one for one in keys if one.type == "Task"):
        async for version in versions_of(store, project, key):
            if not version.deleted:
                if is_held(version):
                    found[key] = await held_in(store, project, version)
                break
    return found


async def _waited_in(store: Store, project: str, message: Key) -> list[Key]:
    """The Tasks that may have held a message: it stands under one of several ids there."""
    ids: dict[str, None] = {}
    async for version in versions_of(store, project, message):
        if version.deleted:
            continue
        body = decode(version.body)
        threads = [""]
        for parent in body.get("partOf") or ():
            header = await _latest(store, project, as_key(parent.get("reference", "")))
            thread = thread_of(header) if header else None
            threads += [thread.id] if thread else []
        for thread_id in threads:
            at = where_it_stands(body, thread_id, by_references=not thread_id)
            ids.update((one.id, None) for one in at.messages)
    return [Key("Task", id_) for id_ in ids]


async def _latest(store: Store, project: str, key: Key) -> Resource | None:
    """What a resource says, or has said last."""
    async for version in versions_of(store, project, key):
        if not version.deleted:
            body: Resource = decode(version.body)
            return body
    return None


async def held_in(store: Store, project: str, task: Stored) -> Key | None:
    """What the message is that a Task holds, or would become; ``None`` where it holds none."""
    content = as_key(quarantined(decode(task.body)).content)
    async for version in versions_of(store, project, content):
        if not version.deleted and decode(version.body).get("contentType") == MESSAGE_TYPE:
            written = await store.content(project, content.id, version.version_id)
            if written is not None:
                return Key("Communication", child_id(decode_message(written)))
    return None
