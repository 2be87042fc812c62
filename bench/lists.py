"""How long the list of sessions and the page of a long session take, however large the store is."""

from __future__ import annotations

import asyncio
import http.client
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bench.faults.server import Options, Server, serving
from bench.listeners import busy, cookie_of
from threadwell.app import open_store
from threadwell.intake import Settings, import_messages
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

_START = datetime(2024, 1, 1, tzinfo=UTC)
_TEXT = "Good morning, the new dose agrees with me. Shall I come in before the holidays?"
_TIMES = 15
#: Messages of the one long session, which stands on top of the list.
_LONG = 2_000


def tell(folder: Path, messages: int, set_up: Callable[[str, int], None], office: Address) -> None:
    """Print both, of a store of so many messages, beside those of a store of twenty sessions."""
    print(f"{'':40}{'median ms':>12}{'CPU ms':>9}  of a store of twenty sessions")
    few = _asked(str(folder / "few.db"), 20, 20, set_up, office)
    many = _asked(str(folder / "many.db"), messages, _LONG, set_up, office)
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
    people = max(20, messages // 20)
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


async def _fill(url: str, messages: int, long: int, people: int, office: Address) -> None:
    store = open_store(url)
    every = (
        _message(f"m{n}", n * 7919 % people, timedelta(minutes=n * 500_000 // messages), office)
        for n in range(messages)
    )
    last = (_message(f"l{n}", people, timedelta(days=400, seconds=n), office) for n in range(long))
    how = Settings(owner=(office,))
    for some in (every, last):
        await import_messages(store, DEFAULT_PROJECT, some, how)
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
