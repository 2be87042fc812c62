"""Lines of the trail by what is asked of them, newest first, as far as they are wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import msgspec

from threadwell.audit.chain import (
    BLOCK,
    START,
    BadBlock,
    Block,
    Head,
    block_name,
    read_block,
    read_head,
)
from threadwell.audit.codes import INTERACTIONS, OWN_ACTS
from threadwell.audit.index import AGENT, ENTITY, PATIENT, blocks_of, term
from threadwell.audit.record import Line, operation_of
from threadwell.audit.trail import Trail

_ACTS = INTERACTIONS | OWN_ACTS
_AT_ONCE = 4
#: Lines after which others have their turn: a trail may be long.
_PAUSE = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What lines have to be; what is not given may be anything.

    ``patient`` is an id, ``who`` and ``entity`` are references. ``act`` is one, or its first word,
    or an operation (``$everything``). Times are milliseconds since 1970 UTC: from ``since`` until
    before ``until``. ``before`` is a line: only earlier ones. With ``broken_glass`` only what was
    seen beyond a policy, with ``refused`` what was not allowed (401, 403, and 404 of what a policy
    hides), with ``purposed`` what has a purpose.
    """

    patient: str = ""
    who: str = ""
    entity: str = ""
    since: int = 0
    until: int = 2**53
    act: str = ""
    before: int | None = None
    broken_glass: bool = False
    refused: bool = False
    purposed: bool = False

    def takes(self, line: Line) -> bool:
        """Whether a line is wanted."""
        record, by = line.record, line.record.by
        if not self.since <= record.at < self.until:
            return False
        if self.before is not None and line.n >= self.before:
            return False
        if self.patient and self.patient not in line.patients:
            return False
        if self.who and self.who not in (by.who, by.acting, f"ClientApplication/{by.client}"):
            return False
        if self.entity and not any(f"{t.type}/{t.id}" == self.entity for t in record.touched):
            return False
        if self.act and self.act not in (
            record.act,
            record.act.partition(" ")[0],
            operation_of(record.asked),
        ):
            return False
        if self.broken_glass and not by.reason:
            return False
        if self.purposed and not by.purpose:
            return False
        return not self.refused or record.hidden or record.status in (401, 403)

    @property
    def terms(self) -> list[str]:
        """By what its blocks are found, that of the fewest first."""
        found = [
            (PATIENT, self.patient),
            (ENTITY, self.entity),
            (AGENT, self.who),
        ]
        return [term(kind, value) for kind, value in found if value]


def check_act(act: str) -> None:
    """Raise ``ValueError`` for what is recorded of nothing: it would find nothing."""
    if act.partition(" ")[0] not in _ACTS and not act.startswith("$"):
        named = ", ".join(sorted(_ACTS))
        raise ValueError(
            f"there is no act {act!r}: there are {named}, and operations ($everything)"
        )


@dataclass(slots=True)
class Allowance:
    """How much of the trail may be looked at: ``left`` lines, of which one that is wanted counts as
    ``WANTED``. ``stopped`` is the number of the line before which that has ended.
    """

    left: int
    stopped: int | None = None


#: What is made of a line costs as much as so many that are only looked at; and so does a block of
#: lines that is read to see that they are of another time.
WANTED, PASSED = 20, 5


async def find(
    trail: Trail, project: str, wanted: Wanted, allowance: Allowance | None = None
) -> AsyncGenerator[Line, None]:
    """The lines that are wanted, newest first; what waits to be chained is chained first.

    What cannot be read is left out: ``verify`` tells of it. It ends as well where the allowance
    does.
    """
    await trail.drain()
    async for block in _blocks(trail, project, wanted):
        if block.header.ends < wanted.since or block.header.begins >= wanted.until:
            if allowance is not None:
                if allowance.left <= 0:
                    allowance.stopped = block.header.first + block.header.count
                    return
                allowance.left -= PASSED
            continue
        texts = block.texts
        if wanted.before is not None:
            texts = texts[: max(0, wanted.before - block.header.first)]
        for text in reversed(texts):
            line = msgspec.json.decode(text, type=Line)
            takes = wanted.takes(line)
            if not line.n % _PAUSE:
                await asyncio.sleep(0)
            if allowance is not None:
                if allowance.left <= 0:
                    allowance.stopped = line.n + 1
                    return
                allowance.left -= WANTED if takes else 1
            if takes:
                yield line


async def find_line(trail: Trail, project: str, n: int) -> Line | None:
    """The ``n``-th line; ``None`` where there is none (any more)."""
    await trail.drain()
    found = await _holding(trail, project, n)
    if found is None:
        return None
    _, block = found
    return msgspec.json.decode(block.texts[n - block.header.first], type=Line)


async def _holding(trail: Trail, project: str, n: int) -> tuple[int, Block] | None:
    """The block that has the ``n``-th line, and its number."""
    head = await trail.head(project)
    start = await _start(trail, project)
    if not start.lines <= n < head.lines:
        return None
    low, high = start.blocks, head.blocks
    while low < high:
        middle = (low + high) // 2
        block = await trail.block(project, middle)
        if block is None:
            return None
        if n < block.header.first:
            high = middle
        elif n >= block.header.first + block.header.count:
            low = middle + 1
        else:
            return middle, block
    return None


async def _start(trail: Trail, project: str) -> Head:
    """Where what is kept of the trail begins."""
    return read_head(await trail.whole.get_private(START, project))


async def _blocks(trail: Trail, project: str, wanted: Wanted) -> AsyncGenerator[Block, None]:
    head = await trail.head(project)
    ends = head.blocks
    if wanted.before is not None:
        # A page that goes on does not read again what the ones before have.
        if wanted.before <= (await _start(trail, project)).lines:
            return  # of what was before that nothing is kept any more
        held = await _holding(trail, project, wanted.before - 1)
        ends = ends if held is None else held[0] + 1
    terms = wanted.terms
    if terms:
        async for number in blocks_of(trail.whole, project, terms[0]):
            if number >= ends:
                continue
            block = await _read(trail, project, number)
            if block is None:
                continue
            yield block
            if block.header.ends < wanted.since - _SKEW:
                return
        return
    for last in range(ends, 0, -_AT_ONCE):
        numbers = range(max(0, last - _AT_ONCE), last)
        names = [block_name(project, number) for number in numbers]
        values = await trail.whole.get_private_many(BLOCK, names)
        if not values:
            return  # pruned from here on
        for name in reversed(names):
            block = _block(values.get(name))
            if block is not None:
                yield block
                if block.header.ends < wanted.since - _SKEW:
                    return


#: Clocks of processes may differ by so much, in milliseconds: a little earlier block is looked at.
_SKEW = 600_000


async def _read(trail: Trail, project: str, number: int) -> Block | None:
    return _block(await trail.whole.get_private(BLOCK, block_name(project, number)))


def _block(value: bytes | None) -> Block | None:
    try:
        return None if value is None else read_block(value)
    except BadBlock:
        return None
