"""Whole circles become resources: all messages of one at once, with nothing but people to look at.

It is the import's own work (``Run.prepare``) over messages of which the project has none yet. What
it makes rests on these messages and on the people, and on nothing that others do: so parts of a
large import can be made in any process, at any time, in any order, and again.

What belongs together (``Tie``) has to be given together. Then the resources, their ids and the
quarantine are those of an import of everything at once, byte for byte, but for ``meta``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import Clock
from threadwell.intake.commits.batch import Batch
from threadwell.intake.drafting import write_made
from threadwell.intake.held.hold import held_id
from threadwell.intake.people.relying import BY_TELECOM
from threadwell.intake.people.route import Route, address_key
from threadwell.intake.run import Run
from threadwell.intake.settings import Settings
from threadwell.messages import Address, Broken, Message
from threadwell.messages.wordings import original_of
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
