"""Load that is held: memory and the write-ahead log stay flat, late answers come no later."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.faults.server import Options, Server, serving
from bench.faults.traffic import Seen, check, writes_and_reads

_PARTS = 10


def run(options: Options) -> None:
    """Prints a line for each tenth of the time."""
    with serving(options) as server:
        times = f"{'per second':>11}{'p50 ms':>8}{'p99 ms':>8}"
        print(f"{'':>6}{times}{'MiB':>7}{'log MB':>8}  failed  stored")
        ids: list[str] = []
        for part in range(_PARTS):
            seen = Seen()
            seconds = options.seconds / _PARTS
            load = writes_and_reads(server, seen, connections=32, seconds=seconds)
            asyncio.run(load)
            ids += seen.acknowledged
            good = seen.statuses[200] + seen.statuses[201]
            bad = seen.statuses.total() - good + seen.lost
            rate = f"{good / seconds:11,.0f}{seen.late(0.5):8.2f}{seen.late(0.99):8.2f}"
            size = f"{server.resident():7.0f}{_log(server):8.0f}"
            print(f"{part + 1:>3}/{_PARTS}{rate}{size}{bad:8}{len(ids):8,}", flush=True)
        print(f"of {len(ids):,} acknowledged {check(server, ids)} are missing")


def _log(server: Server) -> float:
    """MB of SQLite's write-ahead log; 0 on another store."""
    log = Path(f"{server.store}-wal")
    return log.stat().st_size / 1e6 if log.is_file() else 0.0
