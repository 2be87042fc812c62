"""Resources are removed for good: all versions, files, and what the server keeps of their words.

Each part is deleted first, as by anybody, so that circles, subscribers and pages take note of it,
and then taken out of the store. What is begun and not finished goes on when it is asked for again:
a patient is the last to go. What was expunged is marked, so that no import brings it back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from threadwell.audit.patients import patients_in, referred
from threadwell.encounters.child_ids import own_of
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.fhir.stamp import Clock, new_id
from threadwell.intake.circles.tails import KIND as TAIL
from threadwell.intake.circles.tails import tail_name
from threadwell.intake.expunged import marks_of, which_were
from threadwell.intake.links import circle_of
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.repeats import KIND as REPEAT
from threadwell.intake.repeats import repeats_name
from threadwell.stores.contract import (
    START,
    ChangeSet,
    Conflict,
    Kept,
    Key,
    Position,
    Store,
    Stored,
    Version,
    Write,
)

#: Resources that are removed by one commit.
_TOGETHER = 100
#: Versions that are looked through at a time.
_AT_ONCE = 500
_ATTEMPTS = 10
#: How often it is looked for what was written meanwhile: somebody may write without end.
_ROUNDS = 3
# A reference may be a whole URL, and of one version.
_BINARY = re.compile(rb'"(?:[^"]*/)?Binary/([A-Za-z0-9\-.]{1,64})(?:/_history/[^"]*)?"')
_NAME = re.compile(r"^(?:.*/)?([A-Z][A-Za-z]*/[A-Za-z0-9\-.]{1,64})(?:/_history/.*)?$")
#: What is never expunged with a patient: who saw and changed what.
_KEPT = frozenset({"AuditEvent"})

#: Called before a part is taken out of the store, with what is: it may still be read then.
Before = Callable[[], Awaitable[object]]


class NotThere(ValueError):
    """There is no such resource, or it was expunged before."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no {name}: it never was there, or was expunged before")


