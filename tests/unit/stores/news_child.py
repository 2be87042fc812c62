"""A process that writes to a store, or follows it.

``follow STORE AFTER`` prints the position and the id of each patient that it is told of.
``write STORE PREFIX COUNT`` creates so many patients, eight at a time, and prints ``done``.
"""

from __future__ import annotations

import asyncio
import sys

from threadwell.app import open_store
from threadwell.fhir.stamp import new_id, now_ms, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write


def patient(id_: str) -> Write:
    """The creation of a patient."""
    now = now_ms()
    version = new_id(now)
    stamped, body = stamp({"resourceType": "Patient", "active": True}, id_, version, now)
    return Write("Patient", id_, version, now, stamped, body)


async def write(url: str, prefix: str, count: int) -> None:
    store = open_store(url)
    room = asyncio.Semaphore(8)

    async def one(n: int) -> None:
        async with room:
            await store.commit(DEFAULT_PROJECT, ChangeSet((patient(f"{prefix}{n}"),)))

    await asyncio.gather(*(one(n) for n in range(count)))
    print("done", flush=True)
    await store.close()


async def follow(url: str, after: int) -> None:
    store = open_store(url)
    await store.position(DEFAULT_PROJECT)
    print("ready", flush=True)
    async for change in store.follow(DEFAULT_PROJECT, after):
        print(change.position, change.stored.id, flush=True)


if __name__ == "__main__":
    what, url, *arguments = sys.argv[1:]
    if what == "write":
        asyncio.run(write(url, arguments[0], int(arguments[1])))
    else:
        asyncio.run(follow(url, int(arguments[0])))
