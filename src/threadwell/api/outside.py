"""What is answered outside of the API where there are no pages, or no time for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from threadwell.api.body import Receive
from threadwell.api.exchange import Header

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


async def not_found(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """404 in HTML."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
        return
    await _send_page(send, 404, b"<!doctype html><title>Not found</title><h1>Not found</h1>")


async def busy(_: MutableMapping[str, Any], __: Receive, send: Send) -> None:
    """503 in HTML."""
    text = b"<!doctype html><title>Busy</title><h1>Too much to do</h1><p>Please try again.</p>"
    await _send_page(send, 503, text, (b"retry-after", b"1"))


async def _send_page(send: Send, status: int, body: bytes, *more: Header) -> None:
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
