"""Killed at every step from a delivery to the record, and of a reply: nothing lost, nothing twice.

A process keeps what is delivered, acknowledges it, takes it in and puts states on messages. It is
killed (SIGKILL) before, during or after each of its calls to the store, one later each time; the
next one goes on. At the end each acknowledged message is in the record once, with its state. Then
the same with what is written here and sent (``sending``).
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from bench.faults import sending
from bench.faults.dying import NEVER, STORE, Deaths, Steps, child
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


def run(options: Options) -> None:
    """As many kills as fit into the time, of half of it for each direction: some ten a second."""
    with tempfile.TemporaryDirectory() as folder:
        url = options.store or str(Path(folder) / "killed.db")
        # What is loaded once is there in each process that is made of this one.
        asyncio.run(_warm())
        asyncio.run(_set_up(url))
        coming(url, options.seconds / 2)
        sending.going(url, options.seconds / 2)


def coming(url: str, seconds: float) -> None:
    """What is delivered, with kills."""
    acknowledged: set[int] = set()
    deaths, number, until = Deaths(), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        # A delivery that was not acknowledged is made again, as its provider would.
        some = [one for one in range(number) if one not in acknowledged][-20:]
        some += range(number, number + random.randrange(1, 6))
        number = max(some) + 1
        at, how = deaths.next()
        died, told = child(partial(_work, url, some, at, how))
        acknowledged |= told
        deaths.count(at, how, died)
    left = [one for one in range(number) if one not in acknowledged]
    died, told = child(partial(_work, url, left, NEVER, "before"))
    acknowledged |= told
    lost, doubled, stateless, wrong = asyncio.run(_check(url, acknowledged))
    print(f"in: {deaths}")
    print(
        f"of {len(acknowledged):,} acknowledged {lost} are missing, {doubled} doubled,"
        f" {stateless} without their state; findings: {wrong}"
    )
    if died or lost or doubled or stateless or wrong:
        raise SystemExit("something acknowledged is not as it should be")


async def _work(
    url: str, numbers: list[int], at: int, how: str, tell: Callable[[int], None]
) -> None:
    store: Store = Steps(at, how).of(open_store(url), STORE)
    for number in numbers:
        for delivery in random.sample(_deliveries(number), 3):
            await keep(store, DEFAULT_PROJECT, _ACCOUNT, delivery, _HEADERS)
        tell(number)
    taking = Taking(store, DEFAULT_PROJECT, live_channels(), channel_labels())
    telling = Telling(store, DEFAULT_PROJECT, pauses=(0.001,) * 10_000)
    await taking.round()
    await telling.round()
    if at == NEVER:
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
