"""Requests as a practice sends them, over many connections; every answer is looked at."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from bench.faults.server import Server
from bench.load import request

#: Sends a request over a connection; the answer is its status and body.
Ask: TypeAlias = Callable[[bytes], Awaitable[tuple[int, bytes]]]

_TEXT = "Thank you, I took the reading before breakfast and it was a little lower than last week. "


def message(number: int) -> dict[str, Any]:
    """A message of one of a thousand threads."""
    return {
        "resourceType": "Communication",
        "status": "completed",
        "identifier": [{"system": "urn:example:faults", "value": str(number)}],
        "partOf": [{"reference": f"Communication/thread-{number % 1000}"}],
        "sent": f"2024-04-{number % 28 + 1:02}T10:00:00Z",
        "payload": [{"contentString": _TEXT * 5}],
    }


@dataclass
class Seen:
    """What became of the requests.

    ``acknowledged`` are ids that a 201 told; ``unhinted`` were refused without a ``Retry-After``.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    waits: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    unhinted: int = 0

    @property
    def told(self) -> str:
        """The answers by their status."""
        return ", ".join(f"{n:,} × {status}" for status, n in sorted(self.statuses.items()))

    def late(self, part: float) -> float:
        """The latency in ms that ``part`` of the requests stay below."""
        waits = sorted(self.waits) or [0.0]
        return waits[min(len(waits) - 1, int(len(waits) * part))] * 1000


async def writes_and_reads(
    server: Server,
    seen: Seen,
    *,
    connections: int,
    seconds: float,
    reads: int = 3,
    each: Callable[[], None] | None = None,
) -> None:
    """Over each connection a create, then some reads and a thread's messages, again and again.

    A connection that is lost is opened anew.
    """
    numbers = iter(range(10**9))

    async def once(ask: Ask) -> None:
        number = next(numbers)
        await _create(server, seen, ask, number)
        if reads:
            await _read(server, seen.acknowledged, ask, number, reads)
        if each:
            each()

    await _over(server, seen, connections, seconds, once)


async def only_reads(
    server: Server, seen: Seen, ids: list[str], *, connections: int, seconds: float
) -> None:
    """The same without the creates; what is read is among ``ids``, which may grow."""
    numbers = iter(range(10**9))

    async def once(ask: Ask) -> None:
        await _read(server, ids, ask, next(numbers), 3)

    await _over(server, seen, connections, seconds, once)


async def ask_for(
    server: Server, seen: Seen, search: str, *, connections: int, seconds: float
) -> None:
    """A search, each time from another offset; who is refused waits a second, as told."""

    async def once(ask: Ask) -> None:
        path = f"/fhir/R4/{search}&_offset={random.randrange(1000)}"
        status, _ = await ask(request("GET", path, server.authorization))
        if status == 503:
            await asyncio.sleep(1)

    await _over(server, seen, connections, seconds, once)


async def _over(
    server: Server,
    seen: Seen,
    connections: int,
    seconds: float,
    once: Callable[[Ask], Awaitable[None]],
) -> None:
    """``once`` again and again over each of the connections."""
    stop = time.monotonic() + seconds

    async def one() -> None:
        while time.monotonic() < stop:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            except OSError:
                seen.lost += 1
                await asyncio.sleep(0.05)
                continue
            try:
                while time.monotonic() < stop:
                    await once(partial(_ask, seen, reader, writer))
            except (OSError, EOFError):
                seen.lost += 1
            finally:
                writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))


async def _create(server: Server, seen: Seen, ask: Ask, number: int) -> None:
    body = json.dumps(message(number)).encode()
    made = request("POST", "/fhir/R4/Communication", server.authorization, body)
    status, answer = await ask(made)
    if status == 201:
        seen.acknowledged.append(json.loads(answer)["id"])


async def _read(server: Server, ids: list[str], ask: Ask, number: int, reads: int) -> None:
    for _ in range(reads):
        known = random.choice(ids[-5000:] or ["none"])
        path = f"/fhir/R4/Communication/{known}"
        await ask(request("GET", path, server.authorization))
    path = f"/fhir/R4/Communication?part-of=Communication/thread-{number % 1000}&_sort=sent"
    await ask(request("GET", path, server.authorization))


async def _ask(
    seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes
) -> tuple[int, bytes]:
    started = time.perf_counter()
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    body = await reader.readexactly(length)
    status = int(head.split(b" ", 2)[1])
    seen.unhinted += status in (429, 503, 507) and b"\r\nretry-after:" not in head.lower()
    seen.statuses[status] += 1
    seen.waits.append(time.perf_counter() - started)
    return status, body


def check(server: Server, ids: list[str]) -> int:
    """How many of the resources are not there."""
    missing = 0
    with server.client() as client:
        for at in range(0, len(ids), 500):
            some = ids[at : at + 500]
            search = f"Communication?_id={','.join(some)}&_summary=count"
            missing += len(set(some)) - client.get(search).raise_for_status().json()["total"]
    return missing
