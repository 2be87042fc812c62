"""How long the trail is kept, and what is pruned once it is older: whole blocks, oldest first."""

from __future__ import annotations

from typing import NamedTuple

from threadwell.audit.audited import PENDING
from threadwell.audit.chain import (
    BLOCK,
    START,
    Head,
    block_name,
    pruned_to,
    read_block,
    read_head,
    write_head,
)
from threadwell.audit.index import terms_of
from threadwell.audit.record import Record, Who, encode_record
from threadwell.audit.trail import Trail
from threadwell.fhir.stamp import new_id
from threadwell.stores.contract import ChangeSet, Kept

_RETENTION = "audit-retention"
DAY = 86_400_000


class Pruned(NamedTuple):
    """How much was removed, and how many lines there are no more, from the first."""

    lines: int
    gone: int


async def retention(trail: Trail, project: str) -> int:
    """The days that records are kept; 0 for ever."""
    value = await trail.whole.get_private(_RETENTION, project)
    return int(value or b"0")


async def keep_for(trail: Trail, project: str, days: int, by: Who) -> None:
    """Keep records for so many days from now on, 0 for ever; that is recorded, too."""
    if days < 0:
        raise ValueError("a number of days, or 0 for ever")
    now = trail.clock()
    record = Record(at=now, act=f"retention {days}", by=by)
    await trail.whole.commit(
        project,
        ChangeSet(
            (),
            kept=(
                Kept(_RETENTION, project, b"%d" % days if days else None),
                Kept(PENDING, f"{project}/{new_id(now)}", encode_record(record)),
            ),
        ),
    )


async def prune(trail: Trail, project: str, by: Who, days: int | None = None) -> Pruned:
    """Remove the blocks whose records are all older than the retention, or than ``days``.

    The chain then begins behind them, with the hash that they ended with, and stays verifiable.
    What is removed is recorded in it, in the same commit, with that hash: a chain that begins
    later than its first line and does not tell so was cut off. Nothing goes where the retention
    is 0.
    """
    await trail.drain()
    kept_for = await retention(trail, project) if days is None else days
    if not kept_for:
        start = read_head(await trail.whole.get_private(START, project))
        return Pruned(0, start.lines)
    before = trail.clock() - kept_for * DAY
    removed = 0
    while True:
        value = await trail.whole.get_private(START, project)
        start = read_head(value)
        name = block_name(project, start.blocks)
        stored = await trail.whole.get_private(BLOCK, name)
        if stored is None:
            return Pruned(removed, start.lines)
        block = read_block(stored)
        header = block.header
        if header.ends >= before:
            return Pruned(removed, start.lines)
        after = Head(start.blocks + 1, start.lines + header.count, block.hashes[-1], header.ends)
        now = trail.clock()
        told = f"prune {after.lines}"
        record = Record(at=now, act=told, by=by, asked=str(pruned_to(after)))
        terms = terms_of(project, header.block, header.begins, block.lines())
        kept = [
            Kept(START, project, write_head(after), value),
            Kept(BLOCK, name, None),
            Kept(PENDING, f"{project}/{new_id(now)}", encode_record(record)),
            *(Kept(one.kind, one.name, None) for one in terms),
        ]
        await trail.whole.commit(project, ChangeSet((), kept=tuple(kept)))
        removed += header.count
