"""``threadwell load`` against raw SQLite: the same rows, inserted, without any of the work.

python -m bench loading                  20,000 Communications
python -m bench loading --count 100000
"""

from __future__ import annotations

import argparse
import asyncio
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
            store = folder / f"{trusted}.db"
            total, taken, processor = asyncio.run(_load(store, file, trusted))
            raw = SameRows(store, folder / f"{trusted}-raw.db")
            started = time.process_time()
            rows, alone = raw.put(1000)
            assert rows == total
            used = time.process_time() - started
            what = "load --trusted" if trusted else "load"
            print(
                f"{what:16} {total / taken:8,.0f}/s ({processor / total * 1e6:5.1f} µs CPU)"
                f"   raw {rows / alone:8,.0f}/s   ratio {alone / taken:.2f}"
                f"   raw's CPU, reading the rows too, {used / rows * 1e6:.1f} µs"
            )


async def _load(path: Path, file: Path, trusted: bool) -> tuple[int, float, float]:
    store = SqliteStore.open(path)
    started, used = time.perf_counter(), time.process_time()
    loader = Loader(store, DEFAULT_PROJECT, lambda *_: None, trusted=trusted)
    loaded = await loader.load([file])
    taken, processor = time.perf_counter() - started, time.process_time() - used
    await store.close()
    return loaded.new, taken, processor
