"""Load that is held: memory stays flat, and late answers come no later at the end."""

from __future__ import annotations

import asyncio

from bench.faults.server import Options, serving
from bench.faults.traffic import Seen, check, writes_and_reads

_PARTS = 10


def run(options: Options) -> None:
    """Prints a line for each tenth of the time."""
    with serving(options) as server:
        print(f"{'':>6}{'per second':>11}{'p50 ms':>8}{'p99 ms':>8}{'MiB':>7}  failed  stored")
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
            print(f"{part + 1:>3}/{_PARTS}{rate}{server.resident():7.0f}{bad:8}{len(ids):8,}")
        print(f"of {len(ids):,} acknowledged {check(server, ids)} are missing")
