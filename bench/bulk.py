"""A large store out of a small one: the record of some patients, many times, each under other ids.

An import of millions of messages takes most of an hour. What pages read is the same where the
record of some patients stands there many times over, moved in time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id
from threadwell.stores.contract import ChangeSet, Store, Stored, Write
from threadwell.stores.memory import MemoryStore
from threadwell.stores.scanning import scan

#: What a record is made of.
TYPES = ("Patient", "Encounter", "Communication", "Group", "Task")
_AT_ONCE = 1000
_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)((?:\.\d+)?Z)"')


async def copy(block: MemoryStore, store: Store, project: str, times: int, apart: timedelta) -> int:
    """Write the record of a block so many times; how many resources that makes.

    Each time is ``apart`` from the one before.
    """
    found = [one for type_ in TYPES async for one in scan(block, project, Query(type_))]
    ids = {one.id.encode() for one in found}
    written = 0
    some: list[Write] = []
    for number in range(times):
        for write in _moved(found, _renamed(ids, number), apart * number):
            some.append(write)
            if len(some) == _AT_ONCE:
                await store.commit(project, ChangeSet(tuple(some)))
                written += len(some)
                some = []
        if number % 100 == 99:
            print(f"{number + 1} of {times} blocks are there", flush=True)
    if some:
        await store.commit(project, ChangeSet(tuple(some)))
    return written + len(some)


def _renamed(ids: set[bytes], number: int) -> Mapping[bytes, bytes]:
    return {one: _id(one, number) for one in ids}


def _id(before: bytes, number: int) -> bytes:
    return str(UUID(bytes=sha256(b"%d %s" % (number, before)).digest()[:16])).encode()


def _moved(found: list[Stored], ids: Mapping[bytes, bytes], by: timedelta) -> Iterator[Write]:
    later: dict[bytes, bytes] = {}

    def renamed(match: re.Match[bytes]) -> bytes:
        return ids.get(match[0], match[0])

    def moved(match: re.Match[bytes]) -> bytes:
        there = later.get(match[0])
        if there is None:
            at = datetime.fromisoformat(match[1].decode()) + by
            there = later[match[0]] = b'"%s%s"' % (at.isoformat().encode(), match[2])
        return there

    for one in found:
        version = new_id(one.updated)
        body = _TIME.sub(moved, _ID.sub(renamed, one.body))
        body = body.replace(one.version_id.encode(), version.encode())
        id_ = ids[one.id.encode()].decode()
        yield Write(one.type, id_, version, one.updated, decode(body), body)
