"""The database file: who may read it, which files are refused, how it is migrated."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import apsw
import pytest

from threadwell.stores.contract import DEFAULT_PROJECT, StoreError
from threadwell.stores.sql.entries import INDEX_VERSION
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sqlite import SqliteStore
from threadwell.stores.sqlite.database import migrations, open_database, open_reader, setting
from threadwell.stores.sqlite.reindex import reindex_if_old
from threadwell.stores.suite.scenario import Desk
from threadwell.stores.suite.world import WORLD


def _schema(connection: apsw.Connection) -> list[tuple[object, ...]]:
    sql = "SELECT name, sql FROM sqlite_schema ORDER BY name"
    return connection.execute(sql).fetchall()


async def _fill(path: Path) -> None:
    store = SqliteStore.open(path)
    desk = Desk(store)
    await desk.commit(*map(desk.write, WORLD))
    await store.close()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    async def run() -> None:
        store = SqliteStore.open(tmp_path / "threadwell.db")
        desk = Desk(store)
        await desk.put({"resourceType": "Patient", "id": "ana"})
        rights = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        names = ("threadwell.db", "threadwell.db-shm", "threadwell.db-wal")
        assert rights == dict.fromkeys(names, 0o600)
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("content", [b"no database at all, though long enough" * 100, b"x"])
def test_another_kind_of_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a Threadwell database"):
        SqliteStore.open(path)
    assert path.read_bytes() == content


def test_another_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE note (text)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a Threadwell database"):
        SqliteStore.open(path)
    assert path.read_bytes() == before


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "threadwell.db"
    connection = open_database(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer Threadwell"):
        SqliteStore.open(path)


def test_an_index_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "threadwell.db"
    connection = open_database(path)
    connection.execute("UPDATE setting SET value = CAST('99' AS BLOB) WHERE name = 'index'")
    connection.close()
    with pytest.raises(StoreError, match="index of this store has version 99"):
        SqliteStore.open(path)
    connection = open_database(path)
    assert setting(connection, "index") == b"99"
    connection.close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        SqliteStore.open(tmp_path / "nowhere" / "threadwell.db")


@pytest.mark.parametrize("version", range(1, len(migrations()) + 1))
def test_a_migrated_database_equals_a_fresh_one(tmp_path: Path, version: int) -> None:
    fresh = open_database(tmp_path / "fresh.db")
    old = open_database(tmp_path / "old.db")
    for name, _ in _schema(old):
        if not str(name).startswith("sqlite_"):
            old.execute(f"DROP TABLE IF EXISTS {name}" if "_" not in str(name) else "SELECT 1")
    for sql in migrations()[:version]:
        old.execute(sql)
    old.execute("INSERT INTO setting VALUES ('secret', ?), ('index', ?)", (b"s" * 16, b"0"))
    old.execute(f"PRAGMA user_version = {version}")
    old.close()
    migrated = open_database(tmp_path / "old.db")
    assert _schema(migrated) == _schema(fresh)
    assert migrated.pragma("user_version") == fresh.pragma("user_version") == len(migrations())


def test_an_index_of_an_older_kind_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("threadwell.stores.sqlite.reindex._AT_ONCE", 1)
    path = tmp_path / "threadwell.db"
    asyncio.run(_fill(path))
    connection = open_database(path)
    before = connection.execute("SELECT * FROM posting").fetchall()
    assert before
    connection.execute("DELETE FROM posting; UPDATE resource SET present = 0")
    connection.execute("INSERT INTO posting VALUES (1, 2, 3)")
    keys = Keys(setting(connection, "secret"))
    reindex_if_old(connection, keys)
    assert connection.execute("SELECT * FROM posting").fetchall() == [(1, 2, 3)]
    assert not caplog.messages
    connection.execute("UPDATE setting SET value = x'30' WHERE name = 'index'")
    reindex_if_old(connection, keys)
    (told,) = caplog.messages
    assert told.startswith("The index is made anew")
    assert connection.execute("SELECT * FROM posting").fetchall() == before
    connection.close()


def test_a_reader_keeps_little_of_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "threadwell.db"
    writer = open_database(path)
    writer.execute("BEGIN")
    for number in range(24):
        writer.execute("INSERT INTO content VALUES (?, 'x', zeroblob(1048576))", (number,))
    writer.execute("COMMIT")
    reader = open_reader(path)
    for connection in (writer, reader):
        assert connection.execute("SELECT sum(length(hex(bytes))) FROM content").fetchall()
        used, _ = connection.status(apsw.SQLITE_DBSTATUS_CACHE_USED)
        assert used < 12 * 2**20
        connection.close()


def test_what_an_older_index_lacks_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("threadwell.stores.sqlite.reindex._AT_ONCE", 1)
    path = tmp_path / "threadwell.db"
    asyncio.run(_fill(path))
    connection = open_database(path)
    every = "SELECT * FROM posting"
    before = connection.execute(every).fetchall()
    connection.execute(
        "DELETE FROM posting WHERE rid IN (SELECT rid FROM resource WHERE type = 'Task')"
    )
    connection.execute("UPDATE setting SET value = x'38' WHERE name = 'index'")
    connection.execute("INSERT INTO posting VALUES (1, 2, 3)")
    assert len(connection.execute(every).fetchall()) < len(before)
    reindex_if_old(connection, Keys(setting(connection, "secret")))
    # What is right stays as it is.
    assert sorted(connection.execute(every).fetchall()) == sorted([*before, (1, 2, 3)])
    assert not caplog.messages
    assert int(setting(connection, "index")) == INDEX_VERSION
    connection.close()


def test_what_was_written_is_there_when_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "threadwell.db"
    asyncio.run(_fill(path))

    async def run() -> list[str]:
        store = SqliteStore.open(path)
        found = await Desk(store).ids("Patient?family=prado&_sort=birthdate")
        await store.close()
        return found

    assert asyncio.run(run()) == ["cem", "ana"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["threadwell.db"]


def test_a_backup_is_taken_up_as_a_database_of_its_own(tmp_path: Path) -> None:
    asyncio.run(_fill(tmp_path / "threadwell.db"))
    backup = tmp_path / "backup.db"
    apsw.Connection(str(tmp_path / "threadwell.db")).execute("VACUUM INTO ?", (str(backup),))

    async def run() -> None:
        store = SqliteStore.open(backup)
        desk = Desk(store)
        assert (await desk.search("Patient?_summary=count")).total
        await desk.put({"resourceType": "Patient", "id": "later"})
        # So that reads go on while it is written to.
        assert (tmp_path / "backup.db-wal").stat().st_size
        await store.close()

    asyncio.run(run())


BASE = "https://fhir.clinic.example/fhir/R4"


def _about(id_: str, patient: str) -> dict[str, object]:
    subject = {"reference": f"{BASE}/Patient/{patient}"}
    return {"resourceType": "Communication", "id": id_, "status": "completed", "subject": subject}


def test_a_process_that_does_not_know_a_base_leaves_no_trace(tmp_path):
    """What it writes is put right by the next one that adds the base; what it removes is gone."""

    async def run():
        path = tmp_path / "threadwell.db"
        knowing, unknowing = SqliteStore.open(path), SqliteStore.open(path)
        await knowing.known_as(BASE)
        desk, other = Desk(knowing), Desk(unknowing)
        await desk.put(_about("a", "ana"), _about("b", "ana"))
        await other.put(_about("a", "ben"), _about("c", "ana"))
        before = await desk.read("Communication", "b")
        await other.commit(other.deletion(before))
        first = await desk.ids("Communication?subject=Patient/ana")
        await knowing.known_as(BASE)
        second = {who: await desk.ids(f"Communication?subject={who}") for who in ("ana", "ben")}
        third = await other.ids(f"Communication?subject={BASE}/Patient/ana")
        await unknowing.known_as()
        await desk.put(_about("a", "ana"))
        fourth = await other.ids("Communication?subject=Patient/ana")
        await knowing.close()
        await unknowing.close()
        again = SqliteStore.open(path)
        assert await again.known_as() == {BASE}
        await Desk(again).put(_about("d", "ana"))
        fifth = await Desk(again).ids("Communication?subject=Patient/ana&_sort=_id")
        await again.close()
        return first, second, third, fourth, fifth

    first, second, third, fourth, fifth = asyncio.run(run())
    assert first == []
    assert second == {"ana": ["c"], "ben": ["a"]}
    assert third == []
    assert fourth == ["a", "c"]
    assert fifth == ["a", "c", "d"]


def test_of_what_was_expunged_no_word_is_left_in_it(tmp_path: Path) -> None:
    path = tmp_path / "threadwell.db"

    def patient(n: int) -> dict[str, object]:
        names = [{"family": f"zebra{n}x{m}", "text": "zebra " * m} for m in range(n % 60)]
        return {"resourceType": "Patient", "id": f"p{n}", "name": names}

    async def run() -> None:
        store = SqliteStore.open(path)
        desk = Desk(store)
        several = await desk.put(*map(patient, range(300)))
        await desk.commit(*map(desk.deletion, several))
        gone = [await desk.must_read(one.type, one.id) for one in several]
        await store.expunge(DEFAULT_PROJECT, gone)
        await store.close()

    asyncio.run(run())
    for file in tmp_path.iterdir():
        assert b"zebra" not in file.read_bytes(), file.name
