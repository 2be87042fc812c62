"""What an import reads, brought together by circle: in memory, and on disk where it is more.

The file on disk has no name, and is gone with the process. It has what messages say, so it is made
where ``tempfile`` makes its own (``TMPDIR``), for nobody else to read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import fields
from functools import partial
from operator import attrgetter
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self, TypeAlias, cast
from zlib import crc32

from threadwell.intake.gathered.wire import dumps, loads
from threadwell.messages import Broken, Message

#: Into how many parts it falls, each with whole circles.
_PARTS = 64
#: How often a part that is too large falls into smaller ones.
_DEEPEST = 4
#: Items of a part that are written at once, and the letters and bytes that they may have.
_AT_ONCE, _LARGE = 128, 256 * 1024
#: So many items stay as they are, if they are within the share of the memory: to pack and unpack
#: them costs as much as to read the half of them. A crew, which needs bytes, has more to do.
_AS_THEY_ARE = 7000
#: A part may take that share of the memory: its messages are four times as large when read.
_SHARE = 8
#: That share of the memory is for what waits here: those who work on it need the rest.
_HELD = 2

_values = attrgetter(*(one.name for one in fields(Message)))


class Belongs(NamedTuple):
    """An item, with the key of what it has to be worked on together with."""

    key: str
    item: Message | Broken


class _Piece(NamedTuple):
    """Where some items of a part are on disk."""

    at: int
    size: int


class Part:
    """Items of some circles: all of those. ``size`` is in bytes."""

    def __init__(self) -> None:
        self.pieces: list[bytes | _Piece] = []
        self.size = self.count = 0
        self.waiting: list[Belongs] = []
        self.letters = 0
        self.keys: set[str] = set()


#: Items as bytes (``packed``), or as they are.
Packed: TypeAlias = "bytes | list[Belongs]"
#: How many items are enough for a part, by how many were given in parts before it.
Enough: TypeAlias = "Callable[[int], int]"


def _any(_given: int) -> int:
    return 0


def _after(before: int, enough: Enough, given: int) -> int:
    return enough(before + given)


class Spool:
    """Takes items with their keys, and gives them back by parts. ``memory`` is in bytes."""

    def __init__(self, memory: int, depth: int = 0) -> None:
        self._memory = memory
        self._depth = depth
        self._parts = [Part() for _ in range(_PARTS)]
        self._waiting = Part()
        self._kept = 0
        self._end = 0
        self._count = self._letters = 0
        self._file: BinaryIO | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def add(self, every: Sequence[Belongs]) -> None:
        """Take items in. Raises ``OSError``, which names the folder, where a disk has no room."""
        for one in every:
            part = self._waiting
            if one.key:
                digest = crc32(one.key.encode("utf-8", "surrogatepass"))
                part = self._parts[digest // _PARTS**self._depth % _PARTS]
            part.waiting.append(one)
            letters = _size(one.item)
            part.letters += letters
            self._count += 1
            self._letters += letters
            if self._is_small:
                continue
            if len(part.waiting) >= _AT_ONCE or part.letters > _LARGE:
                self._write(part)

    @property
    def _is_small(self) -> bool:
        """Whether all of it may stay as it is."""
        return self._count <= _AS_THEY_ARE and self._letters <= self._memory // _SHARE

    def parts(self, enough: Enough = _any) -> Iterator[list[Packed]]:
        """All that has a key, a part at a time, as pieces for ``unpacked``.

        Whatever belongs together is in one part, but for what is too much for the memory by itself:
        that comes in several, as it was read. Small ones come together, until they have ``enough``
        items.
        """
        if self._is_small:
            yield from self._as_they_are(enough(0))
            return
        for part in self._parts:
            self._write(part)
        most = max(1, self._memory // _SHARE)
        small: list[bytes | _Piece] = []
        size = count = given = 0
        for part in self._parts:
            if part.size <= most:
                if small and size + part.size > most:
                    yield self._read(small)
                    small, size, given, count = [], 0, given + count, 0
                # What is given is needed here no longer: each part is given once.
                small, part.pieces = [*small, *part.pieces], []
                size, count = size + part.size, count + part.count
                if small and count >= enough(given):
                    yield self._read(small)
                    small, size, given, count = [], 0, given + count, 0
            elif len(part.keys) == 1 or self._depth == _DEEPEST:
                yield from ([one] for one in self._each(part))
                given += part.count
            else:
                with Spool(self._memory, self._depth + 1) as smaller:
                    for one in self._each(part):
                        smaller.add(unpacked([one]))
                    yield from smaller.parts(partial(_after, given, enough))
                given += part.count
        if small:
            yield self._read(small)

    def _as_they_are(self, enough: int) -> Iterator[list[Packed]]:
        some: list[Belongs] = []
        for part in self._parts:
            some += part.waiting
            if some and len(some) >= enough:
                yield [some]
                some = []
        if some:
            yield [some]

    def waiting(self) -> Iterator[list[Packed]]:
        """All that has no key, piece by piece, as it was read."""
        if self._is_small:
            return iter([[self._waiting.waiting]] if self._waiting.waiting else [])
        self._write(self._waiting)
        return ([one] for one in self._each(self._waiting))

    def _each(self, part: Part) -> Iterator[Packed]:
        return (self._read([piece])[0] for piece in part.pieces)

    def _read(self, pieces: Sequence[bytes | _Piece]) -> list[Packed]:
        out: list[Packed] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                out.append(piece)
            else:
                file = cast(BinaryIO, self._file)
                file.seek(piece.at)
                out.append(file.read(piece.size))
        return out

    def _write(self, part: Part) -> None:
        if not part.waiting:
            return
        if len(part.keys) < 2:
            part.keys.update(one.key for one in part.waiting)
        piece = packed(part.waiting)
        part.pieces.append(piece)
        part.size += len(piece)
        part.count += len(part.waiting)
        part.waiting, part.letters = [], 0
        self._kept += len(piece)
        if self._kept > self._memory // _HELD:
            self._spill()

    def _spill(self) -> None:
        """Put on disk what is in memory."""
        try:
            self._put()
        except OSError as error:
            # The file has no name that would tell which disk it is.
            where = f"{tempfile.tempdir or 'the temporary folder'} (another one by TMPDIR)"
            raise OSError(error.errno, error.strerror, where) from None

    def _put(self) -> None:
        if self._file is None:
            # What is written is there, or is refused, and is not tried again when it is closed.
            made = self._open.enter_context(tempfile.TemporaryFile("w+b", 0))  # noqa: SIM115
            self._file = cast(BinaryIO, made)
        self._file.seek(self._end)
        for part in (*self._parts, self._waiting):
            for at, piece in enumerate(part.pieces):
                if isinstance(piece, bytes):
                    _write_all(self._file, piece)
                    part.pieces[at] = _Piece(self._end, len(piece))
                    self._end += len(piece)
        self._kept = 0


def _write_all(file: BinaryIO, piece: bytes) -> None:
    """Write all of it to a file without a buffer: of a disk that fills up it may take a part."""
    left = memoryview(piece)
    while left:
        left = left[file.write(left) :]


def packed(items: Sequence[Belongs]) -> bytes:
    """Items as bytes, for ``unpacked`` in a process of this build."""
    out = [
        (one.key, _values(one.item) if isinstance(one.item, Message) else one.item) for one in items
    ]
    return dumps(out)


def unpacked(pieces: Sequence[Packed]) -> list[Belongs]:
    """The items of pieces that a spool has given, or ``packed``."""
    out: list[Belongs] = []
    for piece in pieces:
        if isinstance(piece, list):
            out += piece
        else:
            out += [
                Belongs(key, Message(*item) if isinstance(item, tuple) else item)
                for key, item in loads(piece)
            ]
    return out


def _size(item: Message | Broken) -> int:
    if isinstance(item, Broken):
        return len(item.content)
    files = sum([len(one.content or b"") for one in item.attachments]) if item.attachments else 0
    return len(item.text) + files
