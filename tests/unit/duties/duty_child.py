"""A process with one duty: each round adds its name to a list in the store.

``duty_child.py STORE NAME [guarded]``: what is guarded commits only while it still has the lease.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from threadwell.app import open_store
from threadwell.duties.duty import Duty
from threadwell.duties.lease import still_held
from threadwell.duties.rota import perform
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Kept


async def main(url: str, name: str, guarded: bool) -> None:
    store = open_store(url)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def round_() -> float:
        before = await store.get_private("test", "done")
        kept = Kept("test", "done", (before or b"") + f"{name} ".encode())
        guard = still_held() if guarded else ()
        if guarded:
            # Long enough to be put to sleep in the middle of it.
            await asyncio.sleep(0.3)
        await store.commit(DEFAULT_PROJECT, ChangeSet((), kept=(kept, *guard)))
        return 0.1

    print("ready", flush=True)
    await perform(store, DEFAULT_PROJECT, [Duty("count", round_, heeds_stirs=False)], stop)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:] == ["guarded"]))
