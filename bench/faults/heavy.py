"""Searches that have to look at everything: others are served, and too many of them are refused."""

from __future__ import annotations

import asyncio
import time

import httpx

from bench.faults.server import Options, Server, serving
from bench.faults.traffic import Seen, ask_for, message, only_reads

_MESSAGES = 10_000
_AT_ONCE = 500
_READERS = 8
_SEARCHERS = (4, 300)
#: Every message has to be taken apart to put them in this order.
_HEAVY = "Communication?status=completed&_sort=identifier&_count=1"


def run(options: Options) -> None:
    """Reads alone, beside a few such searches, and beside more than may wait."""
    with serving(options) as server:
        with server.client() as client:
            ids = _fill(client)
            started = time.monotonic()
            client.get(_HEAVY).raise_for_status()
            print(f"{_MESSAGES:,} messages; one search takes {time.monotonic() - started:.1f} s")
        seconds = options.seconds / 3
        _show("reads alone", server, ids, 0, seconds)
        for searchers in _SEARCHERS:
            _show(f"beside {searchers} searchers", server, ids, searchers, seconds)


def _show(name: str, server: Server, ids: list[str], searchers: int, seconds: float) -> None:
    read, searched = Seen(), Seen()

    async def both() -> None:
        await asyncio.gather(
            only_reads(server, read, ids, connections=_READERS, seconds=seconds),
            ask_for(server, searched, _HEAVY, connections=searchers, seconds=seconds),
        )

    asyncio.run(both())
    print(
        f"{name}: {read.told}, p50 {read.late(0.5):.1f} ms, p99 {read.late(0.99):.1f} ms;"
        f" searches {searched.told or 'none'}, slowest {searched.late(1) / 1000:.1f} s,"
        f" {searched.unhinted} without Retry-After; {read.lost + searched.lost} lost,"
        f" {server.resident():.0f} MiB"
    )


def _fill(client: httpx.Client) -> list[str]:
    ids: list[str] = []
    for first in range(0, _MESSAGES, _AT_ONCE):
        entries = [
            {"resource": message(n), "request": {"method": "POST", "url": "Communication"}}
            for n in range(first, first + _AT_ONCE)
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = client.post("", json=bundle).raise_for_status().json()
        ids += [entry["response"]["location"].split("/")[1] for entry in answer["entry"]]
    return ids
