"""A store in a file lets go of pages while nobody asks it anything."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw

from threadwell.fhir.stamp import now_ms, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Key, Write
from threadwell.stores.idle import Idle
from threadwell.stores.sqlite import SqliteStore


def _write(number: int) -> Write:
    resource = {"resourceType": "Basic", "code": {"text": "x" * 2000}}
    stamped, body = stamp(resource, f"b{number}", "1", now_ms())
    return Write("Basic", f"b{number}", "1", now_ms(), stamped, body)


def _used(connection: apsw.Connection) -> int:
    return connection.status(apsw.SQLITE_DBSTATUS_CACHE_USED)[0]


def test_pages_go_and_come_again(tmp_path: Path) -> None:
    async def run() -> None:
        store = SqliteStore.open(tmp_path / "practice.db")
        assert isinstance(store, Idle)
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(_write, range(500)))))
        keys = [Key("Basic", f"b{number}") for number in range(500)]
        assert len(await store.read_many(DEFAULT_PROJECT, keys)) == 500
        connections = store._reading, store._writing
        before = [_used(one) for one in connections]
        store.rest()
        for one, used in zip(connections, before, strict=True):
            assert _used(one) < used / 4
        assert len(await store.read_many(DEFAULT_PROJECT, keys)) == 500
        # What is being written is not disturbed.
        writing = asyncio.create_task(
            store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(_write, range(500, 900)))))
        )
        while not writing.done():
            store.rest()
            await asyncio.sleep(0)
        await writing
        assert await store.read(DEFAULT_PROJECT, "Basic", "b899") is not None
        await store.close()

    asyncio.run(run())
