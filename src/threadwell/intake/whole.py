"""Whole circles become resources: all messages of one at once, with nothing but people to look at.

It is the import's own work (``Run.prepare``) over messages of which the project has none yet. What
it makes rests on these messages and on the people, and on nothing that others do: so parts of a
large import can be made in any process, at any time, in any order, and again.

What belongs together (``Tie``) has to be given together. Then the resources, their ids and the
quarantine are those of an import of everything at once, byte for byte, but for ``meta``. What is
too much for that may be given in stretches, each from one moment to another that ``parting`` finds:
what the next one has to know of those before is kept in an ``Along``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from threadwell.encounters.times import microseconds
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import Clock
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.place import sent_of, text_of
from threadwell.intake.circles.rules import Rules
from threadwell.intake.circles.seen import Before
from threadwell.intake.commits.batch import Batch
from threadwell.intake.drafting import write_made
from threadwell.intake.held.hold import held_id
from threadwell.intake.people.relying import BY_TELECOM
from threadwell.intake.people.route import Route, address_key
from threadwell.intake.run import Run
from threadwell.intake.settings import Settings
from threadwell.messages import Address, Broken, Message
from threadwell.messages.wordings import original_of
from threadwell.sessions import BEGINNING, Sent
from threadwell.stores.contract import ChangeSet, Key, Page, Store, Stored
from threadwell.stores.memory import MemoryStore

Item: TypeAlias = Message | Broken

PEOPLE = frozenset({*BY_TELECOM, "Organization", "Person"})
_NOTHING = Page([], [], 0, more=False)


class Tie(NamedTuple):
    """What holds a message to others, as numbers of 64 bits.

    Those of one ``group`` have to be made together: messages of one circle, and messages that wait
    for what is said of one address. ``also`` are further groups that it joins to its own. So do
    messages of one ``id``: they may be copies of one, or other ones that were given the same.
    """

    group: int
    id: int
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Learned:
    """What messages tell of people: by it others are understood, so all of it is needed first.

    ``ours`` are addresses that are the practice's by what its accounts say, and ``strangers`` those
    of whom Patients are made. ``placed`` tells whether any message has a place at all.
    """

    ours: frozenset[Address] = frozenset()
    strangers: frozenset[Address] = frozenset()
    placed: bool = False


@dataclass(slots=True)
class Along:
    """What counts of the stretches that were made of what belongs together, for the next one.

    ``since`` is when that begins, in microseconds since 1970 UTC; ``former`` has the headers, by
    logical id, that the threads of circles had last.
    """

    since: int = BEGINNING
    former: dict[str, dict[str, str]] = field(default_factory=dict)

    def starts(self) -> dict[str, Before]:
        """What counts of each circle."""
        return {key: Before(self.since, former) for key, former in self.former.items()}

    def add(self, circle: Circle) -> None:
        """Remember the headers of its threads; those that mails make by their references are
        never in two stretches.
        """
        former = self.former.setdefault(circle.key, {})
        lasting = {one.sent.thread for one in circle.messages.values() if not one.by_references}
        for sessions in circle.seen.values():
            for one in sessions.values():
                former.update((thread, id_) for thread, id_ in one.headers if thread in lasting)


class Whole:
    """Makes resources of whole circles. It reads people from ``store``, and never writes to it."""

    def __init__(
        self,
        store: Store,
        project: str,
        settings: Settings,
        clock: Clock,
        ours: frozenset[Address] = frozenset(),
    ) -> None:
        self._store = _People(store)
        self._project = project
        self._settings = settings
        self._clock = clock
        self._ours = ours
        self._met: set[Address] = set()
        self._strangers: set[Address] = set()
        self._placed = False
        self._run: Run | None = None

    async def take(self, items: Sequence[Item]) -> Batch:
        """What an import would write for messages; all that is tied to them is among them."""
        run = await self._running()
        batch = await run.prepare(items)
        run.undo()
        run.careful = False
        return batch

    async def take_stretch(self, items: Sequence[Item], along: Along) -> Batch:
        """The same for messages of one stretch. The next one has to begin at a ``parting``."""
        # What was asked at an address is known to the run that has asked it.
        run = self._run if along.former and self._run is not None else await self._running()
        run.shelf.starts = along.starts()
        batch = await run.prepare(items)
        for key in run.shelf.latest:
            along.add(run.shelf[key])
        run.undo()
        run.shelf.starts = {}
        run.careful = False
        return batch

    async def parting(
        self, items: Sequence[Item], at: int, allowed: Callable[[int], int]
    ) -> int | None:
        """The last moment not after ``at`` at which messages may be parted; ``None`` for none.

        Neither those before it nor those from it on differ then from what they are together, nor do
        they where further ones come from ``at`` on. ``allowed`` answers with the last moment, not
        after the one that it is given, as far as it knows of what holds messages together. Times
        are in microseconds since 1970 UTC.
        """
        if self._settings.tracking is not None:
            # What waits for an answer in a thread goes by what was in it before.
            return None
        run = await self._running()
        rules = Rules(self._settings, self._settings.assign, run.people.practice, 0)
        scopes = await self._scopes(run, items)
        first = min((those[0].at for those in scopes.values()), default=at)
        while at > first:
            before, at = at, allowed(at)
            at = min((rules.horizon(those, (), at) for those in scopes.values()), default=at)
            if at == before:
                return at if _are_inside(rules, scopes, at) else None
        return None

    async def _scopes(self, run: Run, items: Sequence[Item]) -> dict[str, list[Sent]]:
        """What a policy sees of each scope, in the order of time."""
        messages = [one for one in items if isinstance(one, Message)]
        await run.ways.find(messages)
        scopes: dict[str, list[Sent]] = {}
        for one in messages:
            way = run.ways.of(one)
            if isinstance(way, Route):
                said = run.keywords.of(text_of(one))
                sent = sent_of(one, microseconds(one.sent), way, one.external_id, said)
                scopes.setdefault(way.circle if run.by_patient else sent.thread, []).append(sent)
        for those in scopes.values():
            those.sort()
        return scopes

    async def ties(self, items: Sequence[Item]) -> list[Tie]:
        """What holds each of the items to others."""
        run = await self._running()
        messages = [one for one in items if isinstance(one, Message)]
        self._met.update(own for one in messages for own in one.ours)
        await run.ways.find(messages)
        return [
            self._tie(run, one) if isinstance(one, Message) else _alone(held_id(one))
            for one in items
        ]

    async def knows(self, ours: Iterable[Address]) -> bool:
        """Whether those addresses of the practice tell nothing new: somebody has each of them."""
        people = (await self._running()).people
        wanted = list(ours)
        await people.resolve(wanted)
        return all(people.party(one).known for one in wanted)

    async def learned(self) -> Learned:
        """What the messages that were tied tell of people."""
        run = await self._running()
        own = frozenset(one._replace(display="") for one in self._met)
        return Learned(own, frozenset(self._strangers.union(run.people.strangers)), self._placed)

    def _tie(self, run: Run, message: Message) -> Tie:
        id_ = number(f"{message.channel}|{original_of(message.external_id)}")
        way = run.ways.of(message)
        if isinstance(way, Route):
            self._placed = True
            return Tie(_number(f"circle|{way.circle}"), id_)
        first, *others = [_number(f"address|{address_key(one)}") for one in way.shared] or [id_]
        return Tie(first, id_, tuple(others))

    async def _running(self) -> Run:
        if self._run is not None and self._run.is_full:
            self._strangers.update(self._run.people.strangers)
            self._run = None
        if self._run is None:
            run = Run(
                *(self._store, self._project, self._settings, self._clock),
                narrow=False,
                arrival=_nothing_on_its_way,
            )
            await run.start()
            run.people.take_as_own(self._ours)
            self._run = run
        return self._run


async def write_learned(
    store: Store, project: str, settings: Settings, clock: Clock, learned: Learned
) -> None:
    """Let a store have the people whom an import would make: the practice, and strangers."""
    run = Run(store, project, settings, clock, narrow=False, arrival=_nothing_on_its_way)
    await run.start()
    await run.people.resolve(learned.strangers)
    for one in sorted(learned.strangers):
        if not run.people.party(one).known:
            run.people.make_patient(one)
    if not learned.placed or not run.people.made:
        return
    batch = run.begin()
    await write_made(batch, run.people, run.current)
    await store.commit(project, ChangeSet(tuple(batch.writes.values())))


def number(text: str) -> int:
    """The number of 64 bits that stands for a text."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


_number = lru_cache(maxsize=100_000)(number)


def _alone(id_: str) -> Tie:
    own = number(id_)
    return Tie(own, own)


def _are_inside(rules: Rules, scopes: Mapping[str, list[Sent]], at: int) -> bool:
    """Whether every message from before a moment is in a session: what is in none is not parted."""
    for those in scopes.values():
        before = [one for one in those if one.at < at]
        found = rules.sessions(before, ()) if before else []
        if sum(len(one.messages) for one in found) != len(before):
            return False
    return True


async def _nothing_on_its_way() -> None:
    pass


class _People(MemoryStore):
    """A store that has the people of another one, and nothing else."""

    def __init__(self, base: Store) -> None:
        super().__init__()
        self._base = base

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        return await self._base.read(project, type_, id_) if type_ in PEOPLE else None

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        wanted = [key for key in keys if key.type in PEOPLE]
        return await self._base.read_many(project, wanted) if wanted else {}

    async def search(self, project: str, query: Query) -> Page:
        return await self._base.search(project, query) if query.type in PEOPLE else _NOTHING
