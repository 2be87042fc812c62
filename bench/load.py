"""A load of HTTP requests over kept-alive connections, light enough not to be what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rate:
    """How many requests a second were answered rightly, and the middle and late latency in ms."""

    per_second: float
    p50: float
    p99: float


async def load(
    port: int, make: Callable[[int], bytes], *, status: int, connections: int, seconds: float
) -> Rate:
    """Send ``make(0)``, ``make(1)`` … for a while; raises if an answer has another status."""
    loop = asyncio.get_running_loop()
    run = _Run(make, b"HTTP/1.1 %d" % status, loop.create_future(), time.perf_counter() + seconds)
    started = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port)
    await run.done
    elapsed = time.perf_counter() - started
    waits = sorted(run.waits)
    at = [waits[int(len(waits) * part)] * 1000 for part in (0.5, 0.99)]
    return Rate(len(waits) / elapsed, *at)


@dataclass
class _Run:
    make: Callable[[int], bytes]
    expected: bytes
    done: asyncio.Future[None]
    stop: float
    sent: int = 0
    busy: int = 0
    waits: list[float] = field(default_factory=list)


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._run.busy += 1
        self._send()

    def data_received(self, part: bytes) -> None:
        self._buffer += part
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.index(b"content-length: ") + 16
        length = int(head[at:].partition(b"\r")[0])
        if len(self._buffer) < end + 4 + length:
            return
        run = self._run
        now = time.perf_counter()
        if not self._buffer.startswith(run.expected):
            self._fail(self._buffer[:500].decode(errors="replace"))
            return
        run.waits.append(now - self._started)
        self._buffer = b""
        if now < run.stop:
            self._send()
            return
        self._transport.close()
        run.busy -= 1
        if not run.busy and not run.done.done():
            run.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if error:
            self._fail(str(error))

    def _send(self) -> None:
        self._started = time.perf_counter()
        self._transport.write(self._run.make(self._run.sent))  # type: ignore[attr-defined]
        self._run.sent += 1

    def _fail(self, what: str) -> None:
        if not self._run.done.done():
            self._run.done.set_exception(RuntimeError(what))


def request(method: str, path: str, authorization: str, body: bytes = b"", kind: str = "") -> bytes:
    """A serialised request."""
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: {authorization}"]
    if body:
        head += [f"Content-Length: {len(body)}", f"Content-Type: {kind or 'application/fhir+json'}"]
    return "\r\n".join([*head, "", ""]).encode() + body
