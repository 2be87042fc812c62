"""``threadwell load`` against raw SQLite or ``COPY``: the same rows, without any of the work.

By the clock, and by the CPU of the process that writes alone: on a machine with a core for each
process that is what the clock would say, whoever else uses the machine now.

python -m bench loading                  20,000 Communications
python -m bench loading --count 100000
python -m bench loading --postgres       into a PostgreSQL of its own, beside ``COPY``
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from itertools import chain
from pathlib import Path

import asyncpg

import postgres
from bench import practice
from bench.postgres import RawRows
from bench.rows import SameRows
from bench.spent import cpu_seconds, family
from threadwell.bulk.loading import Loader, at_once
from threadwell.intake.collecting import rare_collections
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

_COUNT = 20_000


def main(arguments: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="bench loading")
    parser.add_argument("--count", type=int, default=_COUNT, help="Communications")
    parser.add_argument("--postgres", action="store_true", help="into PostgreSQL")
    asked = parser.parse_args(arguments)
    count = asked.count
    if asked.postgres:
        _into_postgres(count)
        return
    with rare_collections(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = _lines(folder, count)
        for trusted in (False, True):
            for workers in (0, 1):
                store = folder / f"{trusted}-{workers}.db"
                total, taken, own, every = asyncio.run(_load(store, file, trusted, workers))
                raw = SameRows(store, folder / f"{trusted}-{workers}-raw.db")
                rows, alone = raw.put(at_once([file]))
                assert rows == total
                raw.close()
                what = f"load{' --trusted' * trusted}, {workers + 1} processes"
                print(
                    f"{what:28} {total / taken:8,.0f}/s   raw {rows / alone:8,.0f}/s"
                    f"   ratio {alone / taken:.2f}; µs of CPU: {every / total * 1e6:.1f},"
                    f" of the writer {own / total * 1e6:.1f},"
                    f" raw {raw.used / rows * 1e6:.1f}: {raw.used / own:.2f}"
                )


def _lines(folder: Path, count: int) -> Path:
    """A file of so many Communications."""
    file = folder / "Communication.ndjson"
    writes = chain.from_iterable(map(practice.thread, range(count // practice.THREAD)))
    with file.open("wb") as out:
        for write in writes:
            out.write(write.body + b"\n")
    return file


def _into_postgres(count: int) -> None:
    """Each way into a schema of its own, then the same rows by ``COPY``.

    CPU is that of all processes, the server's too.
    """
    binaries = postgres.find_binaries()
    if binaries is None:
        print("left out: no PostgreSQL is here")
        return
    server = postgres.start_server(
        binaries, durable=True, shared_buffers="512MB", max_wal_size="4GB"
    )
    try:
        with rare_collections(), tempfile.TemporaryDirectory() as name:
            file = _lines(Path(name), count)
            leader = int((server.folder / "pg" / "postmaster.pid").read_text().split()[0])
            for trusted in (False, True):
                for workers in (0, 1):
                    asyncio.run(_beside_copy(server.url(), file, trusted, workers, leader))
                    server.psql("DROP SCHEMA threadwell CASCADE; DROP SCHEMA raw_rows CASCADE")
    finally:
        server.remove()


async def _beside_copy(url: str, file: Path, trusted: bool, workers: int, leader: int) -> None:
    def used() -> float:
        return _used() + cpu_seconds(family(leader))

    store = PostgresStore.open(url)
    await store.connect()
    pool = await asyncpg.create_pool(url, min_size=1, max_size=2)
    raw = RawRows(pool)
    await raw.make()
    before = used()
    total, taken, _, _ = await _loaded(store, file, trusted, workers)
    ours = used() - before
    rows = await raw.taken(at_once([file]))
    before = used()
    rate, count = await raw.put(rows, 1)
    assert count == total
    theirs = used() - before
    await pool.close()
    await store.close()
    print(
        f"load{' --trusted' * trusted}, {workers + 1} processes".ljust(28),
        f"{total / taken:8,.0f}/s   COPY {rate:8,.0f}/s   ratio {total / taken / rate:.2f};"
        f" µs of CPU with the server's: {ours / total * 1e6:.1f},"
        f" COPY {theirs / total * 1e6:.1f}: {theirs / ours:.2f}",
        flush=True,
    )


async def _load(
    path: Path, file: Path, trusted: bool, workers: int
) -> tuple[int, float, float, float]:
    """How many are new, seconds by the clock, of CPU here, and of CPU with other processes."""
    store = SqliteStore.open(path)
    found = await _loaded(store, file, trusted, workers)
    await store.close()
    return found


async def _loaded(
    store: Store, file: Path, trusted: bool, workers: int
) -> tuple[int, float, float, float]:
    started, own, every = time.perf_counter(), time.process_time(), _used()
    loader = Loader(store, DEFAULT_PROJECT, lambda *_: None, trusted=trusted, workers=workers)
    loaded = await loader.load([file])
    taken, own = time.perf_counter() - started, time.process_time() - own
    every = _used() - every
    return loaded.new, taken, own, every


def _used() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)
