"""Killed at every step between a delivery and the record: nothing acknowledged is lost or doubled.

A process keeps what is delivered, acknowledges it, takes it in and puts states on messages. It is
killed (SIGKILL) before, during or after each of its calls to the store, one later each time; the
next one goes on. At the end each acknowledged message is in the record once, with its state.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.faults.server import Options
from threadwell.app import channel_labels, live_channels, open_store
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.encounters.delivery import delivery_of, ids_of
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import import_people, verify
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.journal import ARRIVED, entries, keep
from threadwell.intake.arrivals.statuses import untold
from threadwell.intake.arrivals.taking import Taking
from threadwell.intake.arrivals.telling import Telling
from threadwell.intake.paging import search_all
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore

_OFFICE = Address(AddressKind.PHONE, "+12125550100")
_ACCOUNT = Account("desk", "twilio", (_OFFICE,), {"account_sid": "AC", "auth_token": "secret"})
_PEOPLE = 20
_START = datetime(2024, 4, 10, 9, tzinfo=UTC)
_HEADERS = frozenset({"content-type"})
_STEPS = (
    *("commit", "read", "read_many", "search", "changes", "position", "get_private"),
    *("get_private_many", "list_private", "put_private"),
)
_NONE_LEFT = 1 << 30


def run(options: Options) -> None:
    """As many kills as fit into the time: some ten a second."""
    # What is loaded once is there in each process that is made of this one.
    asyncio.run(_warm())
    with tempfile.TemporaryDirectory() as folder:
        url = options.store or str(Path(folder) / "killed.db")
        asyncio.run(_set_up(url))
        acknowledged: set[int] = set()
        kills: Counter[str] = Counter()
        step, number, longest, until = 1, 0, 0, time.monotonic() + options.seconds
        while time.monotonic() < until:
            # A delivery that was not acknowledged is made again, as its provider would.
            some = [one for one in range(number) if one not in acknowledged][-20:]
            some += range(number, number + random.randrange(1, 6))
            number = max(some) + 1
            how = ("before", "during", "after")[step % 3]
            died, told = _child(url, some, step // 3 + 1, how)
            acknowledged |= told
            kills[how] += died
            longest = max(longest, step // 3 + 1)
            step = step + 1 if died else 1
        left = [one for one in range(number) if one not in acknowledged]
        died, told = _child(url, left, _NONE_LEFT, "before")
        acknowledged |= told
        lost, doubled, stateless, wrong = asyncio.run(_check(url, acknowledged))
        print(f"{kills.total():,} kills, {dict(kills)}, at each of {longest} calls of the store")
        print(
            f"of {len(acknowledged):,} acknowledged {lost} are missing, {doubled} doubled,"
            f" {stateless} without their state; findings: {wrong}"
        )
        if died or lost or doubled or stateless or wrong:
            raise SystemExit("something acknowledged is not as it should be")


class _Dying:
    """A store of which a certain call is the last thing that its process does."""

    def __init__(self, store: Store, at: int, how: str) -> None:
        self._store, self._at, self._how, self._calls = store, at, how, 0

    def __getattr__(self, name: str) -> Any:
        real: Callable[..., Awaitable[object]] = getattr(self._store, name)
        if name not in _STEPS:
            return real

        async def call(*given: Any, **named: Any) -> object:
            self._calls += 1
            last = self._calls == self._at
            if last and self._how == "before":
                _die()
            if last and self._how == "during":
                threading.Timer(random.uniform(0, 0.004), _die).start()
            try:
                return await real(*given, **named)
            finally:
                if last:
                    _die()

        return call


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _child(url: str, numbers: list[int], at: int, how: str) -> tuple[bool, set[int]]:
    """Whether the process was killed, and what it had acknowledged."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        code = 1
        try:
            asyncio.run(_work(url, numbers, at, how, writing))
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    told = b""
    while part := os.read(reading, 65536):
        told += part
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("the process failed by itself")
    # A line that was not written whole was not read by anybody.
    return os.WIFSIGNALED(status), {int(one) for one in told.split(b"\n")[:-1]}


async def _work(url: str, numbers: list[int], at: int, how: str, tell: int) -> None:
    store: Any = _Dying(open_store(url), at, how)
    for number in numbers:
        for delivery in random.sample(_deliveries(number), 3):
            await keep(store, DEFAULT_PROJECT, _ACCOUNT, delivery, _HEADERS)
        os.write(tell, b"%d\n" % number)
    taking = Taking(store, DEFAULT_PROJECT, live_channels(), channel_labels())
    telling = Telling(store, DEFAULT_PROJECT, pauses=(0.001,) * 10_000)
    await taking.round()
    await telling.round()
    if at == _NONE_LEFT:
        while await untold(store, DEFAULT_PROJECT, 1):
            await telling.round()
    await store.close()


def _deliveries(number: int) -> list[Delivery]:
    """A message, the same once more, and a state that is told of it."""
    received = _START + timedelta(minutes=number)
    sid = f"SM{number:032x}"
    who = f"+1207{5_550_000 + number % _PEOPLE}"
    said = {"MessageSid": sid, "From": who, "To": _OFFICE.value}
    message = {**said, "SmsStatus": "received", "Body": f"Message {number}", "NumMedia": "0"}
    state = {**said, "MessageStatus": "delivered"}
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return [
        Delivery("POST", ("http://a.example.org/",), kind, urlencode(one).encode(), received)
        for one in (message, message, state)
    ]


async def _warm() -> None:
    store = MemoryStore()
    for delivery in _deliveries(0):
        await keep(store, DEFAULT_PROJECT, _ACCOUNT, delivery, _HEADERS)
    await Taking(store, DEFAULT_PROJECT, live_channels(), channel_labels()).round()
    await Telling(store, DEFAULT_PROJECT).round()


async def _set_up(url: str) -> None:
    store = open_store(url)
    rows = [{"kind": "organization", "id": "o", "family": "Desk", "phone": _OFFICE.value}]
    rows += [
        {"kind": "patient", "id": f"p{n}", "family": f"F{n}", "phone": f"+1207{5_550_000 + n}"}
        for n in range(_PEOPLE)
    ]
    await import_people(store, DEFAULT_PROJECT, rows)
    await keep_account(store, DEFAULT_PROJECT, _ACCOUNT)
    await store.close()


async def _check(url: str, acknowledged: set[int]) -> tuple[int, int, int, int]:
    store = open_store(url)
    found: Counter[str] = Counter()
    stated: set[str] = set()
    async for stored in search_all(store, DEFAULT_PROJECT, Query("Communication", count=1000)):
        body = decode(stored.body)
        if "partOf" in body and body["status"] != "entered-in-error":
            for _, sid in ids_of(body):
                found[sid] += 1
                if delivery_of(body) is not None:
                    stated.add(sid)
    sids = {f"SM{number:032x}" for number in acknowledged}
    wrong = len(await verify(store, DEFAULT_PROJECT))
    wrong += len(await entries(store, DEFAULT_PROJECT, ARRIVED))
    await store.close()
    doubled = sum(count > 1 for count in found.values())
    return len(sids - found.keys()), doubled, len(sids - stated), wrong
