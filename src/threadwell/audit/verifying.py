"""Whether a chain is whole: the first place where it is not, and what is wrong there."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from threadwell.audit.chain import (
    BLOCK,
    HEAD,
    START,
    BadBlock,
    Block,
    Head,
    block_name,
    following,
    read_block,
    read_head,
)
from threadwell.audit.record import decode_line
from threadwell.stores.contract import Store

_AT_ONCE = 8


class Anchor(NamedTuple):
    """A head as it was noted outside: after so many lines the hash was this."""

    lines: int
    hash: str

    def __str__(self) -> str:
        return f"{self.lines}:{self.hash}"


class Verdict(NamedTuple):
    """``lines`` were looked at from ``first`` on. ``line`` is the first that is not as it was (-1
    for none), ``problem`` what is wrong there (``""`` if nothing is).
    """

    first: int
    lines: int
    head: Head
    line: int = -1
    problem: str = ""


def parse_anchor(text: str) -> Anchor:
    """An anchor as ``head`` prints it; raises ``ValueError``."""
    lines, colon, hash_ = text.strip().partition(":")
    if not colon or not lines.isdecimal() or len(hash_) != 64:
        raise ValueError("it is written LINES:HASH, as `threadwell audit head` prints it")
    return Anchor(int(lines), hash_.lower())


async def verify(store: Store, project: str, anchor: Anchor | None = None) -> Verdict:
    """Look at every line of a project's chain, oldest first, some blocks at a time.

    With an ``anchor`` the chain has to have been there, as it was, when that was noted.
    """
    walk = _Walk(read_start(await store.get_private(START, project)), anchor)
    # What is chained meanwhile comes after this.
    head = read_head(await store.get_private(HEAD, project))
    at = walk.head.blocks
    while at < head.blocks:
        names = [block_name(project, n) for n in range(at, min(at + _AT_ONCE, head.blocks))]
        values = await store.get_private_many(BLOCK, names)
        for number, name in enumerate(names, at):
            problem = walk.take(number, values.get(name))
            if problem:
                return walk.verdict(head, problem)
        at += len(names)
    return walk.verdict(head, walk.ended(head))


def read_start(value: bytes | None) -> Head:
    """Where a chain begins: after what was pruned."""
    return read_head(value)


class _Walk:
    def __init__(self, start: Head, anchor: Anchor | None) -> None:
        self.head = start
        self._first = start.lines
        self._anchor = anchor
        self._anchored = anchor is None
        self._meets()

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
        problem = self._lines(block)
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
                return ""  # it is of a time that was pruned: nothing can be said of it
            return f"the chain ends before the {self._anchor.lines} lines of the anchor"
        return ""

    def verdict(self, head: Head, problem: str) -> Verdict:
        """The verdict once it is over."""
        done = self.head.lines - self._first
        return Verdict(self._first, done, head, self.head.lines if problem else -1, problem)

    def _lines(self, block: Block) -> str:
        for hash_, text in zip(block.hashes, block.texts, strict=True):
            n = self.head.lines
            if following(self.head.hash, text) != hash_:
                return f"line {n} is not what it was when it was chained"
            try:
                told = decode_line(text).n
            except msgspec.MsgspecError:
                return f"line {n} cannot be read"
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
