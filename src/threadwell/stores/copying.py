"""One store's content into another: every version, byte for byte, and proof that all is there.

A copy that was interrupted is taken up by starting it again: what the target has is not written
twice. Resources keep their ids, versions, times, authors and the order of their creation.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from threadwell.fhir.json import decode
from threadwell.stores.contract import (
    START,
    ChangeSet,
    Conflict,
    Key,
    Store,
    Stored,
    StoreError,
    Version,
    Write,
)

#: Versions that are asked for at once, and at most committed at once.
_AT_ONCE = 1000
#: Kinds of private values that stay with the source: those of the processes which have it open, and
#: what is kept for a day only (files of exports).
_STAYING = (
    *("duty-beat", "duty-lease", "bulk-asked", "bulk-progress", "bulk-pieces"),
    *("bulk-import-asked", "bulk-import-progress"),
)


@dataclass(slots=True)
class Tally:
    """What a store has, counted; two stores of the same content have equal tallies.

    ``digest`` stands for every byte of every version, in whatever order they come.
    """

    projects: int = 0
    resources: int = 0
    versions: int = 0
    deletions: int = 0
    contents: int = 0
    bytes: int = 0
    private: int = 0
    digest: int = 0


#: Told what was looked at so far, and how many versions of it were new.
Progress = Callable[[Tally, int], None]


async def copy(source: Store, target: Store, progress: Progress | None = None) -> tuple[Tally, int]:
    """Bring all of ``source`` into ``target``, then look whether all is there.

    Returns what there is now, and how many versions were new. Raises ``StoreError`` if the target
    holds anything that does not come from the source, or if somebody writes to it meanwhile.
    """
    tally, new = Tally(), 0
    await target.known_as(*await source.known_as())
    for project in await source.projects():
        tally.projects += 1
        after = START
        while part := await source.versions(project, after, _AT_ONCE):
            new += await _bring(target, project, part)
            _count(tally, project, part)
            after = part[-1].position
            if progress:
                progress(tally, new)
    for kind in await _kinds(source):
        for name, value in (await source.list_private(kind)).items():
            await target.put_private(kind, name, value)
            _count_private(tally, kind, name, value)
    there = await tally_of(target)
    if there != tally:
        raise StoreError(_difference(tally, there))
    return tally, new


async def tally_of(store: Store) -> Tally:
    """What there is in a store."""
    tally = Tally()
    for project in await store.projects():
        tally.projects += 1
        after = START
        while part := await store.versions(project, after, _AT_ONCE):
            _count(tally, project, part)
            after = part[-1].position
    for kind in await _kinds(store):
        for name, value in (await store.list_private(kind)).items():
            _count_private(tally, kind, name, value)
    return tally


async def _kinds(store: Store) -> list[str]:
    # Those of a project that is not the first begin with its id (``projects.within``).
    kinds = await store.private_kinds()
    return [kind for kind in kinds if kind.rpartition(":")[2] not in _STAYING]


async def _bring(target: Store, project: str, part: Sequence[Version]) -> int:
    """Write those versions that the target lacks; how many they were."""
    lineages: defaultdict[Key, list[Version]] = defaultdict(list)
    for version in part:
        lineages[Key(version.stored.type, version.stored.id)].append(version)
    currents = await target.read_many(project, list(lineages))
    lacking = [
        (await _lacking(target, project, lineage, current), current)
        for key, lineage in lineages.items()
        for current in (currents.get(key),)
    ]
    written = 0
    # A change set writes a resource once: first comes a version of each, then the next of each.
    while lacking := [(versions, before) for versions, before in lacking if versions]:
        writes = tuple(_write(versions[0], before) for versions, before in lacking)
        try:
            await target.commit(project, ChangeSet(writes))
        except Conflict:
            raise StoreError("somebody else is writing to the target of the copy") from None
        written += len(writes)
        lacking = [(versions[1:], versions[0].stored) for versions, _ in lacking]
    return written


async def _lacking(
    target: Store, project: str, lineage: list[Version], current: Stored | None
) -> list[Version]:
    """Those versions of one resource that follow the one that is current in the target."""
    if current is None:
        if lineage[0].position.number != 1:
            raise _foreign(lineage[0].stored)
        return lineage
    for place, version in enumerate(lineage, 1):
        if version.stored.version_id == current.version_id:
            if version.stored != current:
                raise _foreign(current)
            return lineage[place:]
    _, known = await target.history(project, current.type, current.id, 1, 0)
    first, last = lineage[0].position.number, lineage[-1].position.number
    if known == first - 1:
        return lineage  # the part before ended with the version that is current
    if known > last:
        return []
    raise _foreign(current)


def _write(version: Version, before: Stored | None) -> Write:
    stored = version.stored
    return Write(
        stored.type,
        stored.id,
        stored.version_id,
        stored.updated,
        None if stored.deleted else decode(stored.body),
        stored.body,
        before,
        stored.author,
        version.content,
    )


def _count(tally: Tally, project: str, part: Iterable[Version]) -> None:
    for version in part:
        stored = version.stored
        tally.versions += 1
        tally.resources += version.position.number == 1
        tally.deletions += stored.deleted
        tally.contents += version.content is not None
        tally.bytes += len(stored.body) + len(version.content or b"")
        _add(
            tally,
            project,
            stored.type,
            stored.id,
            str(version.position.number),
            stored.version_id,
            str(stored.updated),
            str(stored.deleted),
            stored.author,
            stored.body,
            b"-" if version.content is None else b"+" + version.content,
        )


def _count_private(tally: Tally, kind: str, name: str, value: bytes) -> None:
    tally.private += 1
    _add(tally, kind, name, value)


def _add(tally: Tally, *parts: str | bytes) -> None:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        given = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(b"%d:" % len(given))
        digest.update(given)
    tally.digest = (tally.digest + int.from_bytes(digest.digest(), "big")) % (1 << 128)


def _foreign(stored: Stored) -> StoreError:
    return StoreError(
        f"the target has another {stored.type}/{stored.id} than the source: copy into an empty"
        " store, or one that an earlier copy has begun"
    )


def _difference(source: Tally, target: Tally) -> str:
    names = ("resources", "versions", "deletions", "contents", "private")
    differing = [
        f"{getattr(target, name):,} {name} for {getattr(source, name):,}"
        for name in names
        if getattr(target, name) != getattr(source, name)
    ]
    what = ", ".join(differing) or "versions of another content"
    return f"the target does not hold what the source does: {what}"
