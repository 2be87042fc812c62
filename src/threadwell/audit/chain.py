"""The chain of a project's records, in blocks, as the store keeps them.

A block is some records that were chained at once, each after its hash: SHA-256 over the hash before
it and the line itself. So whoever changes, removes or adds a line breaks the chain from there on,
unless they write all that follows anew; and whoever has noted the head notices that too.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from threadwell.audit.record import Line, decode_line, encode_line

BLOCK = "audit-block"
HEAD = "audit-head"
#: Where the chain begins once its oldest blocks are pruned.
START = "audit-start"
#: The hash before the first line.
FIRST = hashlib.sha256(b"threadwell audit").hexdigest()
_DIGITS = 12


class Head(msgspec.Struct, frozen=True):
    """The end of a chain: how many blocks and lines there are, and the hash of the last line.

    ``at`` is when the last block was made.
    """

    blocks: int = 0
    lines: int = 0
    hash: str = FIRST
    at: int = 0


class Anchor(NamedTuple):
    """A head as it was noted outside: after so many lines the hash was this."""

    lines: int
    hash: str

    def __str__(self) -> str:
        return f"{self.lines}:{self.hash}"


class Header(msgspec.Struct, frozen=True):
    """What a block says of itself: its number, the hash before it, its lines, and their times."""

    block: int
    before: str
    first: int
    count: int
    begins: int
    ends: int


class Block(msgspec.Struct, frozen=True):
    """``hashes`` and ``texts`` of its lines, as they are stored."""

    header: Header
    hashes: tuple[str, ...]
    texts: tuple[bytes, ...]

    def lines(self) -> Iterator[Line]:
        """The lines, oldest first."""
        return map(decode_line, self.texts)


class BadBlock(ValueError):
    """What is stored as a block is none."""


def block_name(project: str, block: int) -> str:
    """Under which name a block is kept."""
    return f"{project}/{block:0{_DIGITS}d}"


def following(before: str, text: bytes) -> str:
    """The hash of a line after the one with the hash ``before``."""
    return hashlib.sha256(before.encode() + text).hexdigest()


def chained(head: Head, lines: Sequence[Line], now: int) -> tuple[Head, bytes]:
    """The head after ``lines``, and the block of them."""
    texts = [encode_line(line) for line in lines]
    header = Header(head.blocks, head.hash, head.lines, len(lines), *times_of(lines))
    parts = [msgspec.json.encode(header)]
    last = head.hash
    for text in texts:
        last = following(last, text)
        parts.append(b"%s %s" % (last.encode(), text))
    new = Head(head.blocks + 1, head.lines + len(lines), last, now)
    return new, zlib.compress(b"\n".join(parts), 1)


def times_of(lines: Iterable[Line]) -> tuple[int, int]:
    """The first and the last time of lines, which need not be in their order; 0 of none."""
    times = [line.record.at for line in lines]
    return min(times, default=0), max(times, default=0)


def pruned_to(start: Head) -> Anchor:
    """What the record of a pruning has, by which the chain may begin with ``start``."""
    return Anchor(start.lines, start.hash)


def read_block(value: bytes) -> Block:
    """The block in a value; raises ``BadBlock``."""
    try:
        first, *rest = zlib.decompress(value).split(b"\n")
        header = msgspec.json.decode(first, type=Header)
        pairs = [line.split(b" ", 1) for line in rest]
        hashes = tuple(pair[0].decode("ascii") for pair in pairs)
        return Block(header, hashes, tuple(pair[1] for pair in pairs))
    except (zlib.error, msgspec.MsgspecError, IndexError, UnicodeDecodeError) as error:
        raise BadBlock(str(error)) from None


def read_head(value: bytes | None) -> Head:
    """The head in a value; that of an empty chain where there is none. Raises ``BadBlock``."""
    try:
        return Head() if value is None else msgspec.json.decode(value, type=Head)
    except msgspec.MsgspecError as error:
        raise BadBlock(str(error)) from None


def write_head(head: Head) -> bytes:
    """The value of a head."""
    return msgspec.json.encode(head)
