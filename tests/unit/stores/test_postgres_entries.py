"""Entries of the index on their way into PostgreSQL: copied, or passed over where they are there;
what changes goes by joins that walk an index, whatever is in the tables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from threadwell.fhir.resource import Resource
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Conflict, Kept
from threadwell.stores.postgres import PostgresStore, group_rows, one_statement, private
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.suite.scenario import Desk, query
from threadwell.stores.suite.world import WORLD

_Session = Callable[[Desk, "asyncpg.Connection[Any]"], Awaitable[None]]


def _run(url: str, session: _Session) -> None:
    async def run() -> None:
        desk = Desk(PostgresStore(url))
        address = parse_address(url)
        connection = await asyncpg.connect(address.dsn, server_settings=address.settings)
        try:
            await session(desk, connection)
        finally:
            await connection.close()
            await desk.store.close()

    asyncio.run(run())


async def _entries(connection: asyncpg.Connection[Any]) -> set[tuple[int, ...]]:
    return {tuple(row) for row in await connection.fetch("SELECT key, sort, rid FROM posting")}


async def _found(desk: Desk, search: str) -> list[str]:
    page = await desk.store.search(DEFAULT_PROJECT, query(search))
    return sorted(one.id for one in page.matches)


def _patient(gender: str) -> Resource:
    return {"resourceType": "Patient", "id": "ana", "gender": gender}


async def _again(desk: Desk, resource: Resource) -> None:
    before = await desk.must_read(resource["resourceType"], resource["id"])
    await desk.commit(desk.write(resource, before))


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each transaction from now on trusts that what is new is not there."""
    real, trusted = group_rows.GroupRows.__init__, list[bool]()

    def init(self: group_rows.GroupRows, pid: int, *, trusting: bool, joining: bool) -> None:
        trusted.append(trusting)
        real(self, pid, trusting=trusting, joining=joining)

    monkeypatch.setattr(group_rows.GroupRows, "__init__", init)
    return trusted


