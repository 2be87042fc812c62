"""New entries of the index wait in the file during an import; nothing is found later for that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import apsw
import pytest

from tests.unit.stores.test_sheet import by_another, in_sqlite, index_of, patient, write
from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    ChangeSet,
    Conflict,
    Key,
    StoreError,
    Unmatched,
)
from threadwell.stores.sql.keys import every
from threadwell.stores.sqlite import SqliteStore, sheets
from threadwell.stores.sqlite.counting import Counting
from threadwell.stores.sqlite.database import open_database
from threadwell.stores.suite.scenario import Desk, query

ALL = "Patient?birthdate=ge1900&_count=50"
#: By an identifier, as an import asks for circles.
ONE = "Patient?identifier=urn:x|3"


async def commit(store: SqliteStore, first: int, count: int = 5) -> None:
    writes = tuple(write(patient(number)) for number in range(first, first + count))
    await store.commit(DEFAULT_PROJECT, await by_another(store, ChangeSet(writes)))


async def found(store: SqliteStore, asked: str = ALL) -> list[str]:
    page = await store.search(DEFAULT_PROJECT, query(asked))
    return sorted(one.id for one in page.matches)


def waiting(path: Path) -> int:
    """How many sheets wait in the file."""
    connection = apsw.Connection(str(path))
    ((count,),) = connection.execute("SELECT count(*) FROM sheet").fetchall()
    connection.close()
    assert isinstance(count, int)
    return count


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def run(path: Path) -> Callable[[Callable[[SqliteStore], Awaitable[None]]], None]:
    """Runs an import of ten patients, and something else while all of them wait; at its end the
    index has what is stored.
    """

    def run(meanwhile: Callable[[SqliteStore], Awaitable[None]]) -> None:
        async def session(store: SqliteStore, asked: object) -> None:
            async with store.in_bulk():
                await commit(store, 0)
                await commit(store, 5)
                assert waiting(path) == 2
                await meanwhile(store)
            assert waiting(path) == 0
            there, expected = await index_of(store, asked)
            assert there == expected

        asyncio.run(in_sqlite(str(path), session))

    return run


def test_at_the_end_everything_is_in_the_index(run):
    async def nothing(_: SqliteStore) -> None:
        pass

    run(nothing)


def test_whoever_imports_finds_what_waits(run, path):
    async def meanwhile(store: SqliteStore) -> None:
        assert len(await found(store)) == 10
        assert waiting(path) == 0

    run(meanwhile)


def test_another_process_finds_what_waits(run, path):
    async def meanwhile(_: SqliteStore) -> None:
        other = SqliteStore.open(path)
        assert len(await found(other)) == 10
        assert waiting(path) == 0
        await other.close()

    run(meanwhile)


def test_what_cannot_match_goes_on_waiting(run, path):
    async def meanwhile(store: SqliteStore) -> None:
        assert await found(store, "Patient?identifier=urn:x|77") == []
        assert await found(store, "Practitioner?identifier=urn:x|3") == []
        assert waiting(path) == 2
        assert await found(store, ONE) == ["p3"]
        assert waiting(path) == 0

    run(meanwhile)


@pytest.mark.parametrize(
    "asked",
    [
        "Patient?identifier=urn:x|77&_total=accurate",
        "Patient?identifier=urn:x|77&_summary=count",
        "Patient?identifier:not=urn:x|77",
        "Patient?identifier=urn:x|77&_revinclude=Communication:subject",
        "Patient?_has:Communication:subject:identifier=urn:x|77",
    ],
)
def test_what_counts_includes_or_leads_elsewhere_sees_everything(run, path, asked):
    async def meanwhile(store: SqliteStore) -> None:
        await store.search(DEFAULT_PROJECT, query(asked))
        assert waiting(path) == 0

    run(meanwhile)


def test_what_waits_is_changed_and_deleted(run):
    async def meanwhile(store: SqliteStore) -> None:
        old, gone = [await store.read(DEFAULT_PROJECT, "Patient", id_) for id_ in ("p2", "p7")]
        assert gone is not None
        writes = (write(patient(2, "Eva"), old), Desk(store).deletion(gone))
        await store.commit(DEFAULT_PROJECT, ChangeSet(writes))
        assert await found(store, "Patient?family=Eva") == ["p2"]
        assert len(await found(store, "Patient?family=Ana")) == 8

    run(meanwhile)


def test_what_waits_is_matched_by_conditions(run):
    async def meanwhile(store: SqliteStore) -> None:
        refused = ChangeSet((write(patient(20)),), unmatched=(Unmatched(query(ONE)),))
        with pytest.raises(Conflict):
            await store.commit(DEFAULT_PROJECT, refused)

    run(meanwhile)


def test_search_parameters_and_bases_change_while_it_waits(run, path):
    async def meanwhile(store: SqliteStore) -> None:
        asked = "Patient?general-practitioner=Practitioner/1&_count=50"
        await store.known_as("https://a.example/fhir")
        assert len(await found(store, asked)) == 10
        await commit(store, 30)
        await store.change_parameters(
            DEFAULT_PROJECT, lambda now: now.turned("Patient", "gender", on=False)
        )
        assert waiting(path) == 0
        await commit(store, 40)
        while (await store.index(DEFAULT_PROJECT)).pending:
            pass
        assert len(await found(store, asked)) == 20

    run(meanwhile)


def test_what_waits_is_expunged(run):
    async def meanwhile(store: SqliteStore) -> None:
        there = await store.read(DEFAULT_PROJECT, "Patient", "p3")
        assert there is not None
        await store.commit(DEFAULT_PROJECT, ChangeSet((Desk(store).deletion(there),)))
        await commit(store, 50)
        deleted = await store.read_many(DEFAULT_PROJECT, [Key("Patient", "p3")])
        await store.expunge(DEFAULT_PROJECT, list(deleted.values()))
        assert await found(store, ONE) == []

    run(meanwhile)


def test_more_than_may_wait_goes_into_the_index(run, path, monkeypatch):
    async def meanwhile(store: SqliteStore) -> None:
        monkeypatch.setattr(sheets, "MOST_DEFERRED", 1)
        await commit(store, 60)
        assert waiting(path) == 0

    run(meanwhile)


def test_a_list_that_was_counted_meanwhile_is_counted_whole_afterwards(run, monkeypatch):
    monkeypatch.setattr("threadwell.stores.sqlite.counting.SHORT", 0)

    async def meanwhile(store: SqliteStore) -> None:
        key = (await store.index_keys()).key(every(DEFAULT_PROJECT, "Patient"))
        reader, pid = store._searcher.reader, store._pid(DEFAULT_PROJECT)
        counting = Counting(reader, DEFAULT_PROJECT, pid, "Patient")
        assert len(await found(store)) == counting.length(key) == 10
        await commit(store, 70)
        assert counting.length(key) == 10
        assert len(await found(store)) == counting.length(key) == 15

    run(meanwhile)


@pytest.mark.parametrize("room", [True, False])
def test_large_sheets_wait_and_go_in(run, path, monkeypatch, room):
    def no_room(**_: object) -> None:
        raise OSError(28, "No space left on device")

    async def meanwhile(store: SqliteStore) -> None:
        await commit(store, 100, 2000)
        await commit(store, 3000, 2000)
        assert waiting(path) == 4
        if not room:
            monkeypatch.setattr(sheets, "NamedTemporaryFile", no_room)
        page = await store.search(DEFAULT_PROJECT, query("Patient?family=Ana&_summary=count"))
        assert page.total == 4010
        assert waiting(path) == 0

    run(meanwhile)


def test_an_import_that_was_killed_leaves_nothing_that_is_not_found(path):
    async def killed() -> None:
        store = SqliteStore.open(path)
        store._writer.expect(much=True)
        await commit(store, 0)
        await store.close()

    async def after() -> None:
        store = SqliteStore.open(path)
        assert len(await found(store)) == 5
        await store.close()

    asyncio.run(killed())
    assert waiting(path) == 1
    asyncio.run(after())
    assert waiting(path) == 0


def test_where_nothing_can_be_written_it_is_said_that_something_waits(path, monkeypatch):
    async def killed() -> None:
        store = SqliteStore.open(path)
        store._writer.expect(much=True)
        await commit(store, 0)
        await store.close()

    asyncio.run(killed())
    open_database(path).close()
    monkeypatch.setattr("threadwell.stores.sqlite.store.is_frozen", lambda _: True)
    with pytest.raises(StoreError, match=r"a\.db was not closed after the last import, and has to"):
        SqliteStore.open_to_read(path)