@dataclass(slots=True)
class Expunged:
    """How many resources were removed, by type; and those that another patient's record needs."""

    removed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    left: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Of all types."""
        return sum(self.removed.values())


def _files_in(stored: Stored) -> set[str]:
    """The ids of the Binaries that a version refers to."""
    return {match.decode() for match in _BINARY.findall(stored.body)}


def _patients_of(resource: Resource) -> set[str]:
    """Those in whose compartment it is; of a Task, whom it is for."""
    found = set(patients_in(resource))
    if resource["resourceType"] == "Task":
        found |= set(referred(resource.get("for")))
    return found


def _words_of(project: str, body: Resource) -> Iterator[Kept]:
    """What is removed along with a resource of what the server keeps for itself: it has words or
    addresses of it.
    """
    if circle := circle_of(body):
        yield Kept(TAIL, tail_name(project, circle), None)
    own = own_of(body) if body.get("resourceType") == "Communication" else None
    if own is not None:
        yield Kept(REPEAT, repeats_name(project, own.channel, own.external_id), None)


@dataclass(slots=True)
class Expunging:
    """``author`` is the reference of who has it done, ``""`` for nobody."""

    store: Store
    project: str
    clock: Clock
    author: str
    before: Before
    done: Expunged = field(default_factory=Expunged)
    #: Files that others have; ``None`` where only messages are looked at for that.
    shared: set[str] | None = None

    async def one(self, key: Key) -> Expunged:
        """Remove one resource; with a message its files, where no other message has them.

        Raises ``NotThere``, and ``Conflict`` where others keep writing to it.
        """
        if not await self.store.read_many(self.project, [key]):
            raise NotThere(f"{key.type}/{key.id}")
        await self._remove([key])
        return self.done

    async def all_of(self, patient: str) -> Expunged:
        """Remove a patient with all that is in their compartment, the Tasks about them, and what
        is told of these by Provenance; deleted resources as well. What is in another patient's
        compartment, too, is left.

        All that the project has is read for it, and again where there are files; then what was
        written meanwhile. A patient who is gone may be asked for again, if more came since. Raises
        as ``one``.
        """
        me = Key("Patient", patient)
        there = bool(await self.store.read_many(self.project, [me]))
        if not there and not await which_were(self.store, [me]):
            raise NotThere(f"Patient/{patient}")
        found, after = await self._all_about(patient, START)
        for _ in range(_ROUNDS):
            if not found and not there:
                break
            self.shared = await self._shared(found | {me})
            for some in chunks(sorted(found - {me}), _TOGETHER):
                await self._remove(some)
            if there:
                await self._remove([me])
            there = False
            found, after = await self._all_about(patient, after)
        if not self.done.count:
            raise NotThere(f"Patient/{patient}")
        return self.done

    async def _all_about(self, patient: str, after: Position) -> tuple[set[Key], Position]:
        """Those about that patient, of what has its place after that one; and the last place."""
        found: set[Key] = set()
        named = f"Patient/{patient}".encode()
        while versions := await self.store.versions(self.project, after, _AT_ONCE):
            found |= await self._about(
                patient, (one for one in versions if named in one.stored.body)
            )
            after = versions[-1].position
        return found, after

    async def _shared(self, going: set[Key]) -> set[str]:
        """Those files of what goes that something has, or had, which stays."""
        files: set[str] = set()
        for key in going:
            async for version in self._versions(key):
                files |= _files_in(version)
        shared: set[str] = set()
        after = START
        while files and (versions := await self.store.versions(self.project, after, _AT_ONCE)):
            for one in versions:
                if Key(one.stored.type, one.stored.id) not in going:
                    shared |= files & _files_in(one.stored)
            after = versions[-1].position
        return shared

    async def _about(self, patient: str, versions: Iterable[Version]) -> set[Key]:
        """Those of which the last words are about that patient, and about no other."""
        named = {Key(one.stored.type, one.stored.id) for one in versions}
        named = {key for key in named if key.type not in _KEPT}
        out: set[Key] = set()
        last_words = await self._last_words(named)
        patients = {key: _patients_of(last) for key, last in last_words.items()}
        others = {Key("Patient", one) for about in patients.values() for one in about}
        nobody = {
            one.id for one in await which_were(self.store, others - {Key("Patient", patient)})
        }
        for key in last_words:
            about = patients[key] - nobody
            if about == {patient} or key == Key("Patient", patient):
                out.add(key)
            elif patient in about:
                name = f"{key.type}/{key.id}"
                if name not in self.done.left:
                    self.done.left.append(name)
        return out

    async def _last_words(self, keys: Iterable[Key]) -> dict[Key, Resource]:
        """What resources say now; those that are deleted, what they said before."""
        wanted = list(keys)
        out: dict[Key, Resource] = {}
        for key, stored in (await self.store.read_many(self.project, wanted)).items():
            if not stored.deleted:
                out[key] = decode(stored.body)
                continue
            async for version in self._versions(key):
                if not version.deleted:
                    out[key] = decode(version.body)
                    break
        return out

    async def _versions(self, key: Key) -> AsyncIterator[Stored]:
        offset = 0
        while True:
            some, total = await self.store.history(self.project, *key, _AT_ONCE, offset)
            for version in some:
                yield version
            offset += len(some)
            if not some or offset >= total:
                return

    async def _remove(self, keys: list[Key]) -> None:
        """Remove these, their files, and what is told of them."""
        files: set[str] = set()
        kept: dict[Key, Kept] = {}
        for key in keys:
            kept.update((Key(one.kind, one.name), one) for one in marks_of(key))
            async for version in self._versions(key):
                if not version.deleted:
                    if key.type == "Communication" or self.shared is not None:
                        files |= _files_in(version)
                    words = _words_of(self.project, decode(version.body))
                    kept.update((Key(one.kind, one.name), one) for one in words)
        told = [one async for one in self._told_of(keys)]
        all_keys = list(dict.fromkeys([*keys, *told]))
        await self._delete(all_keys)
        # Only now nothing of what is removed has them.
        needed = (self.shared or set()) | await self._needed(files)
        binaries = [Key("Binary", id_) for id_ in sorted(files - needed)]
        await self._delete(binaries)
        every = list(dict.fromkeys([*all_keys, *binaries]))
        for key in await self._taken_out(every, list(kept.values())):
            self.done.removed[key.type] += 1

    async def _taken_out(self, keys: list[Key], kept: list[Kept]) -> Iterable[Key]:
        """Those of the keys that were there; what others have written again is deleted anew."""
        back: Conflict | None = None
        for _ in range(_ATTEMPTS):
            await self._delete(keys)
            await self.before()
            gone = await self.store.read_many(self.project, keys)
            back = next((Conflict(key) for key, one in gone.items() if not one.deleted), None)
            if back is None:
                try:
                    await self.store.expunge(self.project, list(gone.values()), kept)
                except Conflict as error:
                    back = error
                else:
                    return gone
        assert back is not None
        raise back

    async def _delete(self, keys: Iterable[Key]) -> None:
        wanted = list(keys)
        for attempt in range(_ATTEMPTS):
            there = await self.store.read_many(self.project, wanted)
            now = self.clock()
            writes = tuple(
                Write(*key, new_id(now), now, None, b"", stored, self.author)
                for key, stored in there.items()
                if not stored.deleted
            )
            if not writes:
                return
            try:
                await self.store.commit(self.project, ChangeSet(writes))
            except Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    async def _told_of(self, keys: Iterable[Key]) -> AsyncIterator[Key]:
        targets = tuple(ReferenceMatch(key.type, key.id, "") for key in keys)
        query = Query("Provenance", (ReferenceFilter("target", targets),))
        async for stored in search_all(self.store, self.project, query):
            references = [one.get("reference", "") for one in decode(stored.body)["target"]]
            about = {_NAME.sub(r"\1", one) for one in references}
            if about <= {f"{key.type}/{key.id}" for key in keys}:
                yield Key("Provenance", stored.id)

    async def _needed(self, files: Iterable[str]) -> set[str]:
        """Those of the files that a message still has."""
        needed: set[str] = set()
        for some in chunks(sorted(files)):
            targets = tuple(ReferenceMatch("Binary", id_, "") for id_ in some)
            query = Query("Communication", (ReferenceFilter("attachment", targets),))
            async for stored in search_all(self.store, self.project, query):
                needed |= _files_in(stored)
        return needed
