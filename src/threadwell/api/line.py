"""Our end of a WebSocket: one frame after the other, and no waiting for who takes none."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from threadwell.api.outside import Send

#: Seconds in which the other end takes a frame.
_TAKES = 20.0


class Gone(Exception):
    """The other end went away, or does not take what it is sent."""


class Line:
    """What is said on one socket. Every method raises ``Gone``."""

    __slots__ = ("_send", "_turn")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._turn = asyncio.Lock()

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