def test_an_entry_that_another_version_has_made_is_passed_over(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def session(desk: Desk, connection: asyncpg.Connection[Any]) -> None:
        await desk.put(_patient("female"))
        first = await _entries(connection)
        await _again(desk, _patient("male"))
        keys = {key for key, _, _ in first}
        male = {one for one in await _entries(connection) if one[0] not in keys}
        assert male
        await _again(desk, _patient("female"))
        # They are there before they are made.
        await connection.executemany(
            "INSERT INTO posting SELECT pid, $1, $2, $3 FROM project", sorted(male)
        )
        trusted = _counted(monkeypatch)
        await _again(desk, _patient("male"))
        assert trusted == [True, False]
        assert await _found(desk, "Patient?gender=male") == ["ana"]
        assert await _found(desk, "Patient?gender=female") == []
        # There may be more of that: the next ones look from the beginning.
        await _again(desk, _patient("other"))
        assert trusted == [True, False, False]
        assert await _found(desk, "Patient?gender=other") == ["ana"]
        assert await _found(desk, "Patient?gender=male") == []

    _run(empty_postgres_url, session)


def test_what_hangs_on_our_bases_breaks_no_transaction(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a resource that refers by a whole URL it is not known which of its entries are there."""

    async def session(desk: Desk, connection: asyncpg.Connection[Any]) -> None:
        await desk.store.known_as("https://practice.example/fhir")
        of = {"reference": "https://practice.example/fhir/Patient/ana"}
        encounter: Resource = {
            "resourceType": "Encounter",
            "id": "visit",
            "status": "planned",
            "class": {"code": "VR"},
            "subject": of,
        }
        await desk.put(_patient("female"))
        await desk.put(encounter)
        trusted = _counted(monkeypatch)
        await _again(desk, {**encounter, "status": "arrived"})
        assert trusted == [True]
        assert await _found(desk, "Encounter?subject=Patient/ana&status=arrived") == ["visit"]
        assert await _found(desk, "Encounter?status=planned") == []

    _run(empty_postgres_url, session)


@pytest.mark.parametrize(
    ("joining", "few", "small"),
    [(True, 10_000, 1_000_000), (True, 0, 1_000_000), (True, 0, 0), (False, 64, 1_000_000)],
)
def test_what_changes_is_the_same_by_one_statement_by_joins_and_a_row_at_a_time(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch, joining: bool, few: int, small: int
) -> None:
    monkeypatch.setattr(group_rows, "_FEW", few)
    monkeypatch.setattr(group_rows, "_SMALL", small)

    async def session(desk: Desk, connection: asyncpg.Connection[Any]) -> None:
        store = desk.store
        assert isinstance(store, PostgresStore)
        await store.connect()
        assert store._database.joining
        store._database.joining = joining
        people = [{**_patient("female"), "id": f"p{n}"} for n in range(5)]
        for one in people:
            one["name"] = [{"family": "Vale"}]
        await desk.commit(*map(desk.write, people))
        befores = [await desk.must_read("Patient", one["id"]) for one in people]
        changed = [{**one, "name": [{"family": "Marsh"}], "gender": "male"} for one in people[:3]]
        await desk.commit(*map(desk.write, changed, befores))
        assert await _found(desk, "Patient?family=vale") == ["p3", "p4"]
        assert await _found(desk, "Patient?family=marsh&gender=male") == ["p0", "p1", "p2"]
        assert [(await desk.must_read("Patient", "p1")).body] != [befores[1].body]
        versions, number = await store.history(DEFAULT_PROJECT, "Patient", "p1", 10, 0)
        assert number == len(versions) == 2
        new = Kept("kind", "a", b"\x00\xff", None), Kept("kind", "b", b"b")
        both = desk.write({**_patient("other"), "id": "p5"}), desk.write(changed[2], befores[3])
        with pytest.raises(Conflict):
            await store.commit(DEFAULT_PROJECT, ChangeSet(both, kept=new))
        now = await desk.must_read("Patient", "p2")
        both = both[0], desk.write({**people[2], "gender": "unknown"}, now)
        await store.commit(DEFAULT_PROJECT, ChangeSet(both, kept=new))
        assert await store.list_private("kind") == {"a": b"\x00\xff", "b": b"b"}
        assert await _found(desk, "Patient?gender=other,unknown") == ["p2", "p5"]
        assert await _found(desk, "Patient?family=vale") == ["p2", "p3", "p4"]
        tables = {
            table: await connection.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("resource", "version", "change")
        }
        assert tables == {"resource": 6, "version": 4, "change": 10}

    _run(empty_postgres_url, session)


def test_private_values_are_put_and_removed_together(empty_postgres_url: str) -> None:
    async def session(desk: Desk, connection: asyncpg.Connection[Any]) -> None:
        store = desk.store
        names = ["a", "b", "c"]
        new = tuple(Kept("kind", name, name.encode(), None) for name in names)
        await store.commit(DEFAULT_PROJECT, ChangeSet((), kept=new))
        kept = (Kept("kind", "a", b"x"), Kept("kind", "b", None, b"b"), Kept("kind", "d", b"y"))
        await store.commit(DEFAULT_PROJECT, ChangeSet((), kept=kept))
        assert await store.list_private("kind") == {"a": b"x", "c": b"c", "d": b"y"}

    _run(empty_postgres_url, session)


_PARTS = (
    *(one_statement.SUPERSEDE, one_statement.UPDATE, one_statement.CREATE, one_statement.UNPOST),
    *(one_statement.POST_NEW, one_statement.POST, one_statement.UNFOLD, one_statement.FOLD),
    one_statement.KEEP,
)
#: Statements, and as many values for them as are empty or nothing.
_JOINS = {
    "all in one": one_statement.statement(_PARTS),
    "update": group_rows._UPDATE.joined,
    "unpost": group_rows._UNPOST.joined,
    "unfold": group_rows._UNFOLD.joined,
    "remove private": private._REMOVE_MANY,
}


@pytest.mark.parametrize("name", _JOINS)
def test_a_join_walks_an_index_and_scans_no_table(empty_postgres_url: str, name: str) -> None:
    async def session(desk: Desk, connection: asyncpg.Connection[Any]) -> None:
        # Before and after there is something in the tables.
        plans = [await _plan(desk, connection, name)]
        await desk.commit(*map(desk.write, WORLD))
        plans.append(await _plan(desk, connection, name))
        for steps in plans:
            assert any("Index Scan" in step for step in steps), steps
            assert not [step for step in steps if "Seq Scan" in step or "Hash" in step], steps

    _run(empty_postgres_url, session)


async def _plan(desk: Desk, connection: asyncpg.Connection[Any], name: str) -> list[str]:
    await desk.store.position(DEFAULT_PROJECT)
    statement = await connection.prepare(_JOINS[name])
    # What is a text is one in the form of an array.
    nothing = [
        "{}" if one.name == "text" else [] if one.kind == "array" else 1
        for one in statement.get_parameters()
    ]
    rows = await connection.fetch(f"EXPLAIN (COSTS OFF) {_JOINS[name]}", *nothing)
    return [row[0] for row in rows]
