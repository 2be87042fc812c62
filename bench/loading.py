"""``threadwell load`` against raw SQLite: the same rows, inserted, without any of the work.

By the clock, and by the CPU of the process that writes alone: on a machine with a core for each
process that is what the clock would say, whoever else uses the machine now.

python -m bench loading                  20,000 Communications
python -m bench loading --count 100000
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from itertools import chain
from pathlib import Path

from bench import practice
from bench.rows import SameRows
from threadwell.bulk.loading import Loader
from threadwell.intake.collecting import rare_collections
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.sqlite import SqliteStore

_COUNT = 20_000


def main(arguments: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="bench loading")
    parser.add_argument("--count", type=int, default=_COUNT, help="Communications")
    count = parser.parse_args(arguments).count
    with rare_collections(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "Communication.ndjson"
        writes = chain.from_iterable(map(practice.thread, range(count // practice.THREAD)))
        with file.open("wb") as out:
            for write in writes:
                out.write(write.body + b"\n")
        for trusted in (False, True):
            for workers in (0, 1):
                store = folder / f"{trusted}-{workers}.db"
                total, taken, own, every = asyncio.run(_load(store, file, trusted, workers))
                raw = SameRows(store, folder / f"{trusted}-{workers}-raw.db")
                started = time.process_time()
                rows, alone = raw.put(1000)
                assert rows == total
                used = time.process_time() - started
                raw.close()
                what = f"load{' --trusted' * trusted}, {workers + 1} processes"
                print(
                    f"{what:28} {total / taken:8,.0f}/s   raw {rows / alone:8,.0f}/s"
                    f"   ratio {alone / taken:.2f}; µs of CPU: {every / total * 1e6:.1f},"
                    f" of the writer {own / total * 1e6:.1f},"
                    f" raw {used / rows * 1e6:.1f} with reading the rows: {used / own:.2f}"
                )


async def _load(
    path: Path, file: Path, trusted: bool, workers: int
) -> tuple[int, float, float, float]:
    """How many are new, seconds by the clock, of CPU here, and of CPU with other processes."""
    store = SqliteStore.open(path)
    started, own, every = time.perf_counter(), time.process_time(), _used()
    loader = Loader(store, DEFAULT_PROJECT, lambda *_: None, trusted=trusted, workers=workers)
    loaded = await loader.load([file])
    taken, own = time.perf_counter() - started, time.process_time() - own
    every = _used() - every
    await store.close()
    return loaded.new, taken, own, every


def _used() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)
