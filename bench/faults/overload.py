"""More than it can do: the rest is refused at once, and what is taken is answered in time."""

from __future__ import annotations

import asyncio

from bench.faults.server import Options, serving
from bench.faults.traffic import Seen, check, writes_and_reads

_LIMIT = 50


def run(options: Options) -> None:
    """Ten times as many connections as a worker takes requests."""
    with serving(options, "--max-in-flight", str(_LIMIT)) as server:
        for connections in (_LIMIT // 2, _LIMIT * 10):
            seen = Seen()
            seconds = options.seconds / 2
            load = writes_and_reads(server, seen, connections=connections, seconds=seconds, reads=0)
            asyncio.run(load)
            print(
                f"{connections} connections for {options.workers} × {_LIMIT}: {seen.told}; "
                f"{seen.lost} connections lost, p99 {seen.late(0.99):.0f} ms, "
                f"{server.resident():.0f} MiB, missing: {check(server, seen.acknowledged)}"
            )
