"""The head of a request: no larger than allowed, and of one host (RFC 9112 §3.2)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, TypeAlias

#: Bytes of a request's line and headers.
MAX_HEAD = 64 * 1024

_HOST = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=%]*|\[[0-9A-Fa-f:.%A-Za-z~_\-]+\])(?::[0-9]*)?")

_Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Any, Any, _Send], Awaitable[None]]


def refusal(headers: Sequence[tuple[bytes, bytes]], size: int, version: str) -> App | None:
    """What answers a request with such a head in place of the server; ``None`` if it may go on.

    ``size`` is that of the whole head. A request of HTTP/1.1 names its host, once.
    """
    if size > MAX_HEAD:
        return too_large
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        return bad_host
    return None if all(map(_HOST.fullmatch, hosts)) else bad_host


async def too_large(_: Any, __: Any, send: _Send) -> None:
    """431."""
    await _answer(send, 431, b"Request Header Fields Too Large")


async def bad_host(_: Any, __: Any, send: _Send) -> None:
    """400."""
    await _answer(send, 400, b"The request must name its host, once")


async def _answer(send: _Send, status: int, text: bytes) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(text)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
