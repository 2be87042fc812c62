"""A write in one process is told in another: soon, once, in order, and after a break too."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

import postgres
import stem
from threadwell.app import open_store
from threadwell.fhir.stamp import new_id, now_ms, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Key, Store, Write
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.postgres.news import changes_after

CHILD = Path(__file__).with_name("news_child.py")


class Told(NamedTuple):
    """What a following process printed."""

    position: int
    id: str


@pytest.fixture(params=["sqlite", "postgres", "postgres with a pooler"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that several processes may use."""
    if request.param == "sqlite":
        return str(tmp_path / "threadwell.db")
    there: str = request.getfixturevalue("postgres_url")
    if "pooler" not in request.param:
        return there
    # A role whose connections find the schema by themselves.
    schema = there.rpartition("=")[2]
    server: postgres.Server = request.getfixturevalue("postgres_server")
    server.psql(f"CREATE ROLE {schema} SUPERUSER LOGIN")
    server.psql(f"ALTER ROLE {schema} SET search_path = {schema}")
    return there.replace("threadwell@", f"{schema}@") + "&pooler=on"


@contextmanager
def child(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed in the end."""
    command = [sys.executable, str(CHILD), *arguments]
    with stem.start(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    found = process.stdout.readline().strip()
    assert found, "it ended by itself"
    return found


@contextmanager
def follower(url: str, after: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A process that follows the store, and is about to listen."""
    with child("follow", url, str(after)) as process:
        assert line(process) == "ready"
        yield process


def told(process: subprocess.Popen[str], count: int) -> list[Told]:
    """The next that it was told."""
    parts = [line(process).split() for _ in range(count)]
    return [Told(int(position), id_) for position, id_ in parts]


async def put(store: Store, id_: str) -> None:
    """Create a patient."""
    now = now_ms()
    version = new_id(now)
    stamped, body = stamp({"resourceType": "Patient", "active": True}, id_, version, now)
    write = Write("Patient", id_, version, now, stamped, body)
    await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))


def test_another_process_is_told(url: str) -> None:
    async def run() -> None:
        store = open_store(url)
        await put(store, "p0")
        with follower(url) as process:
            assert [one.id for one in told(process, 1)] == ["p0"]
            for n in range(1, 16):
                await put(store, f"p{n}")
                (one,) = await asyncio.to_thread(told, process, 1)
                assert (one.position, one.id) == (n + 1, f"p{n}")
                # At any moment of the other's rounds.
                await asyncio.sleep(0.007 * n)
        await store.close()

    asyncio.run(run())


def test_nothing_is_missed_or_told_twice(url: str) -> None:
    """Two processes write at once; who follows is killed on the way, and another one goes on."""
    with (
        follower(url) as first,
        child("write", url, "a", "300") as a,
        child("write", url, "b", "300") as b,
    ):
        seen = told(first, 150)
        first.kill()
        with follower(url, seen[-1].position) as second, follower(url) as third:
            assert (line(a), line(b)) == ("done", "done")
            seen += told(second, 600 - len(seen))
            again = told(third, 600)
    assert [one.position for one in seen] == list(range(1, 601))
    assert sorted(one.id for one in seen) == sorted(f"{p}{n}" for p in "ab" for n in range(300))
    assert [one[:2] for one in again] == [one[:2] for one in seen]


def test_who_follows_outlives_a_database_that_restarts(postgres_binaries: Path) -> None:
    server = postgres.start_server(postgres_binaries, durable=True)
    try:

        async def run() -> None:
            store = open_store(server.url())
            await put(store, "p0")
            with follower(server.url()) as process:
                told(process, 1)
                server.stop("immediate")
                writing = asyncio.create_task(put(store, "p1"))
                await asyncio.sleep(1)
                await asyncio.to_thread(server.start)
                await writing
                assert [one[:2] for one in told(process, 1)] == [(2, "p1")]
                # And goes on hearing.
                await put(store, "p2")
                (one,) = await asyncio.to_thread(told, process, 1)
                assert one[:2] == (3, "p2")
            await store.close()

        asyncio.run(run())
    finally:
        server.remove()


class Hurried:
    """A connection on whose second statement somebody else has committed."""

    def __init__(self, connection: asyncpg.Connection, store: Store) -> None:
        self._connection, self._store = connection, store
        self.asked = 0

    async def fetch(self, *statement: object) -> object:
        self.asked += 1
        if self.asked == 2:
            await put(self._store, "meanwhile")
        return await self._connection.fetch(*statement)


def test_what_is_committed_while_one_looks_is_not_passed_over(postgres_url: str) -> None:
    async def run() -> None:
        store = PostgresStore(postgres_url)
        for id_ in ("a", "b", "last"):
            await put(store, id_)
        gone = [await store.read(DEFAULT_PROJECT, "Patient", id_) for id_ in ("a", "b")]
        deleted = [
            Write("Patient", one.id, new_id(now_ms()), now_ms(), None, b"", one)
            for one in gone
            if one is not None
        ]
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(deleted)))
        there = await store.read_many(DEFAULT_PROJECT, [Key("Patient", one.id) for one in deleted])
        await put(store, "end")
        await store.expunge(DEFAULT_PROJECT, list(there.values()))
        address = parse_address(postgres_url)
        connection = await asyncpg.connect(address.dsn, server_settings=address.settings)
        pid = await connection.fetchval("SELECT pid FROM change LIMIT 1")
        hurried: Any = Hurried(connection, store)
        # The first two are gone, and their ends told of last: what comes after them is read, and
        # what has come meanwhile.
        rows, is_all = await changes_after(hurried, pid, 0, 2)
        assert ([row["id"] for row in rows], is_all) == (["last"], False)
        rows, is_all = await changes_after(hurried, pid, rows[-1]["position"], 500)
        assert ([row["id"] for row in rows], is_all) == (["end", "a", "b", "meanwhile"], True)
        assert await changes_after(hurried, pid, rows[-1]["position"], 500) == ([], True)
        assert hurried.asked == 4
        await connection.close()
        await store.close()

    asyncio.run(run())
