"""A process that writes to a store until it is killed, or as often as it is told.

``write URL PREFIX`` creates patients as fast as it can and prints the id of each that is
acknowledged. ``race URL COUNT`` creates patients under conditions that another process has too,
ten whenever it is sent a line, prints the identifiers of those that it wrote, and ``done``.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count

from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.stamp import new_id, now_ms, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Conflict, Unmatched, Write
from threadwell.stores.postgres import PostgresStore


def patient(id_: str, value: str) -> Write:
    """The creation of a patient with an identifier."""
    resource = {
        "resourceType": "Patient",
        "identifier": [{"system": "https://example.org/ids", "value": value}],
    }
    version = new_id(now_ms())
    stamped, body = stamp(resource, id_, version, now_ms())
    return Write("Patient", id_, version, now_ms(), stamped, body)


async def write(url: str, prefix: str) -> None:
    store = PostgresStore.open(url)

    async def one(numbers: count[int]) -> None:
        while True:
            id_ = f"{prefix}-{next(numbers)}"
            pair = (patient(id_, id_), patient(f"{id_}-too", id_))
            await store.commit(DEFAULT_PROJECT, ChangeSet(pair))
            print(id_, flush=True)

    numbers: count[int] = count()
    await asyncio.gather(*(one(numbers) for _ in range(8)))


async def race(url: str, often: int) -> None:
    store = PostgresStore.open(url)
    await store.connect()
    print("done", flush=True)

    async def one(value: str) -> None:
        query = parse_query("Patient", [("identifier", f"https://example.org/ids|{value}")])
        new = ChangeSet((patient(new_id(now_ms()), value),), unmatched=(Unmatched(query),))
        try:
            await store.commit(DEFAULT_PROJECT, new)
        except Conflict:
            return
        print(value, flush=True)

    for first in range(0, often, 10):
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(one(f"v{n}") for n in range(first, first + 10)))
        print("done", flush=True)
    await store.close()


if __name__ == "__main__":
    what, url, argument = sys.argv[1:]
    asyncio.run(write(url, argument) if what == "write" else race(url, int(argument)))
