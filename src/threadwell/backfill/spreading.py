"""Reads a unit and spreads its messages by what belongs together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from threadwell.backfill.basis import Basis, Unit
from threadwell.backfill.records import encode
from threadwell.backfill.spool import Note, Record, Spool, put_note
from threadwell.intake.paging import in_batches
from threadwell.intake.settings import Settings
from threadwell.intake.whole import Learned, Tie, Whole
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import Store

_AT_ONCE = 2000


async def spread(
    basis: Basis,
    store: Store,
    unit: Unit,
    number: int,
    partitions: int,
    target: Path,
    ours: frozenset[Address],
) -> None:
    """Read a unit into the file ``target``, whose note tells what was found out.

    ``number`` tells the unit from the others. ``ours`` are addresses of which it is known that
    they are the practice's.
    """
    settings = await basis.settings(store, basis.project)
    whole = Whole(store, basis.project, settings, basis.clock, ours)
    spool = Spool(target)
    links: set[tuple[int, int]] = set()
    items = 0
    async for tie, content in _tied(basis, whole, settings, unit):
        place = (number << 40) + items * unit.stripes + unit.stripe
        spool.add(tie.group % partitions, Record(tie.group, tie.id, place, content))
        links.update((tie.group, other) for other in tie.also)
        items += 1
    spool.close()
    learned = await whole.learned()
    put_note(target, _note(spool, items, links, learned))


async def _tied(
    basis: Basis, whole: Whole, settings: Settings, unit: Unit
) -> AsyncIterator[tuple[Tie, bytes]]:
    for some in in_batches(basis.read(unit, settings), _AT_ONCE):
        for tie, item in zip(await whole.ties(some), some, strict=True):
            yield tie, encode(item)


def learned_of(note: Note) -> Learned:
    """What a note tells of people."""
    return Learned(
        frozenset(map(address_of, note.ours)),
        frozenset(map(address_of, note.strangers)),
        note.placed,
    )


def _note(spool: Spool, items: int, links: set[tuple[int, int]], learned: Learned) -> Note:
    return Note(
        spool.batches,
        items,
        sorted(links),
        told(learned.ours),
        told(learned.strangers),
        learned.placed,
    )


def told(addresses: Iterable[Address]) -> list[tuple[str, str, str]]:
    """Addresses as a note has them."""
    return [(str(one.kind), one.value, one.display) for one in sorted(addresses)]


def address_of(written: tuple[str, str, str]) -> Address:
    """An address of a note."""
    kind, value, display = written
    return Address(AddressKind(kind), value, display)
