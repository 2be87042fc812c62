"""A process that records, and says of each record when it is kept; until it is killed.

``python spool_child.py URL FOLDER NAME [drain]``
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from threadwell.app import open_store
from threadwell.audit.record import Record, Who
from threadwell.audit.trail import Trail
from threadwell.fhir.stamp import now_ms, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write


async def main(url: str, folder: str, name: str, *drains: str) -> None:
    store = open_store(url)
    trail = Trail(store, Path(folder))
    for n in count():
        asked = f"Patient/{name}-{n}"
        if n % 5 == 4:
            stamped, body = stamp({"resourceType": "Patient"}, f"{name}-{n}", "1", now_ms())
            write = Write("Patient", f"{name}-{n}", "1", now_ms(), stamped, body)
            await trail.store.commit(DEFAULT_PROJECT, ChangeSet((write,)))
        else:
            trail.note(
                DEFAULT_PROJECT, Record(at=now_ms(), act="read", by=Who(way="api"), asked=asked)
            )
        print(asked, flush=True)
        if drains and n % 20 == 19:
            await trail.drain()


asyncio.run(main(*sys.argv[1:]))
