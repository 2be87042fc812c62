"""Deliveries and their taking in at once, for seconds on end: what holds out, and what it costs.

So many deliveries are under way at a time that the server is never idle; no more than a rate asks
for are begun. While they are acknowledged, the journal is taken in, in batches that form by
themselves. The clock tells how fast it was on this machine just then; the CPU seconds of server and
database say how fast two idle cores could be.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import uvloop

from bench.faults.server import Server
from bench.spent import cpu_seconds, family
from threadwell.app import open_store
from threadwell.fhir.search.query import MissingFilter, Query, Total
from threadwell.intake.arrivals.journal import ARRIVED, SOUGHT
from threadwell.stores.contract import DEFAULT_PROJECT

#: Deliveries under way at a time.
_CONNECTIONS = 64
_GLANCE = 0.2
_CORES = 2


def sustained(server: Server, requests: Sequence[bytes], rate: float, database: int | None) -> None:
    """Print how many were acknowledged and taken in by the second, and the CPU of each message."""
    before = _spent(server, database)
    began = time.perf_counter()
    uvloop.run(_send(server.port, requests, rate))
    acknowledged = time.perf_counter() - began
    asyncio.run(_all_in(server.store, len(requests)))
    taken = time.perf_counter() - began
    spent = [now - then for now, then in zip(_spent(server, database), before, strict=True)]
    count = len(requests)
    answering, beside, others = [one / count * 1e6 for one in spent]
    name = f"sustained, {rate:,.0f} a second wanted"
    print(f"{name:40}{'acknowledged/s':>15}{'in the record/s':>16}{'CPU µs':>8}", end="")
    print(f"{'answering':>11}{'taking in':>11}{'database':>10}{'of two cores/s':>16}")
    total = answering + beside + others
    print(f"{'':40}{count / acknowledged:15,.0f}{count / taken:16,.0f}{total:8.0f}", end="")
    print(f"{answering:11.0f}{beside:11.0f}{others:10.0f}{_CORES * 1e6 / total:16,.0f}", flush=True)


def _spent(server: Server, database: int | None) -> tuple[float, float, float]:
    """CPU seconds of who answers, of who takes in, and of the database."""
    others = 0.0 if database is None else cpu_seconds(family(database))
    every = family(server.process.pid)
    asked = {server.process.pid, *server.workers()}
    mine = cpu_seconds([one for one in every if one in asked])
    return mine, cpu_seconds([one for one in every if one not in asked]), others


async def _send(port: int, requests: Sequence[bytes], rate: float) -> None:
    start = time.perf_counter()
    left = iter(enumerate(requests))

    async def one_after_the_other() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for at, request in left:
            await asyncio.sleep(start + at / rate - time.perf_counter())
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await reader.readexactly(int(length))
        writer.close()

    await asyncio.gather(*(one_after_the_other() for _ in range(_CONNECTIONS)))


async def _all_in(url: str, count: int) -> None:
    """Wait until the journal is empty; raises ``RuntimeError`` unless each is there once."""
    store = open_store(url)
    try:
        for kind in (ARRIVED, SOUGHT):
            while await store.list_private(kind, after=f"{DEFAULT_PROJECT}/", count=1):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(_GLANCE)
        messages = MissingFilter("part-of", missing=False)
        query = Query("Communication", (messages,), total=Total.ACCURATE)
        found = (await store.search(DEFAULT_PROJECT, query)).total
    finally:
        await store.close()
    if found != count:
        raise RuntimeError(f"{found} messages are in the record instead of {count}")
