"""Reads units and spreads its messages by what belongs together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from threadwell.backfill.basis import Basis, Torn, Unit
from threadwell.backfill.folder import Plan
from threadwell.backfill.records import encode
from threadwell.backfill.spool import Note, Spool, put_note
from threadwell.intake.paging import in_batches
from threadwell.intake.settings import Settings
from threadwell.intake.whole import Learned, Tie, Whole
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import Store

_AT_ONCE = 2000


async def spread(
    basis: Basis,
    store: Store,
    plan: Plan,
    numbers: range,
    target: Path,
) -> None:
    """Read the units of those numbers into the file ``target``; its note tells what was found."""
    settings = await basis.settings(store, basis.project)
    ours = frozenset(map(address_of, plan.ours))
    whole = Whole(store, basis.project, settings, basis.clock, ours)
    spool = Spool(target, plan.partitions, plan.buffered)
    links: set[tuple[int, int]] = set()
    items = 0
    spans = any(plan.units[number].span for number in numbers)
    try:
        for number in numbers:
            place = number << 40
            async for tie, content in _tied(basis, whole, settings, plan.units[number]):
                spool.add(tie.group, tie.id, place, content)
                if tie.also:
                    links.update((tie.group, other) for other in tie.also)
                place += 1
            items += place - (number << 40)
    except Torn:
        spool.close()
        put_note(target, Note(0, spans=spans, torn=plan.units[number].path))
        return
    spool.close()
    put_note(target, _note(items, links, await whole.learned(), spans=spans))


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


def _note(items: int, links: set[tuple[int, int]], learned: Learned, *, spans: bool) -> Note:
    return Note(
        items,
        sorted(links),
        told(learned.ours),
        told(learned.strangers),
        learned.placed,
        spans,
    )


def told(addresses: Iterable[Address]) -> list[tuple[str, str, str]]:
    """Addresses as a note has them."""
    return [(str(one.kind), one.value, one.display) for one in sorted(addresses)]


def address_of(written: tuple[str, str, str]) -> Address:
    """An address of a note."""
    kind, value, display = written
    return Address(AddressKind(kind), value, display)
