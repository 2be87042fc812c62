"""Whether a chain is whole: the first place where it is not, and what is wrong there."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import msgspec

from threadwell.audit.audited import PENDING
from threadwell.audit.chain import (
    BLOCK,
    HEAD,
    START,
    Anchor,
    BadBlock,
    Block,
    Head,
    block_name,
    following,
    pruned_to,
    read_block,
    read_head,
    times_of,
)
from threadwell.audit.index import TERM, block_of, terms_of
from threadwell.audit.record import Record, decode_line, decode_record
from threadwell.stores.contract import Store, Stored

_AT_ONCE = 8
#: Names that are listed at once.
_LISTED = 1000


class Verdict(NamedTuple):
    """``lines`` were looked at from ``first`` on. ``line`` is the first that is not as it was (-1
    where it is none of them), ``problem`` what is wrong (``""`` if nothing is). ``late`` tells that
    the store was changed before the first line: the trail began later, or was begun anew.
    """

    first: int
    lines: int
    head: Head
    line: int = -1
    problem: str = ""
    late: bool = False


def parse_anchor(text: str) -> Anchor:
    """An anchor as ``head`` prints it; raises ``ValueError``."""
    lines, colon, hash_ = text.strip().partition(":")
    if not colon or not lines.isdecimal() or len(hash_) != 64:
        raise ValueError("it is written LINES:HASH, as `threadwell audit head` prints it")
    return Anchor(int(lines), hash_.lower())


async def verify(store: Store, project: str, anchor: Anchor | None = None) -> Verdict:
    """Look at every line of a project's chain, oldest first, some blocks at a time.

    And at what finds them: the times and the terms of each block have to be those of its lines.
    With an ``anchor`` the chain has to have been there, as it was, when that was noted.
    """
    # Records are chained from those that wait, so these are looked at before the head is.
    start = read_start(await store.get_private(START, project))
    waiting = await _waiting(store, project)
    changes = await store.changes(project, 0, 1)
    walk = _Walk(start, anchor, changes[0].stored if changes else None)
    for record in waiting:
        walk.hears(record)
    # What is chained meanwhile comes after this.
    head = read_head(await store.get_private(HEAD, project))
    at = walk.head.blocks
    while at < head.blocks:
        names = [block_name(project, n) for n in range(at, min(at + _AT_ONCE, head.blocks))]
        values = await store.get_private_many(BLOCK, names)
        for number, name in enumerate(names, at):
            before = walk.head
            problem = walk.take(number, values.get(name))
            if not problem:
                problem = await _unfound(store, walk, project)
                walk.head = before if problem else walk.head
            if problem:
                return walk.verdict(head, problem)
        at += len(names)
    problem = walk.ended(head)
    if problem:
        return walk.verdict(head, problem)
    problem = walk.lacks(nothing=not waiting and not head.lines)
    if not problem and await _terms(store, project, head.blocks) > walk.terms:
        problem = "blocks are found by terms that their lines do not have"
    return walk.verdict(head, problem)._replace(line=-1)


async def _waiting(store: Store, project: str) -> list[Record]:
    """The records that wait to be chained."""
    begins = after = f"{project}/"
    found: list[Record] = []
    while True:
        some = await store.list_private(PENDING, after=after, count=_LISTED)
        mine = [name for name in some if name.startswith(begins)]
        for name in mine:
            with suppress(msgspec.MsgspecError):
                found.append(decode_record(some[name]))
        if len(mine) < _LISTED:
            return found
        after = max(mine)


async def _unfound(store: Store, walk: _Walk, project: str) -> str:
    """What of the block that was just taken would not find it."""
    assert walk.block is not None
    header = walk.block.header
    terms = terms_of(project, header.block, header.begins, walk.block.lines())
    walk.terms += len(terms)
    names = [one.name for one in terms]
    found = await store.get_private_many(TERM, names)
    missing = [name for name in names if name not in found]
    if not missing:
        return ""
    return f"block {header.block} is not found by each term of its lines: {len(missing)} missing"


async def _terms(store: Store, project: str, blocks: int) -> int:
    """How many terms there are, but those of what was chained meanwhile."""
    begins = after = f"{project}/"
    count = 0
    while True:
        some = await store.list_private(TERM, after=after, count=_LISTED)
        mine = [name for name in some if name.startswith(begins)]
        count += sum((block_of(name) or 0) < blocks for name in mine)
        if len(mine) < _LISTED:
            return count
        after = max(mine)


def read_start(value: bytes | None) -> Head:
    """Where a chain begins: after what was pruned."""
    return read_head(value)


class _Walk:
    def __init__(self, start: Head, anchor: Anchor | None, oldest: Stored | None) -> None:
        self.head = start
        self.block: Block | None = None
        self.terms = 0
        self._start = start
        self._first = start.lines
        self._anchor = anchor
        self._anchored = anchor is None
        self._told = not start.lines
        self._oldest = oldest
        self._meets()

    def hears(self, record: Record) -> None:
        """A record tells of the pruning that the chain begins after, or of the oldest change."""
        if record.act.startswith("prune ") and record.asked == str(pruned_to(self._start)):
            self._told = True
        one = self._oldest
        if one is not None and any(
            touched.how != "R" and touched[:3] == (one.type, one.id, one.version_id)
            for touched in record.touched
        ):
            self._oldest = None

    def lacks(self, *, nothing: bool) -> str:
        """What is not in a chain that is whole in itself, and has to be."""
        if not self._told:
            return f"no line tells that what was before line {self._first} was pruned"
        if nothing and self._oldest is not None:
            return "there is no line, though the store was changed"
        if not self._anchored:
            assert self._anchor is not None
            return (
                f"the anchor is of line {self._anchor.lines}, which is pruned: whether the chain "
                "had it cannot be checked"
            )
        return ""

    def take(self, number: int, value: bytes | None) -> str:
        """What is wrong with the next block, at the line where ``head`` stands then."""
        if value is None:
            return f"block {number} is missing"
        try:
            block = read_block(value)
        except BadBlock:
            return f"block {number} cannot be read"
        header = block.header
        if (header.block, header.first, header.before, header.count) != (
            *(number, self.head.lines, self.head.hash),
            len(block.texts),
        ):
            return f"block {number} does not follow the one before it"
        before, self.block = self.head, block
        problem = self._lines(block)
        if not problem and (header.begins, header.ends) != times_of(block.lines()):
            self.head = before
            return f"block {number} does not tell the times of its lines"
        if not problem:
            self.head = msgspec.structs.replace(self.head, blocks=number + 1)
        return problem

    def ended(self, head: Head) -> str:
        """What is wrong with the end."""
        if (self.head.lines, self.head.hash) != (head.lines, head.hash):
            return "the head is not that of the last line"
        if not self._anchored:
            assert self._anchor is not None
            if self._anchor.lines < self._first:
                return ""  # it is of a time that was pruned: ``lacks`` says so
            if self._anchor.lines == self._first:
                return "the chain is not the one of the anchor: it was written anew"
            return f"the chain ends before the {self._anchor.lines} lines of the anchor"
        return ""

    def verdict(self, head: Head, problem: str) -> Verdict:
        """The verdict once it is over."""
        done = self.head.lines - self._first
        at = self.head.lines if problem else -1
        # Of a chain that was pruned nobody knows whether it had the oldest change.
        late = self._oldest is not None and not self._first and head.lines > 0
        return Verdict(self._first, done, head, at, problem, late)

    def _lines(self, block: Block) -> str:
        for hash_, text in zip(block.hashes, block.texts, strict=True):
            n = self.head.lines
            if following(self.head.hash, text) != hash_:
                return f"line {n} is not what it was when it was chained"
            try:
                line = decode_line(text)
            except msgspec.MsgspecError:
                return f"line {n} cannot be read"
            told = line.n
            self.hears(line.record)
            if told != n:
                return f"line {n} says that it is line {told}"
            self.head = msgspec.structs.replace(self.head, lines=n + 1, hash=hash_)
            if not self._meets():
                return "the chain is not the one of the anchor: it was written anew"
        return ""

    def _meets(self) -> bool:
        anchor = self._anchor
        if anchor is None or self.head.lines != anchor.lines:
            return True
        self._anchored = self.head.hash == anchor.hash
        return self._anchored
