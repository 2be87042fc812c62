"""What is new in the index as a sheet: it comes to the very entries that a store would make."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, cast

import apsw
import asyncpg
import pytest
from msgspec import structs

from threadwell.fhir.json import decode
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake.gathered.changes import as_it_was, with_worked
from threadwell.intake.gathered.wire import dumps, loads
from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    ChangeSet,
    Conflict,
    Stored,
    Unmatched,
    Write,
)
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.postgres.rows import text_bytes
from threadwell.stores.sql.entries import entries_of_body
from threadwell.stores.sql.keys import Form, Keys
from threadwell.stores.sql.prepare import Worked, forget, work_out, work_out_together
from threadwell.stores.sqlite import SqliteStore
from threadwell.stores.suite.scenario import query

Either = SqliteStore | PostgresStore
#: The rows of a statement.
Asked = Callable[[str], Awaitable[list[Any]]]
Session = Callable[[Either, Asked], Awaitable[None]]


def patient(number: int, name: str = "Ana") -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"system": "urn:x", "value": str(number)}],
        "name": [{"family": name, "given": [f"Given{number}"]}],
        "birthDate": f"19{number % 90 + 10}-03-0{number % 9 + 1}",
        "generalPractitioner": [{"reference": "https://a.example/fhir/Practitioner/1"}],
    }


SOME = [patient(number) for number in range(9)]


def write(resource: dict[str, Any], before: Any = None) -> Write:
    version = new_id(1)
    stamped, body = stamp(resource, resource["id"], version, 1000)
    return Write(resource["resourceType"], resource["id"], version, 1000, stamped, body, before)


async def by_another(store: Either, change_set: ChangeSet) -> ChangeSet:
    """The change set as it comes from another process."""
    keys = await store.index_keys()
    told = as_it_was(loads(dumps(with_worked(change_set, DEFAULT_PROJECT, keys))))
    assert told.worked is not None
    return told


async def index_of(store: Either, asked: Asked) -> tuple[set[Any], set[Any]]:
    """The entries that are in the index, and those that follow from what is stored."""
    keys, texts = await store.index_keys(), "SELECT key, folded, rid FROM text"
    if isinstance(store, PostgresStore):
        texts = "SELECT key, text, rid FROM folded"
    sqls = (
        "SELECT key, sort, rid FROM posting",
        texts,
        "SELECT rid, present, sort FROM resource WHERE NOT deleted",
    )
    there = {row for sql in sqls for row in await asked(sql)}
    expected: set[Any] = set()
    for rid, body, updated in await asked(
        "SELECT rid, body, updated FROM resource WHERE NOT deleted"
    ):
        found = entries_of_body(keys, DEFAULT_PROJECT, body, updated)
        expected.update(found.postings(rid))
        for key, text in found.texts:
            kept = text_bytes(text) if isinstance(store, PostgresStore) else text
            expected.add((key, kept, rid))
        expected.add((rid, found.present, found.sort))
    return there, expected


async def in_sqlite(path: str, session: Session) -> None:
    store, connection = SqliteStore.open(path), apsw.Connection(path)

    async def asked(sql: str) -> list[Any]:
        return connection.execute(sql).fetchall()

    try:
        await session(store, asked)
    finally:
        connection.close()
        await store.close()


async def in_postgres(url: str, session: Session) -> None:
    store, address = PostgresStore(url), parse_address(url)
    connection = await asyncpg.connect(address.dsn, server_settings=address.settings)

    async def asked(sql: str) -> list[Any]:
        return list(map(tuple, await connection.fetch(sql)))

    try:
        await session(store, asked)
    finally:
        await connection.close()
        await store.close()


@pytest.fixture(params=["sqlite", "sqlite in bulk", "postgres"])
def run(request, tmp_path):
    def run(session) -> None:
        async def whole(store: Either, asked: Asked) -> None:
            async with store.in_bulk() if "bulk" in request.param else nullcontext():
                await session(store)
            there, expected = await index_of(store, asked)
            assert there == expected
            assert len(expected) > 10

        if request.param != "postgres":
            asyncio.run(in_sqlite(str(tmp_path / "a.db"), whole))
        else:
            asyncio.run(in_postgres(request.getfixturevalue("empty_postgres_url"), whole))

    return run


@pytest.mark.parametrize("count", [1, 7, 100, 1300])
def test_it_is_the_index_of_what_is_stored(run, count):
    async def session(store: Either) -> None:
        writes = tuple(write(patient(number)) for number in range(count))
        await store.commit(DEFAULT_PROJECT, await by_another(store, ChangeSet(writes)))

    run(session)


# SQLite may be built for none at all.
@pytest.mark.parametrize("databases", [None, 0, 2])
def test_many_sheets_share_a_transaction(run, databases):
    async def session(store: Either) -> None:
        if databases is not None:
            if isinstance(store, PostgresStore):
                pytest.skip("it reads sheets as they are")
            store._writing.limit(apsw.SQLITE_LIMIT_ATTACHED, databases)
        # The first of them has a commit of its own, and the others the next one together.
        for first in (0, 5000):
            every = [
                await by_another(
                    store, ChangeSet(tuple(write(patient(first + at + n)) for n in range(size)))
                )
                for at, size in ((0, 3), (100, 300), (500, 300), (900, 1), (1000, 400))
            ]
            await asyncio.gather(*(store.commit(DEFAULT_PROJECT, one) for one in every))

    run(session)


def test_what_is_new_stands_among_what_changes(run):
    async def session(store: Either) -> None:
        first = ChangeSet(tuple(write(patient(number)) for number in range(4)))
        await store.commit(DEFAULT_PROJECT, first)
        old = await store.read(DEFAULT_PROJECT, "Patient", "p2")
        writes = (write(patient(8)), write(patient(2, "Eva"), old), write(patient(9)))
        await store.commit(DEFAULT_PROJECT, await by_another(store, ChangeSet(writes)))

    run(session)


def test_what_follows_in_the_same_transaction_sees_it(run):
    async def session(store: Either) -> None:
        made = await by_another(store, ChangeSet((write(patient(1)), write(patient(2)))))
        stored = made.writes[0]
        later = replace(
            ChangeSet((write(patient(3)),)), unmatched=(Unmatched(query("Patient?identifier=2")),)
        )
        gone = await by_another(store, ChangeSet((write(patient(1, "Eva")),)))
        done = await asyncio.gather(
            *(store.commit(DEFAULT_PROJECT, one) for one in (made, later, gone)),
            return_exceptions=True,
        )
        assert [type(one) for one in done] == [type(None), Conflict, Conflict]
        found = await store.read(DEFAULT_PROJECT, "Patient", "p1")
        assert found is not None
        assert found.version_id == stored.version_id

    run(session)


def test_a_sheet_by_other_bases_is_made_anew(run):
    async def session(store: Either) -> None:
        told = await by_another(store, ChangeSet((write(patient(1)), write(patient(2)))))
        await store.known_as("https://a.example/fhir")
        await store.commit(DEFAULT_PROJECT, told)
        page = await store.search(
            DEFAULT_PROJECT, query("Patient?general-practitioner=Practitioner/1")
        )
        assert len(page.matches) == 2
        assert decode(page.matches[0].body)["name"]

    run(session)


def test_what_was_found_meanwhile_is_changed_by_other_search_parameters(run):
    """What a process has worked out of two versions is worked out anew of both."""

    async def session(store: Either) -> None:
        await store.commit(DEFAULT_PROJECT, ChangeSet((write(patient(1)), write(patient(2)))))
        old = await store.read(DEFAULT_PROJECT, "Patient", "p1")
        keys = await store.index_keys()
        changed = ChangeSet((write(patient(1, "Eva"), old), write(patient(3))))
        told = as_it_was(loads(dumps(with_worked(changed, DEFAULT_PROJECT, keys))))
        await store.change_parameters(
            DEFAULT_PROJECT, lambda now: now.turned("Patient", "gender", on=False)
        )
        await store.commit(DEFAULT_PROJECT, told)
        found = [
            [one.id for one in (await store.search(DEFAULT_PROJECT, query(asked))).matches]
            for asked in ("Patient?family=Eva", "Patient?family=Ana&_sort=_id")
        ]
        assert found == [["p1"], ["p2", "p3"]]

    run(session)


def test_what_is_new_is_found_beside_what_was_written_a_moment_ago(run):
    """In one transaction: one is written, changed with new ones, and these are looked for."""

    async def session(store: Either) -> None:
        if isinstance(store, PostgresStore):
            pytest.skip("what changes another write waits for the next transaction")
        first = write(patient(2))
        stored = Stored("Patient", "p2", first.version_id, 1000, False, first.body, "")
        number = [{"system": "urn:x", "value": "9"}]
        doctor = {"resourceType": "Practitioner", "id": "d", "identifier": number}
        asked = query("Practitioner?identifier=9&gender:missing=true")
        among = await by_another(
            store, ChangeSet((write(patient(2, "Eva"), stored), write(doctor)))
        )
        later = ChangeSet((write({**doctor, "id": "e"}),), unmatched=(Unmatched(asked),))
        done = await asyncio.gather(
            *(store.commit(DEFAULT_PROJECT, one) for one in (ChangeSet((first,)), among, later)),
            return_exceptions=True,
        )
        assert [type(one) for one in done] == [type(None), type(None), Conflict]

    run(session)


def test_a_resource_is_held_no_longer_than_until_its_entries_are_made(monkeypatch):
    class Told(dict[str, Any]):
        """One that others are told of when it is gone."""

    writes = [structs.replace(one, resource=Told(one.resource or {})) for one in map(write, SOME)]
    bodies = [one.body for one in writes]
    there = [weakref.ref(cast(Told, one.resource)) for one in writes]
    left: list[int] = []

    def counted(keys: Keys, project: str, every: Iterable[Write]) -> list[Worked]:
        def each() -> Iterator[Write]:
            for one in every:
                left.append(sum(one() is not None for one in there))
                yield one

        return work_out(keys, project, each())

    monkeypatch.setattr("threadwell.intake.gathered.changes.work_out", counted)
    held = [ChangeSet(tuple(writes))]
    del writes
    keys = Keys(bytes(16), sheets=Form.PAGES)
    told = as_it_was(with_worked(held.pop(), DEFAULT_PROJECT, keys))
    assert left[0] == len(SOME)
    assert left[-1] <= 3
    assert [one.body for one in told.writes] == bodies


def test_what_is_forgotten_is_worked_out_again_the_same():
    keys = Keys(bytes(16), sheets=Form.PAGES)
    writes = [write(one) for one in SOME]
    before = work_out_together(keys, DEFAULT_PROJECT, writes)
    forget(keys)
    assert work_out_together(keys, DEFAULT_PROJECT, writes) == before
