"""Values between the processes of one import, which run the same build: pickled, in frames."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import socket
from collections import deque
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from threadwell.zones.release import Release
from threadwell.zones.zone import decode_zone, zone_of

#: Bytes of the length that stands before each frame.
_LENGTH = 8
#: Bytes that are sent, and taken in, at once: of a frame of many megabytes there is one copy.
_PIECE = 256 * 1024


def dumps(value: object) -> bytes:
    """The value as bytes. Times keep the zone that they were read by."""
    out = BytesIO()
    _Pickler(out).dump(value)
    return out.getvalue()


def loads(text: bytes | memoryview) -> Any:
    """What ``dumps`` was given, in a process of ours."""
    return pickle.loads(text)  # noqa: S301 - it comes from this build's own processes alone


class Line:
    """One end of a socket between two processes. ``say`` is for any task, ``hear`` for one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: deque[bytes] = deque()
        self._saying: asyncio.Task[None] | None = None

    @classmethod
    async def over(cls, sock: socket.socket) -> Line:
        """The line over a socket of ours."""
        return cls(*await asyncio.open_connection(sock=sock, limit=_PIECE))

    def say(self, value: object) -> None:
        """Send a value after those that were said before, while others have their turns."""
        self._waiting.append(dumps(value))
        if self._saying is None or self._saying.done():
            self._saying = asyncio.create_task(self._say())

    async def said(self) -> None:
        """Wait until all of it has left, or nobody takes it any more."""
        if self._saying is not None:
            await asyncio.wait([self._saying])

    async def hear(self) -> Any:
        """The next value; raises ``EOFError`` where the other one is gone."""
        try:
            head = await self._reader.readexactly(_LENGTH)
            frame = memoryview(bytearray(int.from_bytes(head, "big")))
            at = 0
            while at < len(frame):
                piece = await self._reader.read(min(_PIECE, len(frame) - at))
                if not piece:
                    raise EOFError
                frame[at : at + len(piece)] = piece
                at += len(piece)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EOFError from error
        return loads(frame)

    def close(self) -> None:
        """Close the socket."""
        if self._saying is not None:
            self._saying.cancel()
        self._writer.close()

    async def _say(self) -> None:
        # Whoever is gone is missed by those who listen.
        with contextlib.suppress(ConnectionError):
            while self._waiting:
                text = memoryview(self._waiting.popleft())
                self._writer.write(len(text).to_bytes(_LENGTH, "big"))
                for at in range(0, len(text), _PIECE):
                    self._writer.write(text[at : at + _PIECE])
                    await self._writer.drain()
        self._waiting.clear()


def _zone(name: str, release: tuple[Any, ...], rules: bytes) -> ZoneInfo:
    return decode_zone(name, Release(*release), rules).info


def _reduced(info: ZoneInfo) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    zone = zone_of(info)
    if zone is None:
        reduced: tuple[Callable[..., Any], tuple[Any, ...]] = info.__reduce__()  # type: ignore[assignment]
        return reduced
    return _zone, (zone.name, tuple(zone.release), zone.rules)


_REDUCED: dict[type, Callable[[Any], Any]] = {ZoneInfo: _reduced}


class _Pickler(pickle.Pickler):
    """A zone is pickled by its rules, which need not be those of the machine."""

    def __init__(self, out: BytesIO) -> None:
        super().__init__(out, pickle.HIGHEST_PROTOCOL)
        self.dispatch_table = _REDUCED
