"""The database crashes and comes back, again and again, while it is written to.

Starts a PostgreSQL of its own, as the tests do.
"""

from __future__ import annotations

import asyncio
import time

import postgres
from bench.faults.server import Options, serving
from bench.faults.traffic import Seen, check, writes_and_reads

#: Seconds that it is well, and that it is away.
_WELL, _AWAY = 2.0, 0.5


def run(options: Options) -> None:
    """Every crash is one of the whole database; what it acknowledged is on the disk."""
    binaries = postgres.find_binaries()
    if binaries is None:
        print("skipped: there is no PostgreSQL (make test installs it)")
        return
    database = postgres.start_server(binaries, durable=True)
    try:
        store = f"{database.url()}&schema=faults"
        _show(Options(options.seconds, options.workers, store), database)
    finally:
        database.remove()


def _show(options: Options, database: postgres.Server) -> None:
    with serving(options) as server:
        seen, crashes = Seen(), 0

        async def crash() -> None:
            nonlocal crashes
            stop = time.monotonic() + options.seconds - _WELL - _AWAY
            while time.monotonic() < stop:
                await asyncio.sleep(_WELL)
                await asyncio.to_thread(database.stop, "immediate")
                await asyncio.sleep(_AWAY)
                await asyncio.to_thread(database.start)
                crashes += 1

        async def both() -> None:
            load = writes_and_reads(server, seen, connections=16, seconds=options.seconds, reads=0)
            await asyncio.gather(load, crash())

        asyncio.run(both())
        restarts = server.metrics()["threadwell_worker_restarts_total"]
        print(
            f"{crashes} crashes: {seen.told}; slowest answer {seen.late(1) / 1000:.1f} s", end="; "
        )
        print(f"{seen.lost} connections lost, {restarts:.0f} workers started anew")
        missing = check(server, seen.acknowledged)
        print(f"of {len(seen.acknowledged):,} acknowledged {missing} are missing")
