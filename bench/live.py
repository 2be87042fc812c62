"""Messages as they come: how soon a delivery is acknowledged, and how fast the journal is taken in.

python -m bench live                                200 deliveries a second, 5,000 messages
python -m bench live --sustained 1000               delivered and taken in at once, for seconds
python -m bench live --rate 400 --messages 20000

A delivery is acknowledged once it is durable. Beside it stand a bare handler that answers the same
bytes at the same rate, and a raw commit of the same bytes. What is taken in is in full threads,
sessions and encounters; beside it stand an import of the same messages, and raw commits of them. A
page that is open hears of a message; beside a thousand of them stands one. The list of sessions and
a long session are read on a large store, and on one of twenty sessions. ``--pages 2000000 --kept``
and a folder make the large one once, in bulk, and read it again the next time. The clock tells
little where others use the machine: beside it stand CPU seconds of server and database.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

import uvloop

import postgres
from bench.commits import Row, raw_commits
from bench.faults.server import Options, serving
from bench.http import free_port, wait
from bench.listeners import heard
from bench.lists import tell
from bench.spent import cpu_seconds, family
from bench.sustained import sustained
from threadwell.app import channel_labels, live_channels, open_store
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.fhir.search.query import MissingFilter, Query, Total
from threadwell.intake import import_messages, import_people
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.journal import Entry, keep
from threadwell.intake.arrivals.reading import read_entry
from threadwell.intake.arrivals.settings import live_settings
from threadwell.intake.arrivals.taking import Taking
from threadwell.intake.collecting import rare_collections
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT

_OFFICE = Address(AddressKind.PHONE, "+12125550100")
_TOKEN = "f2b5a0d19c7e4a68"
_ACCOUNT = Account(
    "desk", "twilio", (_OFFICE,), {"account_sid": "AC" + "0" * 32, "auth_token": _TOKEN}
)
_HEADERS = frozenset({"content-type"})
_FORM = "application/x-www-form-urlencoded"
_START = datetime(2024, 4, 10, 9, tzinfo=UTC)
#: Of those who write, each sends five messages or so.
_EACH = 5
_SECONDS = 8.0
_TEXT = "Good morning, the new dose agrees with me. Shall I come in before the holidays?"


def main(arguments: list[str]) -> None:
    """Print all of it, on each store that is here."""
    parser = argparse.ArgumentParser(prog="bench live")
    parser.add_argument("--rate", type=float, default=200.0, help="deliveries a second")
    parser.add_argument("--messages", type=int, default=5_000, help="how many are taken in")
    parser.add_argument("--sustained", type=float, default=1_000.0, help="the same, taken in too")
    parser.add_argument("--listeners", type=int, default=1_000, help="open pages that hear of it")
    parser.add_argument("--pages", type=int, default=20_000, help="messages behind the pages")
    parser.add_argument("--kept", type=Path, help="where the stores behind the pages stay")
    parser.add_argument("--store", choices=("sqlite", "postgresql"), help="one store and not both")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.store != "postgresql":
            print("SQLite")
            _tell(given, folder, lambda what: str(folder / f"{what}.db"), given.kept, None)
        if given.store != "sqlite":
            binaries = postgres.find_binaries()
            if binaries is None:
                print("left out: no PostgreSQL is here")
                return
            server = postgres.start_server(binaries, durable=True)
            try:
                with rare_collections():
                    print("\nPostgreSQL")
                    (told,) = server.folder.rglob("postmaster.pid")
                    database = int(told.read_text().split()[0])
                    url = f"{server.url()}&schema=live_"
                    _tell(given, folder, lambda what: f"{url}{what}", None, database)
            finally:
                server.remove()


def _tell(
    given: argparse.Namespace,
    folder: Path,
    url: Callable[[str], str],
    kept: Path | None,
    database: int | None,
) -> None:
    """Print what was asked for on one store; ``url`` makes a name that of a new store.

    ``database`` is the process of another server that has it.
    """
    if given.rate:
        _acknowledged(folder, given.rate, url, database)
    if given.sustained:
        _sustained(given.sustained, url, database)
    if given.listeners:
        _heard(given.listeners, url, database)
    if given.pages:
        of_pages = url if kept is None else lambda what: str(kept / f"{what}.db")
        tell(of_pages, given.pages, lambda at, people: asyncio.run(_set_up(at, people)), _OFFICE)
    if given.messages:
        _taken(given.messages, url, database)


def _acknowledged(
    folder: Path, rate: float, url: Callable[[str], str], database: int | None
) -> None:
    """Print how long an acknowledgement takes, and what it takes to answer and to commit."""
    said = [_said(number, 50) for number in range(int(rate * _SECONDS))]
    waits: dict[str, list[float]] = {}
    costs: dict[str, float] = {}
    for name, more in (
        ("acknowledged, taken in meanwhile", ()),
        ("acknowledged", ("--no-duties",)),
    ):
        store = url(f"acknowledged{len(more)}")
        asyncio.run(_set_up(store, 50))
        with serving(Options(_SECONDS, 1, store), *more) as server:
            hook = f"{server.url}hooks/desk"
            requests = [_request(hook, server.port, one) for one in said]
            before = cpu_seconds(family(server.process.pid)) + _database_spent(database)
            waits[name] = uvloop.run(_sent(server.port, requests, rate))
            spent = cpu_seconds(family(server.process.pid)) + _database_spent(database) - before
            costs[name] = spent / len(requests) * 1e6
    waits["a bare handler"] = _bare(folder, requests, rate)
    waits["a raw commit"] = raw_commits(url("raw"), [_row(one) for one in said[:500]], 1)
    print(f"{'':40}{'median ms':>12}{'p99 ms':>9}  of a raw commit, {rate:,.0f} a second, CPU µs")
    raw = median(waits["a raw commit"])
    for name, those in waits.items():
        cost = f"{costs[name]:9.0f}" if name in costs else ""
        _tell_waits(name, those, f"{median(those) / raw:9.1f}{cost}")


def _sustained(rate: float, url: Callable[[str], str], database: int | None) -> None:
    """Print what holds out of deliveries that are taken in meanwhile."""
    count = int(rate * _SECONDS)
    people = max(1, count // _EACH)
    store = url("sustained")
    asyncio.run(_set_up(store, people))
    with serving(Options(_SECONDS, 1, store)) as server:
        hook = f"{server.url}hooks/desk"
        said = (_said(number, people) for number in range(count))
        requests = [_request(hook, server.port, one) for one in said]
        sustained(server, requests, rate, database)


def _heard(listeners: int, url: Callable[[str], str], database: int | None) -> None:
    """Print how long it takes until open pages hear of a message from when it is sent."""
    print(f"{'':40}{'median ms':>12}{'p99 ms':>9}  of one page, CPU ms a message: server, database")
    one = 0.0
    for number in (1, listeners):
        store = url(f"heard{number}")
        asyncio.run(_set_up(store, 5))
        with serving(Options(_SECONDS, 1, store)) as server:
            waits, busy, others = heard(server, number, database)
        one = one or median(waits)
        more = f"{median(waits) / one:9.1f}{busy * 1000:9.1f}{others * 1000:9.1f}"
        _tell_waits(f"heard of, {number:,} listening", waits, more)


def _tell_waits(name: str, waits: list[float], more: str) -> None:
    late = quantiles(waits, n=100)[98]
    print(f"{name:40}{median(waits) * 1000:12.2f}{late * 1000:9.2f}{more}", flush=True)


def _database_spent(database: int | None) -> float:
    return 0.0 if database is None else cpu_seconds(family(database))


def _taken(count: int, url: Callable[[str], str], database: int | None) -> None:
    """Print how fast messages are taken in: beside an import, and commits of what they say."""
    print(
        f"{'':40}{'messages/s':>12}{'of CPU':>9}  of an import, of raw commits by the hundred",
        end="",
    )
    print(", CPU µs of the database")
    taken, busy, others = asyncio.run(_taken_in(url("journal"), count, database, of_journal=True))
    imported, *_ = asyncio.run(_taken_in(url("imported"), count, database, of_journal=False))
    raw = sum(raw_commits(url("raw"), [_row(_said(one, 50)) for one in range(count)], 100))
    name = "journal taken in"
    print(f"{name:40}{count / taken:12,.0f}{count / busy:9,.0f}", end="")
    print(f"{imported / taken:9.2f}{raw / taken:9.3f}{others / count * 1e6:9.0f}", flush=True)


def _said(number: int, people: int) -> dict[str, str]:
    return {
        "MessageSid": f"SM{number:032x}",
        "SmsStatus": "received",
        "From": _phone(number * 7919 % people),
        "To": _OFFICE.value,
        "Body": f"{number}: {_TEXT}",
        "NumMedia": "0",
    }


def _row(said: dict[str, str]) -> Row:
    return said["MessageSid"], urlencode(said).encode()


def _phone(number: int) -> str:
    return f"+1207{5_550_000 + number}"


async def _set_up(url: str, people: int) -> None:
    store = open_store(url)
    rows = [{"kind": "organization", "id": "o", "family": "Bench", "phone": _OFFICE.value}]
    rows += [
        {"kind": "patient", "id": f"p{n}", "family": f"Family{n}", "phone": _phone(n)}
        for n in range(people)
    ]
    await import_people(store, DEFAULT_PROJECT, rows)
    await keep_account(store, DEFAULT_PROJECT, _ACCOUNT)
    await store.close()


def _request(url: str, port: int, said: dict[str, str]) -> bytes:
    signed = url + "".join(name + said[name] for name in sorted(said))
    digest = hmac.digest(_TOKEN.encode(), signed.encode(), "sha1")
    body = urlencode(said).encode()
    path = f"/{url.partition('://')[2].partition('/')[2]}"
    head = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"X-Twilio-Signature: {base64.b64encode(digest).decode()}",
        f"Content-Type: {_FORM}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


async def _sent(port: int, requests: list[bytes], rate: float) -> list[float]:
    """Seconds until each answer, sent at that rate whether the one before is answered or not."""
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    waits: list[float] = []

    async def one(request: bytes, due: float) -> None:
        await asyncio.sleep(due - time.perf_counter())
        began = time.perf_counter()
        reader, writer = free.pop() if free else await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await reader.readexactly(length)
        waits.append(time.perf_counter() - began)
        free.append((reader, writer))

    start = time.perf_counter() + 0.5
    await asyncio.gather(*(one(what, start + at / rate) for at, what in enumerate(requests)))
    for _, writer in free:
        writer.close()
    return waits


def _bare(folder: Path, requests: list[bytes], rate: float) -> list[float]:
    port, file = free_port(), folder / "answer"
    file.write_bytes(b"<Response/>")
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port), str(file)])
    try:
        wait(f"http://127.0.0.1:{port}/")
        same = [one.replace(b"POST /hooks/desk ", b"POST / ", 1) for one in requests]
        return uvloop.run(_sent(port, same, rate))
    finally:
        process.terminate()
        process.wait()


async def _taken_in(
    url: str, count: int, database: int | None, *, of_journal: bool
) -> tuple[float, float, float]:
    """Seconds until messages are in the record, out of the journal or by an import.

    By the clock, of this process's CPU, and of the database's.
    """
    people = max(1, count // _EACH)
    await _set_up(url, people)
    store = open_store(url)
    deliveries = [_delivery(number, people) for number in range(count)]
    if of_journal:
        for at in range(0, count, 100):
            some = deliveries[at : at + 100]
            await asyncio.gather(
                *(keep(store, DEFAULT_PROJECT, _ACCOUNT, one, _HEADERS) for one in some)
            )
        taking = Taking(store, DEFAULT_PROJECT, live_channels(), channel_labels())
        there = _database_spent(database)
        began, busy = time.perf_counter(), time.process_time()
        await taking.round()
    else:
        settings = await live_settings(store, DEFAULT_PROJECT, channel_labels())
        live = live_channels()
        there = _database_spent(database)
        made = (Entry(_ACCOUNT.name, _ACCOUNT.channel, one) for one in deliveries)
        began, busy = time.perf_counter(), time.process_time()
        items = (one for what in made for one in read_entry(what, live, _ACCOUNT, "US").items)
        await import_messages(Seat(store, DEFAULT_PROJECT, settings), items)
    taken, busy = time.perf_counter() - began, time.process_time() - busy
    there = _database_spent(database) - there
    query = Query("Communication", (MissingFilter("part-of", missing=False),), total=Total.ACCURATE)
    found = (await store.search(DEFAULT_PROJECT, query)).total
    await store.close()
    if found != count:
        raise RuntimeError(f"{found} messages are in the record instead of {count}")
    return taken, busy, there


def _delivery(number: int, people: int) -> Delivery:
    body = urlencode(_said(number, people)).encode()
    received = _START + timedelta(seconds=number * 3600 * 9 / 5_000)
    url = ("http://127.0.0.1/hooks/desk",)
    return Delivery("POST", url, {"content-type": _FORM}, body, received)
