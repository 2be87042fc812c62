"""Resources are removed for good: all versions, files, and what the server keeps of their words.

Each part is deleted first, as by anybody, so that circles, subscribers and pages take note of it,
and then taken out of the store. What is begun and not finished goes on when it is asked for again:
a patient is the last to go. What was expunged is marked, so that no import brings it back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from threadwell.audit.patients import patients_in, referred
from threadwell.bulk.going_along import (
    AT_ONCE,
    files_in,
    held_among,
    held_for,
    shared_files,
    versions_of,
)
from threadwell.encounters.child_ids import own_of
from threadwell.fhir.json import decode, encode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.fhir.stamp import Clock, new_id
from threadwell.intake.circles.tails import KIND as TAIL
from threadwell.intake.circles.tails import tail_name
from threadwell.intake.expunged import marks_of, which_were
from threadwell.intake.links import as_key, circle_of
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
_ATTEMPTS = 10
#: How often it is looked for what was written meanwhile: somebody may write without end.
_ROUNDS = 3
# A reference may be a whole URL, and of one version.
_NAME = re.compile(r"^(?:.*/)?([A-Z][A-Za-z]*/[A-Za-z0-9\-.]{1,64})(?:/_history/.*)?$")
#: What is never expunged with a patient: who saw and changed what.
_KEPT = frozenset({"AuditEvent"})

#: Of what is being removed: the names of its parts, until they are gone.
_BEGUN = "expunging"
_NONE: Mapping[Key, Key | None] = MappingProxyType({})

#: Called before a part is taken out of the store, with what is: it may still be read then.
Before = Callable[[], Awaitable[object]]


class NotThere(ValueError):
    """There is no such resource, or it was expunged before."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no {name}: it never was there, or was expunged before")


