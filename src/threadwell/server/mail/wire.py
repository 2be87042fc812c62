"""Lines and mails over a connection, none of them longer than it may be."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import cast

#: Bytes of a command (RFC 5321 §4.5.3.1.4 asks for 512, extensions for more).
LONGEST_LINE = 4096
_PIECE = 65536
#: Seconds in which what has come already is read.
_AT_ONCE = 0.01
_END = b"\r\n.\r\n"


class Ended(Exception):
    """The other side is gone, or was too slow."""


class TooLong(Exception):
    """A line or a mail has more bytes than it may have; it was read to its end."""


class NoRoom(Exception):
    """There was no room to keep a mail; it was read to its end."""


class Wire:
    """A connection of which every wait has an end.

    ``reserve(bytes)`` is asked before bytes of a mail are kept, and says whether there is room.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._buffer = bytearray()
        self._looked = 0

    async def line(self) -> bytes:
        """The next line without its end; raises ``Ended`` and ``TooLong``."""
        is_long = False
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LONGEST_LINE:
                is_long = True
                self._buffer.clear()
            await self._more()
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        if is_long or len(line) > LONGEST_LINE:
            raise TooLong
        return line

    async def mail(self, most: int, reserve: Callable[[int], bool]) -> bytes:
        """A mail to the line that has nothing but a dot, as it was before its dots were doubled.

        Only CRLF ends a line: what one server takes for an end and another does not lets somebody
        write mails in another's name. Raises ``Ended``, ``TooLong`` and ``NoRoom``.
        """
        mail = bytearray(b"\r\n")
        failure: Exception | None = None
        self._looked = 0
        while True:
            mail += self._buffer
            self._buffer.clear()
            if (end := mail.find(_END, self._looked)) >= 0:
                self._buffer += mail[end + len(_END) :]
                del mail[end + 2 :]
                break
            self._looked = max(0, len(mail) - len(_END) + 1)
            if failure is None and len(mail) > most + 2:
                failure = TooLong()
            if failure is None and not reserve(len(mail)):
                failure = NoRoom()
            if failure is not None:
                del mail[: -len(_END) + 1]
                self._looked = 0
            await self._more()
        if failure is None and len(mail) > most + 2:
            failure = TooLong()
        if failure is not None:
            raise failure
        return bytes(mail.replace(b"\r\n.", b"\r\n")[2:])

    async def exactly(self, count: int, keep: bool) -> bytes:
        """So many bytes; none of them where they are not to be kept."""
        out = bytearray()
        while count:
            if not self._buffer:
                await self._more()
            part = self._buffer[:count]
            del self._buffer[:count]
            count -= len(part)
            if keep:
                out += part
        return bytes(out)

    async def say(self, *lines: str) -> None:
        """Write replies; raises ``Ended``."""
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        try:
            await asyncio.wait_for(self._writer.drain(), self._patience)
        except (OSError, TimeoutError):
            raise Ended from None

    async def secure(self, context: ssl.SSLContext, reply: str) -> None:
        """Say so and go on with TLS; what was said before in the open counts for nothing.

        Raises ``Ended``.
        """
        # From here on bytes are those of TLS, and must not get into the reader.
        # Those of other loops are no subclass of it, and can do the same.
        cast(asyncio.ReadTransport, self._writer.transport).pause_reading()
        with contextlib.suppress(TimeoutError, OSError):
            while await asyncio.wait_for(self._reader.read(_PIECE), _AT_ONCE):
                pass
        self._buffer.clear()
        await self.say(reply)
        try:
            await asyncio.wait_for(self._writer.start_tls(context), self._patience)
        except (OSError, TimeoutError):
            raise Ended from None

    def close(self) -> None:
        """Leave."""
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.close()

    async def _more(self) -> None:
        try:
            part = await asyncio.wait_for(self._reader.read(_PIECE), self._patience)
        except (OSError, TimeoutError):
            raise Ended from None
        if not part:
            raise Ended
        self._buffer += part
