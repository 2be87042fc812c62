"""A backfill on one machine: a process for each core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from typing import TypeVar

import msgspec

from threadwell.backfill.basis import Basis
from threadwell.backfill.folder import Folder, Plan
from threadwell.backfill.joining import Joined, of_one_id, parts_of
from threadwell.backfill.spool import Note, note_of
from threadwell.backfill.spreading import told
from threadwell.backfill.working import (
    Filled,
    Making,
    end,
    is_known,
    learned_from,
    make_at,
    mark_of,
    most_at_once,
    read_at,
    torn_of,
)
from threadwell.bulk.processes import pool_of, uninterrupted
from threadwell.intake.whole import Learned

T = TypeVar("T")

Told = Callable[[str, int, int], None]


def fill(
    basis: Basis, folder: Folder, plan: Plan, workers: int, told_of: Told = lambda *_: None
) -> Filled:
    """Make what comes of a plan; it may have been begun.

    The people's store is there, and has all that was asked for. ``told_of`` is told what is being
    done, how much of that is done, and of how much. Raises what reading a unit raises, ``OSError``,
    and ``StoreError``, where one of the processes has ended too.
    """
    folder.put_plan(plan)
    folder.put_partitions(plan.partitions)
    with _pool(workers) as pool:
        plan, learned = _read_all(basis, folder, plan, pool, workers, told_of)
        mark = mark_of(basis, learned, plan)
        moves = _joined(folder, plan, pool).moves()
        making = Making(basis, folder, plan, mark, moves, most_at_once(basis))
        there = folder.put_work(making) if pool else making
        work = [partial(make_at, there, number) for number in range(plan.partitions)]
        fresh = sum(_every(pool, work, partial(told_of, "made")))
    return end(basis, folder, plan, fresh)


def _read_all(
    basis: Basis, folder: Folder, plan: Plan, pool: Executor | None, workers: int, told_of: Told
) -> tuple[Plan, Learned]:
    """Read every unit, once more where the practice turns out to have addresses of its own.

    So are files whose spans are torn.
    """
    while True:
        there = folder.put_work((basis, plan)) if pool else (basis, plan)
        work = [
            partial(read_at, there, units, folder.spooled(plan, units))
            for units in plan.tasks()
            if not plan.is_read(units, note_of(folder.spooled(plan, units)))
        ]
        for _ in _every(pool, work, partial(told_of, "read")):
            pass
        if torn := torn_of(_notes(folder, plan)):
            plan = plan.mended(torn, workers)
            folder.put_plan(plan)
            continue
        learned = learned_from(_notes(folder, plan))
        if is_known(basis, learned, plan):
            return plan, learned
        plan = msgspec.structs.replace(plan, ours=told(learned.ours), round=plan.round + 1)
        folder.put_plan(plan)


def _notes(folder: Folder, plan: Plan) -> Iterator[Note]:
    for path in folder.spools(plan):
        note = note_of(path)
        if note is not None:
            yield note


def _joined(folder: Folder, plan: Plan, pool: Executor | None) -> Joined:
    """What is linked, and what ids join: the processes compare them, a part of all ids each."""
    notes = list(_notes(folder, plan))
    parts = parts_of(sum(note.items for note in notes))
    paths = folder.spools(plan)
    work = [partial(of_one_id, paths, part, parts) for part in range(parts)]
    links = (link for note in notes for link in note.links)
    return Joined.of(chain(links, *_every(pool, work, lambda *_: None)))


@contextmanager
def _pool(workers: int) -> Iterator[Executor | None]:
    """Processes that work; ``None`` where this one is enough."""
    if workers <= 1:
        yield None
        return
    with pool_of(workers, "a process of the backfill has ended; start it again to go on") as pool:
        yield pool


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
    with uninterrupted():  # The first piece of work starts them.
        running: set[Future[T]] = {pool.submit(one) for one in islice(waiting, 64)}
    done = 0
    while running:
        finished, running = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            done += 1
            yield future.result()
            told_of(done, len(todo))
        running |= {pool.submit(one) for one in islice(waiting, len(finished))}
