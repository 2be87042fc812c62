"""What each process of a backfill does, on one machine or on many."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TypeVar

from threadwell.backfill.basis import Basis
from threadwell.backfill.folder import Folder, Lines, Part, Plan, work_at
from threadwell.backfill.grouping import Groups, groups_of
from threadwell.backfill.making import digest_of, made, most_of
from threadwell.backfill.people import digest_of_people, write_people
from threadwell.backfill.records import decode
from threadwell.backfill.spool import Note, Spooled
from threadwell.backfill.spreading import address_of, learned_of, spread, told
from threadwell.intake import import_messages
from threadwell.intake.carried import extension_of
from threadwell.intake.collecting import no_collections, rare_collections
from threadwell.intake.commits.counts import Counts, Done, Report
from threadwell.intake.seat import Seat
from threadwell.intake.whole import Learned, Whole, write_learned
from threadwell.messages import Address
from threadwell.stores.contract import Store
from threadwell.stores.unused import give_back

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


async def _knows(basis: Basis, ours: Iterable[Address], store: Store) -> bool:
    settings = await basis.settings(store, basis.project)
    return await Whole(store, basis.project, settings, basis.clock).knows(ours)


async def _learn(basis: Basis, learned: Learned, store: Store) -> str:
    """Have the people there whom an import would make; what tells all of them from others."""
    settings = await basis.settings(store, basis.project)
    await write_learned(store, basis.project, settings, basis.clock, learned)
    return await digest_of_people(store, basis.project)


@dataclass(frozen=True, slots=True)
class Making:
    """What a process has to know to make a partition: ``moves`` are groups with another home.

    A group of more than ``most`` bytes is made in stretches.
    """

    basis: Basis
    folder: Folder
    plan: Plan
    mark: bytes
    moves: dict[int, int]
    most: int


def read_units(basis: Basis, plan: Plan, numbers: range, target: Path) -> None:
    """Read the units of one task, in whichever process it is."""

    async def work(store: Store) -> None:
        await spread(basis, store, plan, numbers, target)

    with_store(basis, work)


def read_at(work: Path | tuple[Basis, Plan], numbers: range, target: Path) -> None:
    """The same; all that processes have to know may be written down for them."""
    basis, plan = work_at(work)
    read_units(basis, plan, numbers, target)


def make_at(work: Path | Making, number: int) -> bool:
    """Make one partition, in whichever process it is; whether that was necessary."""
    making: Making = work_at(work)
    folder, plan = making.folder, making.plan
    spooled = Spooled(folder.spools(plan))
    groups = groups_of(spooled, number, plan.partitions, making.moves, making.most)
    return make_of(making, number, groups)


def make_of(making: Making, number: int, groups: Groups) -> bool:
    """Make a partition of its groups; whether that was necessary."""
    basis, folder, plan = making.basis, making.folder, making.plan
    digest = digest_of(groups, making.mark)
    before = folder.part(number)
    if before is not None and before.digest == digest and before.lasting:
        return False

    async def work(store: Store) -> bool:
        settings = await basis.settings(store, basis.project)
        lines = folder.lines(number)
        if basis.store:
            items = (decode(content) for group in groups for content in group.contents)
            seat = Seat(store, basis.project, settings, clock=basis.clock)
            lines.done = await import_messages(seat, items)
        else:
            ours = frozenset(map(address_of, plan.ours))
            whole = Whole(store, basis.project, settings, basis.clock, ours)
            async for batch in made(whole, groups, making.most):
                lines.add(batch)
        folder.put_part(number, _part(digest, lines), lines)
        return bool(lines.done.counts.read)

    return with_store(basis, work)


def _part(digest: str, lines: Lines) -> Part:
    done = lines.done
    counts = {name: getattr(done, name) for name in _NUMBERS}
    counts |= {name: getattr(done.counts, name) for name in _COUNTS}
    return Part(digest, dict(lines.counts), counts, dict(done.reasons), lines.lasting)


def with_store(basis: Basis, work: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        async with basis.open() as store:
            return await work(store)

    # An import that goes on for long leaves some in cycles.
    with rare_collections() if basis.store else no_collections():
        done = asyncio.run(run())
    # Else each process keeps the most that any piece of its work has taken.
    _give_back()
    return done


def _give_back() -> None:
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    give_back()


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


def learned_from(notes: Iterable[Note]) -> Learned:
    """What notes tell of people, together."""
    found = list(map(learned_of, notes))
    return Learned(
        frozenset().union(*(one.ours for one in found)),
        frozenset().union(*(one.strangers for one in found)),
        any(one.placed for one in found),
    )


def torn_of(notes: Iterable[Note]) -> set[str]:
    """The files of which a span is torn."""
    return {note.torn for note in notes} - {""}


def is_known(basis: Basis, learned: Learned, plan: Plan) -> bool:
    """Whether all was read with all addresses that are the practice's."""
    return told(learned.ours) == plan.ours or with_store(
        basis, partial(_knows, basis, learned.ours)
    )


def most_at_once(basis: Basis) -> int:
    """How many bytes a group may have to be made at once, by the settings."""

    async def find(store: Store) -> int:
        return most_of(await basis.settings(store, basis.project))

    return with_store(basis, find)


def mark_of(basis: Basis, learned: Learned, plan: Plan) -> bytes:
    """Have the people there whom an import would make; what all that is made rests on."""
    people = with_store(basis, partial(_learn, basis, learned))
    return f"{plan.by} {told(learned.ours)} {people}".encode()


def end(basis: Basis, folder: Folder, plan: Plan, fresh: int) -> Filled:
    """What there is now; in a folder it is told by its manifest."""
    if basis.store:
        filled = _counted(folder, plan, fresh, 0)
        folder.remove()
        return filled
    people = with_store(basis, lambda store: write_people(store, basis.project, folder.path))
    more = with_store(basis, lambda store: extension_of(store, basis.project))
    folder.put_manifest(plan.partitions, people, basis.clock(), more)
    filled = _counted(folder, plan, fresh, sum(people.values()))
    folder.sweep()
    return filled
