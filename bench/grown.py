"""A store of millions out of one that `python -m bench.filled` has made: its record, many times.

An import of two millions takes an hour. What pages and searches read is the same where the record
of some thousands of patients stands there several times, each time of others with other numbers.

python -m bench.filled base.db 400000 2
python -m bench.grown base.db large.db 4
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import time
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

from msgspec.structs import replace

from bench.filled import EACH
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id
from threadwell.intake.collecting import rare_collections
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Stored, Write
from threadwell.stores.scanning import scan
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.prepare import work_out_together
from threadwell.stores.sqlite import SqliteStore

#: What is there several times; those who work there, and the organization, once.
_TYPES = ("Patient", "Group", "Encounter", "Communication", "Task")
_AT_ONCE = 4000
_WHAT = re.compile(
    rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|SM[0-9a-f]{32}|\+1207\d{7}|Family\d+"
)


async def grow(base: Path, large: Path, times: int) -> None:
    """Make the larger store, so many times as large."""
    shutil.copy(base, large)
    source, into = SqliteStore.open(base), SqliteStore.open(large)
    keys = await into.index_keys()
    staff = {
        one.id.encode()
        for type_ in ("Practitioner", "PractitionerRole", "Organization")
        async for one in scan(source, DEFAULT_PROJECT, Query(type_))
    }
    patients = await source.search(DEFAULT_PROJECT, Query("Patient", summary_count=True))
    people = -(-(patients.total or 0) // EACH) * EACH
    began, written = time.monotonic(), 0
    async with into.in_bulk():
        for number in range(1, times):
            another = _Another(number, people, staff)
            for type_ in _TYPES:
                some: list[Write] = []
                async for one in scan(source, DEFAULT_PROJECT, Query(type_)):
                    if not one.deleted:
                        some.append(another.of(one))
                    if len(some) == _AT_ONCE:
                        written += await _write(into, keys, some)
                        some = []
                written += await _write(into, keys, some)
                print(f"{time.monotonic() - began:.0f} s: {written} resources", flush=True)
    await source.close()
    await into.close()


async def _write(store: SqliteStore, keys: Keys, writes: list[Write]) -> int:
    if not writes:
        return 0
    worked, sheet = work_out_together(keys, DEFAULT_PROJECT, writes)
    each = tuple(replace(w, worked=one) for w, one in zip(writes, worked, strict=True))
    await store.commit(DEFAULT_PROJECT, ChangeSet(each, worked=sheet))
    return len(writes)


class _Another:
    """The record once more."""

    def __init__(self, number: int, people: int, staff: set[bytes]) -> None:
        self._number, self._people, self._staff = number, people, staff

    def of(self, one: Stored) -> Write:
        """The resource of the others that stands for one."""
        body = _WHAT.sub(self._renamed, one.body)
        version = new_id(one.updated)
        body = body.replace(self._id(one.version_id.encode()), version.encode())
        id_ = self._id(one.id.encode()).decode()
        return Write(one.type, id_, version, one.updated, decode(body), body)

    def _renamed(self, match: re.Match[bytes]) -> bytes:
        found = match[0]
        if found.startswith(b"+"):
            return b"+1207%07d" % (int(found[5:]) + self._number * self._people)
        if found.startswith(b"Family"):
            return b"Family%d" % (int(found[6:]) + self._number * self._people)
        if found.startswith(b"SM"):
            return b"SM%032x" % (int(found[2:], 16) + (self._number << 40))
        return self._id(found)

    def _id(self, before: bytes) -> bytes:
        if before in self._staff:
            return before
        digest = blake2b(before, digest_size=16, salt=self._number.to_bytes(8)).digest()
        return str(UUID(bytes=digest)).encode()


if __name__ == "__main__":
    with rare_collections():
        asyncio.run(grow(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
