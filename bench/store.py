"""The SQLite store against raw SQLite: the same rows, inserted, and the bodies read by id.

python -m bench store                   over 20,000 Communications
python -m bench store --large 500000    and the searches again over so many
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from statistics import median
from urllib.parse import parse_qsl

import apsw

from bench import practice
from bench.rows import same_rows
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Query
from threadwell.intake.collecting import rare_collections
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.sqlite import SqliteStore

_SMALL = 20_000
_TASKS = 32


def main(arguments: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="bench store")
    parser.add_argument("--large", type=int, default=0, help="Communications in a second run")
    options = parser.parse_args(arguments)
    # As imports and servers do.
    with rare_collections(), tempfile.TemporaryDirectory() as folder:
        asyncio.run(_small(Path(folder)))
        if options.large:
            asyncio.run(_large(Path(folder), options.large))


async def _small(folder: Path) -> None:
    threads = _SMALL // practice.THREAD
    writes = list(chain.from_iterable(map(practice.thread, range(threads))))
    raw = _raw_insert(folder / "raw.db", writes)
    print(f"{'raw insert of the bodies, one batch':40} {_rate(raw, len(writes))}")

    store = SqliteStore.open(folder / "batches.db")
    await _written("change sets of 1000", store, folder / "batches.db", threads, 1)
    await _reads(store, folder / "raw.db", writes)
    await _searches(store, threads)
    await store.close()

    store = SqliteStore.open(folder / "tasks.db")
    name = f"change sets of 1 from {_TASKS} tasks"
    await _written(name, store, folder / "tasks.db", threads, _TASKS)
    await store.close()
    for name in ("raw", "batches"):
        size = (folder / f"{name}.db").stat().st_size
        print(f"size of {name + '.db':32} {size / len(writes):8,.0f} bytes a resource")


async def _large(folder: Path, communications: int) -> None:
    threads = communications // practice.THREAD
    store = SqliteStore.open(folder / "large.db")
    writes = chain.from_iterable(map(practice.thread, range(threads)))
    start = time.perf_counter()
    count = 0
    for batch in _batches(writes, 2000):
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(batch)))
        count += len(batch)
    taken = time.perf_counter() - start
    print(f"\n{communications:,} Communications")
    print(f"made and written in change sets of 2000  {_rate(taken, count)}")
    small = SqliteStore.open(folder / "batches.db")
    print(f"{_SMALL:,} and {communications:,} Communications in turns")
    await _growth(small, store, threads)
    await small.close()
    await store.close()


async def _written(name: str, store: SqliteStore, path: Path, threads: int, tasks: int) -> None:
    """Each thousand in turns with the same rows in raw SQLite, as the machine has its moods.

    One task commits all of them by one change set; more of them each by one of its own.
    """

    async def work(waiting: Iterator[Write]) -> None:
        for write in waiting:
            await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))

    raw, taken, count = [], [], 0
    with same_rows(path) as rows:
        for batch in _batches(_writes(threads), 1000):
            start = time.perf_counter()
            if tasks == 1:
                await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(batch)))
            else:
                waiting = iter(batch)
                await asyncio.gather(*(work(waiting) for _ in range(tasks)))
            taken.append(time.perf_counter() - start)
            raw.append(rows.put(1000 if tasks == 1 else tasks)[1])
            count += len(batch)
    print(f"{'raw insert of the rows of these':40} {_rate(sum(raw), count)}")
    middle = median(ours / theirs for ours, theirs in zip(taken, raw, strict=True))
    print(f"{name:40} {_rate(sum(taken), count)}   {middle:5.2f} × raw (in the middle)")


def _writes(threads: int) -> Iterator[Write]:
    """Made as they are needed, as in life: what lies long in memory is slow to read again."""
    return chain.from_iterable(map(practice.thread, range(threads)))


async def _reads(store: SqliteStore, raw: Path, writes: list[Write]) -> None:
    sample = writes[:: len(writes) // 5000]
    connection = apsw.Connection(str(raw))
    sql = "SELECT body FROM resource WHERE id = ?"
    start = time.perf_counter()
    for write in sample:
        connection.execute(sql, (write.id,)).fetchall()
    raw_taken = time.perf_counter() - start
    connection.close()
    start = time.perf_counter()
    for write in sample:
        await store.read(DEFAULT_PROJECT, write.type, write.id)
    taken = time.perf_counter() - start
    print(f"{'raw SELECT body WHERE id':40} {_rate(raw_taken, len(sample))}")
    print(f"{'read':40} {_rate(taken, len(sample), raw_taken)}")


async def _searches(store: SqliteStore, threads: int) -> None:
    for name, searches in _guide(threads).items():
        queries = [_query(search) for search in searches]
        times = []
        found = 0
        for _ in range(5):
            for query in queries:
                start = time.perf_counter()
                page = await store.search(DEFAULT_PROJECT, query)
                times.append(time.perf_counter() - start)
                found = len(page.matches) or page.total or 0
        print(f"  {name:32} {median(times) * 1e6:8,.0f} µs  ({found} found)")


async def _growth(small: SqliteStore, large: SqliteStore, threads: int) -> None:
    """Searches of two stores in turns, so that the machine's moods hit both."""
    few, many = _guide(_SMALL // practice.THREAD), _guide(threads)
    for name, searches in few.items():
        times: tuple[list[float], list[float]] = [], []
        for _ in range(5):
            for one, other in zip(map(_query, searches), map(_query, many[name]), strict=False):
                for store, query, taken in ((small, one, times[0]), (large, other, times[1])):
                    start = time.perf_counter()
                    await store.search(DEFAULT_PROJECT, query)
                    taken.append(time.perf_counter() - start)
        less, more = (median(taken) * 1e6 for taken in times)
        print(f"  {name:36}{less:8,.0f} µs{more:8,.0f} µs  {more / less:.2f} times as long")


def _guide(threads: int) -> dict[str, list[str]]:
    """The searches of the guide and the inbox, each for several threads or people."""
    some = range(7, threads, max(1, threads // 20))
    header = [f"Communication/{practice.header_id(n)}" for n in some]
    encounter = [f"Encounter/{practice.encounter_id(n)}" for n in some]
    patient = [f"Patient/{practice.patient_id(n)}" for n in some]
    practitioner = [f"Practitioner/{practice.practitioner_id(n)}" for n in range(20)]
    headers = "Communication?part-of:missing=true"
    active = f"{headers}&status:not=completed,entered-in-error,stopped,unknown"
    virtual = "http://terminology.hl7.org/CodeSystem/v3-ActCode|VR"
    return {
        "messages of a thread by sent": [f"Communication?part-of={h}&_sort=sent" for h in header],
        "open threads by -_lastUpdated": [f"{active}&_sort=-_lastUpdated"],
        "threads of an encounter": [f"{headers}&encounter={e}" for e in encounter],
        "encounters of class VR": [f"Encounter?class={virtual}"],
        "threads by recipient": [f"{headers}&recipient={p}" for p in practitioner],
        "threads by recipient, newest": [
            f"{active}&recipient={p}&_sort=-_lastUpdated" for p in practitioner
        ],
        "a patient's threads": [f"{headers}&subject={p}" for p in patient],
        "a message by identifier": [
            f"Communication?identifier=https://example.org/thread|{h.partition('/')[2]}"
            for h in header
        ],
        "last messages by -sent": ["Communication?_sort=-sent"],
        "messages of one day": ["Communication?sent=2024-01-01"],
        "a sender's messages of one day": [
            f"Communication?sender={p}&sent=2024-01-01" for p in practitioner
        ],
        "all types of one resource, counted": ["Encounter?_summary=count"],
    }


def _query(search: str) -> Query:
    type_, _, parameters = search.partition("?")
    return parse_query(type_, parse_qsl(parameters))


def _raw_insert(path: Path, writes: list[Write]) -> float:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE resource (id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT")
    start = time.perf_counter()
    with connection:
        connection.executemany(
            "INSERT INTO resource VALUES (?, ?)", ((write.id, write.body) for write in writes)
        )
    taken = time.perf_counter() - start
    connection.close()
    return taken


def _batches(writes: Iterable[Write], size: int) -> Iterator[list[Write]]:
    rest = iter(writes)
    while batch := list(islice(rest, size)):
        yield batch


def _rate(taken: float, count: int, against: float | None = None) -> str:
    line = f"{count / taken:9,.0f}/s {taken / count * 1e6:8.1f} µs"
    return line if against is None else f"{line}   {taken / against:5.2f} × raw"
