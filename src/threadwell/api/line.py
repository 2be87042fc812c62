"""Our end of a WebSocket: one frame after the other, and no waiting for who takes none.

What many are told at once is written to each at once, where nothing waits for it: a task that wakes
for it, and a lock and a timer for that, cost more than the writing does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from threadwell.api.outside import Send

#: Seconds in which the other end takes a frame.
_TAKES = 20.0


#: The extension of an ASGI scope that has a ``Direct``.
DIRECT = "threadwell.direct"

#: A frame of text that is whole (RFC 6455 §5.2), and where its length does not fit into the byte.
_TEXT = 0x81
_IN_TWO, _IN_EIGHT = 126, 127


class Direct(NamedTuple):
    """What a socket offers beside ASGI: ``is_free`` tells whether a frame can be written right
    now, and ``write`` writes one that is framed."""

    is_free: Callable[[], bool]
    write: Callable[[bytes], None]


def framed(length: int) -> bytes:
    """What stands before a text of so many bytes, as a server sends it (RFC 6455 §5.2)."""
    if length < _IN_TWO:
        return bytes((_TEXT, length))
    if length < 1 << 16:
        return bytes((_TEXT, _IN_TWO)) + length.to_bytes(2)
    return bytes((_TEXT, _IN_EIGHT)) + length.to_bytes(8)


class Gone(Exception):
    """The other end went away, or does not take what it is sent."""


class Line:
    """What is said on one socket. What is awaited raises ``Gone``."""

    __slots__ = ("_direct", "_send", "_turn", "write")

    #: Sends a frame that is ``framed``, where the line is free.
    write: Callable[[bytes], None]

    def __init__(self, send: Send, direct: Direct | None = None) -> None:
        self._send = send
        self._direct = direct
        if direct is not None:
            self.write = direct.write
        self._turn = asyncio.Lock()

    @property
    def is_free(self) -> bool:
        """Whether ``write`` may be called until the running task waits for something."""
        direct = self._direct
        return direct is not None and not self._turn.locked() and direct.is_free()

    async def say(self, text: str) -> None:
        """Send a frame."""
        await self._tell({"type": "websocket.send", "text": text})

    async def end(self, code: int, reason: str) -> None:
        """Close the socket, with a code of RFC 6455 §7.4."""
        await self._tell({"type": "websocket.close", "code": code, "reason": reason})

    async def _tell(self, message: Mapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(_TAKES), self._turn:
                await self._send(dict(message))
        except (TimeoutError, OSError):
            raise Gone from None


async def first_of(*of: Coroutine[Any, Any, None]) -> None:
    """Run until one of them is done, and end the others; raises what that one has raised."""
    tasks = [asyncio.create_task(one) for one in of]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for one in done:
        one.result()
