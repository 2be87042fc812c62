"""Workers killed at any instant under load: nothing acknowledged is lost, nothing half-written."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time

from bench.faults.server import Options, Server, serving
from bench.faults.traffic import Seen, check, writes_and_reads


def run(options: Options) -> None:
    """A worker is killed about every second."""
    with serving(options) as server:
        if options.workers < 2:
            print("skipped: nobody starts a single worker anew")
            return
        seen, killed, gaps = Seen(), 0, []

        async def kill() -> None:
            nonlocal killed
            stop = time.monotonic() + options.seconds - 1
            while time.monotonic() < stop:
                await asyncio.sleep(random.uniform(0.3, 1.5))
                gaps.append(await asyncio.to_thread(kill_one, server))
                killed += 1

        async def both() -> None:
            load = writes_and_reads(server, seen, connections=16, seconds=options.seconds, reads=0)
            await asyncio.gather(load, kill())

        asyncio.run(both())
        restarts = server.metrics()["threadwell_worker_restarts_total"]
        print(
            f"{killed} killed, {restarts:.0f} started anew, the slowest {max(gaps):.1f} s:"
            f" {seen.told}"
        )
        print(f"{seen.lost} connections lost; of {len(seen.acknowledged):,} acknowledged", end=" ")
        print(f"{check(server, seen.acknowledged)} are missing")


def kill_one(server: Server) -> float:
    """Kill a worker; the seconds until another has its place."""
    before = server.workers()
    victim = random.choice(before)
    os.kill(victim, signal.SIGKILL)
    started = time.monotonic()
    while victim in server.workers():
        time.sleep(0.05)
    return time.monotonic() - started
