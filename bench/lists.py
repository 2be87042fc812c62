"""How long the list of sessions and the page of a long session take, however large the store is."""

from __future__ import annotations

import asyncio
import http.client
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

from bench.bulk import TYPES, copy
from bench.faults.server import Options, Server, serving
from bench.listeners import busy, cookie_of
from threadwell.app import open_store
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import Settings, import_messages
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore
from threadwell.stores.scanning import scan

_START = datetime(2024, 1, 1, tzinfo=UTC)
_TEXT = "Good morning, the new dose agrees with me. Shall I come in before the holidays?"
_TIMES = 15
#: Messages of the one long session, which stands on top of the list.
_LONG = 2_000
#: Messages that are imported; the rest of a large store is made of them.
_BLOCK = 2_000


def tell(
    url: Callable[[str], str],
    messages: int,
    set_up: Callable[[str, int], None],
    office: Address,
) -> None:
    """Print both, of a store of so many messages, beside those of a store of twenty sessions.

    ``url`` makes a name that of a store. Large ones are made in bulk, and not made again.
    """
    few = _asked(url("few"), 20, 20, set_up, office)
    many = _asked(url(f"many{messages}"), messages, _LONG, set_up, office)
    print(f"{'':40}{'median ms':>12}{'CPU ms':>9}  of a store of twenty sessions")
    for name, few_of, many_of in zip(("sessions", "a session"), few, many, strict=True):
        what = f"page of {name}, {messages:,} messages"
        ratio = many_of[1] / few_of[1]
        print(
            f"{what:40}{many_of[0] * 1000:12.1f}{many_of[1] * 1000:9.1f}  {ratio:.1f}", flush=True
        )


def _asked(
    store: str, messages: int, long: int, set_up: Callable[[str, int], None], office: Address
) -> list[tuple[float, float]]:
    """Seconds, by the clock and of CPU, of the list, and of the session that stands on top."""
    if not asyncio.run(_is_there(store)):
        people = max(20, min(messages, _BLOCK) // 20)
        set_up(store, people + 1)
        asyncio.run(_fill(store, messages, long, people, office))
    with serving(Options(0, 1, store), "--no-duties") as server:
        cookie = cookie_of(server)
        first, page = _time(server, cookie, "/")
        found = re.search(rb'href="(/sessions/[^"/?#]+)"', page)
        if found is None:
            raise RuntimeError("no session is on the page")
        session, _ = _time(server, cookie, found[1].decode())
        return [first, session]


async def _is_there(url: str) -> bool:
    store = open_store(url)
    try:
        return await store.get_private("bench-whole", DEFAULT_PROJECT) is not None
    finally:
        await store.close()


async def _fill(url: str, messages: int, long: int, people: int, office: Address) -> None:
    store = open_store(url)
    how = Settings(owner=(office,))
    block = min(messages, _BLOCK)
    every = (
        _message(f"m{n}", n * 7919 % people, timedelta(minutes=n * 500_000 // block), office)
        for n in range(block)
    )
    await import_messages(Seat(store, DEFAULT_PROJECT, how), every)
    if messages > block:
        small = MemoryStore()
        for type_ in TYPES:
            found = [one async for one in scan(store, DEFAULT_PROJECT, Query(type_))]
            writes = (
                Write(*one[:4], decode(one.body), one.body) for one in found if not one.deleted
            )
            await small.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))
        times = (messages - 1) // block
        await copy(small, store, DEFAULT_PROJECT, times, timedelta(seconds=37))
    last = (_message(f"l{n}", people, timedelta(days=400, seconds=n), office) for n in range(long))
    await import_messages(Seat(store, DEFAULT_PROJECT, how), last)
    await store.put_private("bench-whole", DEFAULT_PROJECT, b"1")
    await store.close()


def _message(id_: str, number: int, after: timedelta, office: Address) -> Message:
    sender = Address(AddressKind.PHONE, f"+1207{5_550_000 + number}")
    sent = _START + after
    return Message("sms", id_, sender, (office,), sent, _TEXT, _TEXT, sender.value)


def _time(server: Server, cookie: str, path: str) -> tuple[tuple[float, float], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    waits = []
    page = b""
    before = 0.0
    for number in range(_TIMES + 1):
        if number == 1:
            before = busy(server)
        began = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        page = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        waits.append(time.perf_counter() - began)
    used = busy(server) - before
    connection.close()
    return (median(waits[1:]), used / _TIMES), page
