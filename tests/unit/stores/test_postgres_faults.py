"""What happens to a PostgreSQL store when a process, the database or the way to it breaks."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

import postgres
import stem
from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    ChangeSet,
    Kept,
    StoreError,
    StoreSlow,
    Write,
)
from threadwell.stores.postgres import PostgresStore, group_rows
from threadwell.stores.suite.scenario import query

CHILD = Path(__file__).with_name("postgres_child.py")


@pytest.fixture(scope="module")
def durable(postgres_binaries: Path) -> Iterator[postgres.Server]:
    """A server that waits for the disk, as in earnest."""
    server = postgres.start_server(postgres_binaries, durable=True)
    yield server
    server.remove()


@pytest.fixture
def url(durable: postgres.Server, request: pytest.FixtureRequest) -> str:
    return f"{durable.url()}&schema={request.function.__name__[:60]}"


def child(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), *arguments]
    return stem.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def acknowledged(process: subprocess.Popen[str], least: int) -> list[str]:
    """The first ids that a writing process prints."""
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(least)]
    assert all(lines), "it ended by itself"
    return lines


def rest(process: subprocess.Popen[str]) -> list[str]:
    """What a process that ends printed further, but for a line that it could not finish."""
    assert process.stdout is not None
    text = process.stdout.read()
    process.wait(60)
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()
    return text[: text.rfind("\n") + 1].split()


def ids(url: str) -> list[str]:
    async def read() -> list[str]:
        store = PostgresStore.open(url)
        found: list[str] = []
        page = await store.search(DEFAULT_PROJECT, query("Patient?_count=1000"))
        while True:
            found += [stored.id for stored in page.matches]
            if not page.more:
                break
            search = query(f"Patient?_count=1000&_offset={len(found)}")
            page = await store.search(DEFAULT_PROJECT, search)
        await store.close()
        return found

    return asyncio.run(read())


def assert_whole(found: list[str], acknowledged: list[str]) -> None:
    """Everything acknowledged is there once, and of each pair both or none."""
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)
    alone = {id_.removesuffix("-too") for id_ in found if id_.endswith("-too")}
    assert alone == {id_ for id_ in found if not id_.endswith("-too")}


def test_of_two_processes_one_creates_what_neither_found(url: str) -> None:
    processes = [child("race", url, "300") for _ in range(2)]
    written: list[str] = []
    for _ in range(30):
        for process in processes:
            assert process.stdout is not None
            written += iter(lambda p=process: p.stdout.readline().strip(), "done")
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
    for process in processes:
        written += rest(process)
    assert sorted(set(written) - {"done"}) == sorted(f"v{n}" for n in range(300))
    assert len(ids(url)) == len([line for line in written if line != "done"]) == 300


def test_a_process_is_killed_in_mid_write(url: str) -> None:
    process = child("write", url, "a")
    seen = acknowledged(process, 200)
    process.kill()
    assert_whole(ids(url), seen + rest(process))


def test_the_database_crashes_in_mid_write(durable: postgres.Server, url: str) -> None:
    processes = [child("write", url, name) for name in ("a", "b")]
    seen = [id_ for process in processes for id_ in acknowledged(process, 100)]
    durable.stop("immediate")
    time.sleep(0.5)
    durable.start()
    # They go on by themselves.
    seen += [id_ for process in processes for id_ in acknowledged(process, 300)]
    for process in processes:
        process.kill()
        seen += rest(process)
    assert_whole(ids(url), seen)


def patient(id_: str) -> Write:
    version = new_id(1_712_739_600_000)
    resource = {"resourceType": "Patient", "active": True}
    stamped, body = stamp(resource, "any", version, 1_712_739_600_000)
    return Write("Patient", id_, version, 1_712_739_600_000, stamped, body)


class Cutter:
    """A way to the database that is cut, once, where the client sends a word.

    With ``arrives`` the word still reaches the server, and only its answer is lost.
    """

    def __init__(self, socket: Path, *, arrives: bool) -> None:
        self._socket = socket
        self._arrives = arrives
        self.word: bytes | None = None
        self.cut = 0
        self._connections: set[asyncio.Task[None]] = set()

    async def serve(self, work: Callable[[int], Awaitable[None]]) -> None:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        async with server:
            await work(server.sockets[0].getsockname()[1])
        await asyncio.gather(*self._connections)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        there, away = await asyncio.open_unix_connection(str(self._socket))
        back = asyncio.create_task(self._pass(there, writer))
        while data := await reader.read(65536):
            if self.word and self.word in data:
                self.word = None
                self.cut += 1
                back.cancel()
                await asyncio.wait([back])
                if self._arrives:
                    away.write(data)
                    await there.read(1)
                break
            away.write(data)
        back.cancel()
        away.close()
        writer.close()

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()


@pytest.mark.parametrize("arrives", [True, False], ids=["answer lost", "commit lost"])
@pytest.mark.parametrize("word", [b"COMMIT", b"INSERT INTO resource", b'COPY "resource"'])
def test_the_connection_is_lost_in_a_commit(
    durable: postgres.Server,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    word: bytes,
    arrives: bool,
) -> None:
    """Whatever became of the first try, the commit happens once and is acknowledged."""
    if word.startswith(b"COPY"):
        monkeypatch.setattr(group_rows, "_SMALL", 0)
    cutter = Cutter(durable.folder / ".s.PGSQL.5432", arrives=arrives)
    schema = f"cut_{word[:4].decode().lower()}_{arrives}".lower()

    async def work(port: int) -> None:
        there = f"postgresql://threadwell@127.0.0.1:{port}/postgres?sslmode=disable&schema={schema}"
        store = PostgresStore.open(there)
        await store.connect()
        cutter.word = word
        await store.commit(DEFAULT_PROJECT, ChangeSet((patient("ana"),)))
        assert cutter.cut == 1
        versions, total = await store.history(DEFAULT_PROJECT, "Patient", "ana", 10, 0)
        assert total == len(versions) == 1
        await store.close()

    asyncio.run(cutter.serve(work))


@pytest.mark.parametrize("arrives", [True, False], ids=["answer lost", "commit lost"])
@pytest.mark.parametrize(
    ("there", "kept"),
    [
        (None, Kept("lease", "a", b"mine", None)),
        (b"yours", Kept("lease", "a", b"mine", b"yours")),
        (b"yours", Kept("lease", "a", None, b"yours")),
        (b"yours", Kept("lease", "a", b"mine")),
    ],
)
def test_the_connection_is_lost_in_a_commit_of_private_values(
    durable: postgres.Server, url: str, there: bytes | None, kept: Kept, arrives: bool
) -> None:
    cutter = Cutter(durable.folder / ".s.PGSQL.5432", arrives=arrives)
    schema = f"cut_kept_{secrets.token_hex(4)}"

    async def work(port: int) -> None:
        url_ = f"postgresql://threadwell@127.0.0.1:{port}/postgres?sslmode=disable&schema={schema}"
        store = PostgresStore.open(url_)
        await store.put_private("lease", "a", there)
        cutter.word = b"COMMIT"
        await store.commit(DEFAULT_PROJECT, ChangeSet((), kept=(kept,)))
        assert cutter.cut == 1
        assert await store.get_private("lease", "a") == kept.value
        await store.close()

    asyncio.run(cutter.serve(work))


def test_what_postgres_cannot_hold_spoils_nothing_else(url: str) -> None:
    async def work() -> None:
        store = PostgresStore.open(url)
        commits = [
            store.commit(DEFAULT_PROJECT, ChangeSet((patient(id_),)))
            for id_ in ("ana", "b\0n", "c\ud800m", "dee")
        ]
        results = await asyncio.gather(*commits, return_exceptions=True)
        assert [type(result) for result in results] == [
            type(None),
            StoreError,
            StoreError,
            type(None),
        ]
        assert await store.read(DEFAULT_PROJECT, "Patient", "b\0n") is None
        assert await store.read("\ud800", "Patient", "ana") is None
        assert await store.get_private("client", "\0") is None
        assert (await store.search(DEFAULT_PROJECT, query("Patient?_id=%00,ana"))).matches
        assert not (await store.search(DEFAULT_PROJECT, query("Patient?name=%00"))).matches
        assert await store.read(DEFAULT_PROJECT, "Patient", "dee") is not None
        await store.close()

    asyncio.run(work())


def test_one_event_loop_after_another(url: str) -> None:
    store = PostgresStore.open(url)
    for id_ in ("ana", "ben"):
        asyncio.run(store.commit(DEFAULT_PROJECT, ChangeSet((patient(id_),))))
        found = asyncio.run(store.read(DEFAULT_PROJECT, "Patient", id_))
        assert found is not None
    asyncio.run(store.close())


def test_a_statement_without_end_is_broken_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threadwell.stores.postgres.database.LONGEST", 0.2)

    async def work() -> None:
        store = PostgresStore.open(url)
        with pytest.raises(StoreSlow, match="longer than"):
            await store._database.run(lambda connection: connection.execute(_ENDLESS))
        # The database has stopped as well.
        running = "SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND state = 'active'"
        assert await store._database.run(lambda c: c.fetchval(running, _ENDLESS)) == 0
        await store.close()

    asyncio.run(work())


#: Nothing else in the cluster asks this.
_ENDLESS = "SELECT pg_sleep(1000) AS for_ever"


def test_a_database_that_is_away_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("threadwell.stores.postgres.database.PATIENCE", 0.1)
    store = PostgresStore.open("postgresql://ana:secret@127.0.0.1:1/clinic")
    with pytest.raises(StoreError) as error:
        asyncio.run(store.read(DEFAULT_PROJECT, "Patient", "ana"))
    assert "127.0.0.1:1/clinic" in str(error.value)
    assert "secret" not in str(error.value)
