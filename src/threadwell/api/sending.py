"""Answers on their way out, to any ASGI server: whole, or part by part as they are made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing

from threadwell.api.exchange import Answer
from threadwell.api.load.gate import LARGE
from threadwell.api.outside import Send


async def send_whole(send: Send, method: str, answer: Answer) -> None:
    """Send an answer whose content is at hand: a large one as fast as its reader takes it."""
    headers, body = answer.headers, answer.body
    if answer.status not in (204, 304):  # RFC 9110 §8.6: these have no length to tell
        headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if method == "HEAD":
        body = b""
    if len(body) <= LARGE:
        await send({"type": "http.response.body", "body": body})
        return
    # A large one is sent as fast as its reader takes it, and is there only once meanwhile.
    for at in range(0, len(body) - LARGE, LARGE):
        await send({"type": "http.response.body", "body": body[at : at + LARGE], "more_body": True})
    rest = (len(body) - 1) // LARGE * LARGE
    await send({"type": "http.response.body", "body": body[rest:]})


async def send_parts(send: Send, method: str, answer: Answer, parts: AsyncIterator[bytes]) -> None:
    """Send an answer part by part. What fails on the way breaks the connection off: the reader
    notices that it has no end.
    """
    async with AsyncExitStack() as closing:
        if isinstance(parts, AsyncGenerator):
            await closing.enter_async_context(aclosing(parts))
        await send(
            {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
        )
        if method != "HEAD":
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
