"""Told to stop under load: every request that was taken is answered, within seconds."""

from __future__ import annotations

import asyncio
import time

from bench.faults.server import Options, serving
from bench.faults.traffic import Seen, check, writes_and_reads


def run(options: Options) -> None:
    """SIGTERM in the middle of the load; a second server tells what was kept."""
    seen = Seen()
    with serving(options) as server:

        async def stop() -> float:
            await asyncio.sleep(options.seconds / 2)
            started = time.monotonic()
            server.process.terminate()
            await asyncio.to_thread(server.process.wait)
            return time.monotonic() - started

        async def both() -> float:
            # Nobody listens any more after that: what is left of the time is not needed.
            load = writes_and_reads(
                server, seen, connections=32, seconds=options.seconds / 2 + 3, reads=0
            )
            return (await asyncio.gather(stop(), load))[0]

        seconds = asyncio.run(both())
        print(f"{seen.told}; stopped within {seconds:.1f} s, exit code {server.process.returncode}")
        with serving(Options(0, 1, server.store)) as again:
            missing = check(again, seen.acknowledged)
        print(f"of {len(seen.acknowledged):,} acknowledged {missing} are missing")
