"""PostgreSQL: the store beside raw asyncpg, and searches at 20,000 messages and at more.

``python -m bench postgres [--large N]`` starts a server of its own, durable, on this machine, so
that client and server share its cores. Rates are per second. ``--large`` fills the store up to N
messages by its own commits and asks the same searches again.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import asyncpg
import uvloop

import postgres
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake.collecting import rare_collections
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Key, Write
from threadwell.stores.postgres import PostgresStore

_START = 1_712_739_600_000
_TASKS = 32
_THREAD = 20
#: What a create writes to.
_TABLES = ("resource", "posting", "folded", "change")
#: Threads of the store that is filled first.
_SMALL = 1_000
_SYSTEM = "https://example.org/ids"
_CLASS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

#: What the guide searches; ``{n}`` is the number of a thread.
SEARCHES: dict[str, str] = {
    "thread by sent": "Communication?part-of=Communication/h{n}&_sort=sent",
    "open threads by -_lastUpdated": "Communication?part-of:missing=true"
    "&status:not=completed,entered-in-error,stopped,unknown&_sort=-_lastUpdated",
    "headers of an encounter": "Communication?encounter=Encounter/e{n}&part-of:missing=true",
    "encounters VR": f"Encounter?class={_CLASS}|VR&_sort=-_lastUpdated",
    "threads by recipient": "Communication?recipient=Practitioner/d{d}&part-of:missing=true"
    "&_sort=-_lastUpdated",
    "message by identifier": "Communication?identifier=" + _SYSTEM + "|m{n}-3",
}


def thread(n: int) -> list[dict[str, Any]]:
    """The resources of one thread: encounter, header, twenty messages."""
    patient = {"reference": f"Patient/p{n}"}
    doctor = {"reference": f"Practitioner/d{n % 25}"}
    day = time.strftime("%Y-%m-%dT", time.gmtime(_START / 1000 + 600 * n))
    header: dict[str, Any] = {
        "resourceType": "Communication",
        "id": f"h{n}",
        "identifier": [{"system": _SYSTEM, "value": f"h{n}"}],
        "status": "completed" if n % 10 else "in-progress",
        "topic": {"text": "Knee pain"},
        "subject": patient,
        "sender": patient,
        "recipient": [doctor, patient],
        "encounter": {"reference": f"Encounter/e{n}"},
        "sent": f"{day}09:00:00Z",
    }
    encounter = {
        "resourceType": "Encounter",
        "id": f"e{n}",
        "status": "finished",
        "class": {"system": _CLASS, "code": "VR" if n % 2 else "AMB"},
        "subject": patient,
        "period": {"start": f"{day}09:00:00Z", "end": f"{day}10:00:00Z"},
    }
    messages = [message(f"m{n}-{m}", n, f"{day}09:{m:02d}:00Z") for m in range(_THREAD)]
    return [encounter, header, *messages]


def message(id_: str, n: int, sent: str) -> dict[str, Any]:
    """A message of a thread, of about 1 KB."""
    patient = {"reference": f"Patient/p{n}", "display": f"Patient number {n}"}
    return {
        "resourceType": "Communication",
        "id": id_,
        "identifier": [{"system": _SYSTEM, "value": id_}],
        "status": "completed",
        "partOf": [{"reference": f"Communication/h{n}"}],
        "subject": patient,
        "sender": patient,
        "recipient": [{"reference": f"Practitioner/d{n % 25}"}],
        "medium": [{"coding": [{"code": "SMSWRIT"}]}],
        "sent": sent,
        "received": sent,
        "payload": [{"contentString": "It still hurts when I climb stairs. " * 12}],
    }


class Clock:
    """A millisecond later at each look."""

    def __init__(self) -> None:
        self.now = _START

    def write(self, resource: dict[str, Any]) -> Write:
        """The resource as a first version."""
        self.now += 1
        version = new_id(self.now)
        stamped, body = stamp(resource, resource["id"], version, self.now)
        type_ = resource["resourceType"]
        return Write(type_, resource["id"], version, self.now, stamped, body)


async def rate(work: Sequence[Callable[[], Awaitable[object]]], tasks: int = _TASKS) -> float:
    """How much of ``work`` is done in a second by so many tasks."""
    todo = iter(work)

    async def one() -> None:
        for do in todo:
            await do()

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(tasks)))
    return len(work) / (time.perf_counter() - start)


def groups(writes: Sequence[Write], size: int) -> Iterator[Sequence[Write]]:
    for start in range(0, len(writes), size):
        yield writes[start : start + size]


async def commits(
    store: PostgresStore, writes: Sequence[Write], size: int, tasks: int = 4
) -> float:
    """Resources a second, in change sets of ``size`` from so many tasks."""
    sets = [ChangeSet(tuple(group)) for group in groups(writes, size)]
    work = [lambda s=s: store.commit(DEFAULT_PROJECT, s) for s in sets]
    return len(writes) / len(sets) * await rate(work, tasks)


class RawRows:
    """Tables of the store's shape, which are given the rows that the store wrote, by ``COPY``."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._last = 0

    async def make(self) -> None:
        """Make the tables, for what the store writes from now on."""
        await self._pool.execute("DROP SCHEMA IF EXISTS raw_rows CASCADE; CREATE SCHEMA raw_rows")
        for table in _TABLES:
            await self._pool.execute(
                f"CREATE TABLE raw_rows.{table} (LIKE threadwell.{table} INCLUDING ALL)"
            )
        self._last = await self._pool.fetchval("SELECT max(rid) FROM threadwell.resource") or 0

    async def rate(self, size: int, tasks: int) -> float:
        """Resources a second, of those that are new in the store.

        The rows of ``size`` resources are one commit, made before the clock runs, of as many
        connections as there are tasks.
        """
        return (await self.put(await self.taken(size), tasks))[0]

    async def taken(self, size: int) -> list[dict[str, list[Any]]]:
        """The rows of the resources that are new in the store, so many resources a commit."""
        commits: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for table in _TABLES:
            sql = f"SELECT * FROM threadwell.{table} WHERE rid > $1"
            for row in await self._pool.fetch(sql, self._last):
                commits[(row["rid"] - self._last - 1) // size][table].append(tuple(row))
        for rows in commits.values():
            rows["posting"].sort()
        self._last += sum(len(rows["resource"]) for rows in commits.values())
        return [rows for _, rows in sorted(commits.items())]

    async def put(self, commits: list[dict[str, list[Any]]], tasks: int) -> tuple[float, int]:
        """Put them in by ``COPY``: resources a second, and how many there were."""
        count = sum(len(rows["resource"]) for rows in commits)

        async def commit(rows: dict[str, list[Any]]) -> None:
            async with self._pool.acquire() as connection, connection.transaction():
                for table, given in rows.items():
                    await connection.copy_records_to_table(
                        table, schema_name="raw_rows", records=given
                    )

        done = await rate([lambda r=r: commit(r) for r in commits], tasks)
        return done * count / len(commits), count


async def beside_raw(
    name: str,
    store: PostgresStore,
    pool: asyncpg.Pool,
    writes: Iterator[Write],
    size: int,
    tasks: int,
) -> None:
    """Tell what the store and raw tables take in a second, each thousand of the writes in turns.

    Change sets of ``size`` from so many tasks; where they are single, the raw commits are of as
    many resources as there are tasks. The writes are made as they are needed, as in life: what
    lies long in memory is slow to read again.
    """
    raw = RawRows(pool)
    await raw.make()
    found = []
    while part := list(islice(writes, 1000)):
        ours = await commits(store, part, size, tasks)
        by = (size, tasks) if size > 1 else (tasks, 1)
        found.append((ours, await raw.rate(*by)))
    rates = [statistics.median(column) for column in zip(*found, strict=True)]
    middle = statistics.median(theirs / ours for ours, theirs in found)
    print(f"  {name:32}{rates[0]:10,.0f}/s   raw {rates[1]:10,.0f}/s   {middle:5.2f} × its time")


async def reads(store: PostgresStore, pool: asyncpg.Pool, keys: Sequence[Key]) -> None:
    ours = await rate([lambda k=k: store.read(DEFAULT_PROJECT, *k) for k in keys])
    sql = "SELECT body FROM threadwell.resource WHERE pid = 1 AND id = $1 AND type = $2"
    raw = await rate([lambda k=k: pool.fetchval(sql, k.id, k.type) for k in keys])
    tell(f"reads from {_TASKS} tasks", ours, raw)


async def searches(store: PostgresStore, threads: int) -> None:
    """The time of each search, the median of many, alone on the machine; and its rate."""
    for name, search in SEARCHES.items():
        asked = queries(search, threads)
        together = await rate([lambda q=q: store.search(DEFAULT_PROJECT, q) for q in asked * 4])
        alone = statistics.median([await timed(store, query) for query in asked])
        print(f"  {name:32}{alone:8.2f} ms alone{together:10,.0f}/s with {_TASKS} at once")


async def growth(small: PostgresStore, large: PostgresStore, threads: int) -> None:
    """The same searches of two stores in turns, so that the machine's moods hit both."""
    for name, search in SEARCHES.items():
        few, many = queries(search, _SMALL), queries(search, threads)
        times: tuple[list[float], list[float]] = [], []
        for one, other in zip(few, many, strict=True):
            times[0].append(await timed(small, one))
            times[1].append(await timed(large, other))
        less, more = map(statistics.median, times)
        print(f"  {name:32}{less:8.2f} ms{more:8.2f} ms{more / less:8.2f} times as long")


def queries(search: str, threads: int) -> list[Query]:
    """The search for 300 threads."""
    out = []
    for i in range(300):
        n = (i * 7919) % threads
        type_, _, text = search.format(n=n, d=n % 25).partition("?")
        params = [
            (name, value) for part in text.split("&") for name, _, value in [part.partition("=")]
        ]
        out.append(parse_query(type_, params))
    return out


async def timed(store: PostgresStore, query: Query) -> float:
    """Milliseconds of a search."""
    start = time.perf_counter()
    await store.search(DEFAULT_PROJECT, query)
    return (time.perf_counter() - start) * 1000


def tell(name: str, ours: float, raw: float) -> None:
    print(f"  {name:32}{ours:10,.0f}/s   raw {raw:10,.0f}/s   {raw / ours:5.2f} × its time")


async def run(url: str, large: int) -> None:
    store = PostgresStore.open(url)
    await store.connect()
    pool = await asyncpg.create_pool(url, min_size=8, max_size=8, reset=_nothing)
    clock = Clock()
    filling = (clock.write(resource) for n in range(_SMALL) for resource in thread(n))
    print("written, beside all of the same rows by COPY, in turns")
    await beside_raw("change sets of 1000, in turn", store, pool, filling, 1000, 1)
    sent = "2024-05-01T09:00:00Z"
    more = (clock.write(message(f"s{i}", i % 1000, sent)) for i in range(10_000))
    await beside_raw("change sets of 100 from 4 tasks", store, pool, more, 100, 4)
    more = (clock.write(message(f"t{i}", i % 1000, sent)) for i in range(6_000))
    await beside_raw(f"single creates from {_TASKS} tasks", store, pool, more, 1, _TASKS)
    keys = [Key("Communication", f"m{n}-{m}") for n in range(_SMALL) for m in range(_THREAD)]
    await reads(store, pool, keys)
    print("searches at 20,000 messages")
    await pool.execute("VACUUM ANALYZE")
    await searches(store, _SMALL)
    if large:
        small = PostgresStore.open(f"{url}&schema=small")
        filling = (clock.write(resource) for n in range(_SMALL) for resource in thread(n))
        await commits(small, list(filling), 200)
        start = time.perf_counter()
        threads = large // _THREAD
        for first in range(_SMALL, threads, 500):
            last = min(first + 500, threads)
            part = [clock.write(r) for n in range(first, last) for r in thread(n)]
            await commits(store, part, 200)
        print(f"filled up to {large:,} messages in {time.perf_counter() - start:,.0f} s")
        await pool.execute("VACUUM ANALYZE")
        await searches(store, threads)
        print(f"20,000 and {large:,} messages in turns")
        await growth(small, store, threads)
        await small.close()
    await pool.close()
    await store.close()


async def _nothing(_: object) -> None:
    return None


def main(arguments: list[str]) -> None:
    """``--large N``: also search N messages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=0)
    known, _ = parser.parse_known_args(arguments)
    binaries = postgres.find_binaries()
    if binaries is None:
        print("left out: no PostgreSQL is here")
        return
    server = postgres.start_server(
        binaries, durable=True, shared_buffers="512MB", max_wal_size="4GB"
    )
    try:
        with rare_collections():  # as imports and servers do
            uvloop.run(run(server.url(), known.large))
    finally:
        server.remove()


if __name__ == "__main__":
    main(sys.argv[1:])