@dataclass(slots=True)
class Expunged:
    """How many resources were removed, by type; and those that are left, as another patient's
    record needs them, or as they name the patient, or did, and are about somebody else.
    """

    removed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    left: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Of all types."""
        return sum(self.removed.values())


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
    #: ``Type/id`` of what is to go, and of all that went.
    name: str = ""
    gone: set[str] = field(default_factory=set)
    #: Files that others have.
    shared: set[str] = field(default_factory=set)

    async def one(self, key: Key) -> Expunged:
        """Remove one resource with its files, where nothing else has or had them; with a message
        what holds its words, too.

        Where there are files, all that the project has is read for it. Raises ``NotThere``, and
        ``Conflict`` where others keep writing to it.
        """
        self.name = f"{key.type}/{key.id}"
        await self._go_on()
        if await self.store.read_many(self.project, [key]):
            held = await held_for(self.store, self.project, [key])
            going = [*held, key]
            self.shared = await shared_files(self.store, self.project, set(going))
            await self._remove(going, held | await held_among(self.store, self.project, [key]))
        return self._said()

    async def all_of(self, patient: str) -> Expunged:
        """Remove a patient with all that is in their compartment, the Tasks about them, what holds
        words of their messages, and what is told of these by Provenance; deleted resources as well.
        What is in another patient's compartment, too, is left, and what names them otherwise.

        All that the project has is read for it, and again where there are files; then what was
        written meanwhile. A patient who is gone may be asked for again, if more came since. Raises
        as ``one``.
        """
        me = Key("Patient", patient)
        self.name = f"Patient/{patient}"
        there = bool(await self.store.read_many(self.project, [me]))
        if not there and not await which_were(self.store, [me]):
            raise NotThere(self.name)
        await self._go_on()
        found, after = await self._all_about(patient, START)
        for _ in range(_ROUNDS):
            if not found and not there:
                break
            held = await held_for(self.store, self.project, found)
            self.shared = await shared_files(self.store, self.project, {*found, *held, me})
            for some in chunks(sorted({*found, *held} - {me}), _TOGETHER):
                await self._remove(some, {key: held[key] for key in some if key in held})
            if there:
                await self._remove([me])
            there = False
            found, after = await self._all_about(patient, after)
        return self._said()

    async def would(self, key: Key, *, everything: bool = False) -> Expunged:
        """What ``one``, or ``all_of`` that patient, would remove as things are. Nothing is written.

        Raises ``NotThere``.
        """
        self.name = f"{key.type}/{key.id}"
        found = (await self._all_about(key.id, START))[0] if everything else set()
        held = await held_for(self.store, self.project, [*found, *([] if everything else [key])])
        going = {*found, *held, key}
        self.shared = await shared_files(self.store, self.project, going)
        files: set[str] = set()
        told: set[Key] = set()
        for some in chunks(sorted(going), _TOGETHER):
            for one in some:
                async for version in self._versions(one):
                    files |= files_in(version)
            told.update([one async for one in self._told_of(some)])
        every = going | told | {Key("Binary", id_) for id_ in files - self.shared}
        for some in chunks(sorted(every), _TOGETHER):
            for one in await self.store.read_many(self.project, some):
                self.done.removed[one.type] += 1
                self.gone.add(f"{one.type}/{one.id}")
        return self._said()

    def _said(self) -> Expunged:
        if not self.done.count:
            raise NotThere(self.name)
        self.done.left = [name for name in self.done.left if name not in self.gone]
        return self.done

    async def _all_about(self, patient: str, after: Position) -> tuple[set[Key], Position]:
        """Those about that patient, of what has its place after that one; and the last place."""
        found: set[Key] = set()
        named = f"Patient/{patient}".encode()
        while versions := await self.store.versions(self.project, after, AT_ONCE):
            found |= await self._about(
                patient, (one for one in versions if named in one.stored.body)
            )
            after = versions[-1].position
        return found, after

    async def _about(self, patient: str, versions: Iterable[Version]) -> set[Key]:
        """Those of which the last words are about that patient, and about no other; the others that
        name them are left.
        """
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
            elif (name := f"{key.type}/{key.id}") not in self.done.left:
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

    def _versions(self, key: Key) -> AsyncIterator[Stored]:
        return versions_of(self.store, self.project, key)

    async def _remove(self, keys: list[Key], held: Mapping[Key, Key | None] = _NONE) -> None:
        """Remove these, their files, and what is told of them; ``held`` are those of them that hold
        a message, with what that would become.
        """
        files: set[str] = set()
        kept = [Kept(_BEGUN, self.name, None)]
        kept += [mark for one in held.values() if one is not None for mark in marks_of(one)]
        for key in keys:
            said: list[Resource] = []
            async for version in self._versions(key):
                if not version.deleted:
                    files |= files_in(version)
                    said.append(decode(version.body))
            kept += marks_of(key, said)
            kept += [one for body in said for one in _words_of(self.project, body)]
        told = [one async for one in self._told_of(keys)]
        going = list(dict.fromkeys([*keys, *told]))
        binaries = [Key("Binary", id_) for id_ in sorted(files - self.shared)]
        # What is deleted is found by no search: whoever goes on after an end must know of it.
        begun = [f"{key.type}/{key.id}" for key in (*going, *binaries)]
        await self.store.put_private(_BEGUN, self.name, encode(begun))
        await self._delete(going)
        # Only now nothing of what is removed has them.
        needed = await self._needed(files)
        binaries = [key for key in binaries if key.id not in needed]
        await self._delete(binaries)
        every = list(dict.fromkeys([*going, *binaries]))
        once = {Key(one.kind, one.name): one for one in kept}
        for key in await self._taken_out(every, list(once.values())):
            self.done.removed[key.type] += 1
            self.gone.add(f"{key.type}/{key.id}")

    async def _go_on(self) -> None:
        """Remove what was begun with by whoever was stopped."""
        if begun := await self.store.get_private(_BEGUN, self.name):
            keys = [as_key(name) for name in decode(begun)]
            rest = [key for key in keys if key.type != "Binary"]
            self.shared = await shared_files(self.store, self.project, set(rest))
            holding = await held_among(self.store, self.project, rest)
            await self._remove(rest, holding)

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
                needed |= files_in(stored)
        return needed
