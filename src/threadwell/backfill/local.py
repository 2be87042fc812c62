"""A backfill on one machine: a process for each core."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import msgspec

from threadwell.backfill.basis import Basis
from threadwell.backfill.folder import Folder, Lines, Part, Plan
from threadwell.backfill.joining import Joined
from threadwell.backfill.making import digest_of, groups_of, made, together
from threadwell.backfill.people import digest_of_people, write_people
from threadwell.backfill.spool import Note, Spooled, note_of
from threadwell.backfill.spreading import address_of, learned_of, spread, told
from threadwell.intake import import_messages
from threadwell.intake.collecting import rare_collections
from threadwell.intake.commits.counts import Counts, Done, Report
from threadwell.intake.whole import Learned, Whole, write_learned
from threadwell.messages import Address
from threadwell.stores.contract import Store

T = TypeVar("T")

_NUMBERS = tuple(one.name for one in fields(Done) if one.name not in ("counts", "reasons"))
_COUNTS = tuple(one.name for one in fields(Counts))


@dataclass(slots=True)
class Filled:
    """What a backfill has done; of ``parts`` that have anything in them ``made`` were made now."""

    report: Report
    parts: int = 0
    made: int = 0
    resources: int = 0


Told = Callable[[str, int, int], None]


def fill(
    basis: Basis, folder: Folder, plan: Plan, workers: int, told_of: Told = lambda *_: None
) -> Filled:
    """Make what comes of a plan; it may have been begun.

    The people's store is there, and has all that was asked for. ``told_of`` is told what is being
    done, how much of that is done, and of how much. Raises what reading a unit raises, ``OSError``
    and ``StoreError``.
    """
    folder.put_plan(plan)
    folder.put_partitions(plan.partitions)
    with _pool(workers) as pool:
        plan, learned = _read_all(basis, folder, plan, pool, told_of)
        marked = _with_store(basis, partial(_learn, basis, learned))
        mark = f"{plan.by} {told(learned.ours)} {marked}"
        making = _Making(basis, folder, plan, mark.encode(), _joined(folder, plan).moves())
        work = [partial(make, making, number) for number in range(plan.partitions)]
        fresh = sum(_every(pool, work, partial(told_of, "made")))
    if basis.store:
        filled = _counted(folder, plan, fresh, 0)
        folder.remove()
        return filled
    people = _with_store(basis, lambda store: write_people(store, basis.project, folder.path))
    folder.put_manifest(plan.partitions, people, basis.clock(), "threadwell backfill")
    filled = _counted(folder, plan, fresh, sum(people.values()))
    folder.sweep()
    return filled


def _read_all(
    basis: Basis, folder: Folder, plan: Plan, pool: Executor | None, told_of: Told
) -> tuple[Plan, Learned]:
    """Read every unit, once more where the practice turns out to have addresses of its own."""
    while True:
        work = [
            partial(read_unit, basis, plan, number, folder.spooled(plan, number))
            for number in range(len(plan.units))
            if note_of(folder.spooled(plan, number)) is None
        ]
        for _ in _every(pool, work, partial(told_of, "read")):
            pass
        found = [learned_of(note) for note in _notes(folder, plan)]
        learned = Learned(
            frozenset().union(*(one.ours for one in found)),
            frozenset().union(*(one.strangers for one in found)),
            any(one.placed for one in found),
        )
        ours = told(learned.ours)
        if ours == plan.ours or _with_store(basis, partial(_knows, basis, learned.ours)):
            return plan, learned
        plan = msgspec.structs.replace(plan, ours=ours, round=plan.round + 1)
        folder.put_plan(plan)


async def _knows(basis: Basis, ours: Iterable[Address], store: Store) -> bool:
    settings = await basis.settings(store, basis.project)
    return await Whole(store, basis.project, settings, basis.clock).knows(ours)


async def _learn(basis: Basis, learned: Learned, store: Store) -> str:
    """Have the people there whom an import would make; what tells all of them from others."""
    settings = await basis.settings(store, basis.project)
    await write_learned(store, basis.project, settings, basis.clock, learned)
    return await digest_of_people(store, basis.project)


@dataclass(frozen=True, slots=True)
class _Making:
    basis: Basis
    folder: Folder
    plan: Plan
    mark: bytes
    moves: dict[int, int]


def read_unit(basis: Basis, plan: Plan, number: int, target: Path) -> None:
    """Read one unit, in whichever process it is."""

    async def work(store: Store) -> None:
        ours = frozenset(map(address_of, plan.ours))
        await spread(basis, store, plan.units[number], number, plan.partitions, target, ours)

    _with_store(basis, work)


def make(making: _Making, number: int) -> bool:
    """Make one partition, in whichever process it is; whether that was necessary."""
    basis, folder, plan = making.basis, making.folder, making.plan
    spooled = Spooled(folder.spooled(plan, unit) for unit in range(len(plan.units)))
    groups = partial(groups_of, spooled, number, plan.partitions, making.moves)
    digest = digest_of(groups(), making.mark)
    before = folder.part(number)
    if before is not None and before.digest == digest and before.lasting:
        return False

    async def work(store: Store) -> bool:
        settings = await basis.settings(store, basis.project)
        lines = folder.lines(number)
        if basis.store:
            items = chain.from_iterable(together(groups()))
            lines.done = await import_messages(
                store, basis.project, items, settings, clock=basis.clock
            )
        else:
            ours = frozenset(map(address_of, plan.ours))
            whole = Whole(store, basis.project, settings, basis.clock, ours)
            async for batch in made(whole, groups()):
                lines.add(batch)
        folder.put_part(number, _part(digest, lines), lines)
        return bool(lines.done.counts.read)

    return _with_store(basis, work)


def _part(digest: str, lines: Lines) -> Part:
    done = lines.done
    counts = {name: getattr(done, name) for name in _NUMBERS}
    counts |= {name: getattr(done.counts, name) for name in _COUNTS}
    return Part(digest, dict(lines.counts), counts, dict(done.reasons), lines.lasting)


def _with_store(basis: Basis, work: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        async with basis.open() as store:
            return await work(store)

    with rare_collections():
        return asyncio.run(run())


def _notes(folder: Folder, plan: Plan) -> Iterator[Note]:
    for number in range(len(plan.units)):
        note = note_of(folder.spooled(plan, number))
        if note is not None:
            yield note


def _joined(folder: Folder, plan: Plan) -> Joined:
    spooled = Spooled(folder.spooled(plan, number) for number in range(len(plan.units)))
    notes = list(_notes(folder, plan))
    links = (link for note in notes for link in note.links)
    return Joined.of(links, spooled, sum(note.items for note in notes))


def _counted(folder: Folder, plan: Plan, fresh: int, people: int) -> Filled:
    filled = Filled(Report(), made=fresh, resources=people)
    for _, part in folder.parts(plan.partitions):
        filled.parts += 1
        filled.resources += sum(part.lines.values())
        one = Done(Counts(**{name: part.counts[name] for name in _COUNTS}))
        for name in _NUMBERS:
            setattr(one, name, part.counts[name])
        one.reasons.update(part.reasons)
        filled.report.add(one)
    return filled


@contextmanager
def _pool(workers: int) -> Iterator[Executor | None]:
    """Processes that work; ``None`` where this one is enough."""
    if workers <= 1:
        yield None
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _every(
    pool: Executor | None, work: Iterable[Callable[[], T]], told_of: Callable[[int, int], None]
) -> Iterator[T]:
    """What comes of all of the work, in whichever order it is done."""
    todo = list(work)
    if pool is None:
        for number, one in enumerate(todo, start=1):
            yield one()
            told_of(number, len(todo))
        return
    waiting = iter(todo)
    running: set[Future[T]] = {pool.submit(one) for one in islice(waiting, 64)}
    done = 0
    while running:
        finished, running = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            done += 1
            yield future.result()
            told_of(done, len(todo))
        running |= {pool.submit(one) for one in islice(waiting, len(finished))}
