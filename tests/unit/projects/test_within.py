"""What a project has of a store, and which projects there are."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import stamp
from threadwell.projects.chosen import CHOSEN, chosen
from threadwell.projects.registry import (
    BadProject,
    create_project,
    find_project,
    named_project,
    projects,
    rename_project,
)
from threadwell.projects.within import SHARED, Within, within
from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    START,
    ChangeSet,
    Conflict,
    Kept,
    Key,
    Store,
    StoreError,
    Unmatched,
    Write,
)
from threadwell.stores.memory import MemoryStore

MINE = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
#: Each way to ask for a project's resources.
ASKED: dict[str, Callable[[Store, str], Any]] = {
    "read": lambda store, project: store.read(project, "Patient", "1"),
    "read_many": lambda store, project: store.read_many(project, [Key("Patient", "1")]),
    "read_version": lambda store, project: store.read_version(project, "Patient", "1", "1"),
    "history": lambda store, project: store.history(project, "Patient", "1", 1, 0),
    "recent": lambda store, project: store.recent(project, (), 9, 9),
    "content": lambda store, project: store.content(project, "1", "1"),
    "search": lambda store, project: store.search(project, Query("Patient")),
    "commit": lambda store, project: store.commit(project, ChangeSet(())),
    "expunge": lambda store, project: store.expunge(project, ()),
    "home": lambda store, project: store.home(project),
    "parameters": lambda store, project: store.parameters(project),
    "change_parameters": lambda store, project: store.change_parameters(project, lambda one: one),
    "index": lambda store, project: store.index(project),
    "versions": lambda store, project: store.versions(project, START, 9),
    "position": lambda store, project: store.position(project),
    "changes": lambda store, project: store.changes(project, 0, 9),
    "follow": lambda store, project: store.follow(project, 0),
    "stirrings": lambda store, project: store.stirrings(project),
}


async def asked(way: str, store: Store, project: str) -> None:
    found = ASKED[way](store, project)
    if isinstance(found, Awaitable):
        await found


def write(id_: str = "1") -> Write:
    body, text = stamp({"resourceType": "Patient"}, id_, "1", 1)
    return Write("Patient", id_, "1", 1, body, text)


def test_it_has_all_that_a_store_has() -> None:
    def methods(of: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(getattr(of, name)).parameters)
            for name in dir(Store)
            if not name.startswith("_") and callable(getattr(Store, name))
        }

    assert methods(Within) == methods(Store)
    by_project = {name for name, taken in methods(Store).items() if "project" in taken}
    assert by_project == set(ASKED)


@pytest.mark.parametrize("way", ASKED)
def test_another_projects_resources_are_none_of_its_business(way: str) -> None:
    async def run() -> None:
        store = within(MemoryStore(), MINE)
        with pytest.raises(ValueError, match="another project"):
            await asked(way, store, OTHER)
        await asked(way, store, MINE)

    asyncio.run(run())


def test_private_values_are_kept_apart() -> None:
    async def run() -> None:
        whole = MemoryStore()
        first, mine, other = (within(whole, one) for one in (DEFAULT_PROJECT, MINE, OTHER))
        assert first is whole
        assert within(mine, MINE) is mine
        with pytest.raises(ValueError, match="no projects of its own"):
            within(mine, OTHER)
        for store, value in ((first, b"0"), (mine, b"1"), (other, b"2")):
            assert await store.put_private("setting", "a", value, only_new=True)
        await other.put_private("other", "b", b"")
        for store, value in ((first, b"0"), (mine, b"1"), (other, b"2")):
            assert await store.get_private("setting", "a") == value
            assert await store.get_private_many("setting", ["a", "b"]) == {"a": value}
            assert await store.list_private("setting") == {"a": value}
        assert await mine.private_kinds() == ["setting"]
        before = Kept("setting", "a", b"3", before=b"1")
        await mine.commit(MINE, ChangeSet((), kept=(before,)))
        with pytest.raises(Conflict) as raised:
            await mine.commit(MINE, ChangeSet((), kept=(before,)))
        # Whoever decides anew knows the kind that it gave.
        assert raised.value.key == Key("setting", "a")
        assert await first.get_private("setting", "a") == b"0"
        shared = sorted(SHARED)[0]
        await mine.put_private(shared, "a", b"")
        assert await other.get_private(shared, "a") == b""

    asyncio.run(run())


def test_resources_and_conditions_are_kept_apart() -> None:
    async def run() -> None:
        whole = MemoryStore()
        mine, other = within(whole, MINE), within(whole, OTHER)
        nobody = (Unmatched(Query("Patient")),)
        await mine.commit(MINE, ChangeSet((write(),), nobody))
        await other.commit(OTHER, ChangeSet((write(),), nobody))
        with pytest.raises(Conflict):
            await other.commit(OTHER, ChangeSet((write("2"),), nobody))
        assert await mine.projects() == [MINE]
        assert await mine.position(MINE) == await other.position(OTHER) == 1
        # Whoever has opened the store closes it.
        await mine.close()
        assert await whole.read(MINE, "Patient", "1") is not None

    asyncio.run(run())


def test_projects_are_made_named_and_found() -> None:
    async def run() -> None:
        store = MemoryStore()
        (first,) = await projects(store)
        assert (first.id, first.name) == (DEFAULT_PROJECT, "Threadwell")
        hill = await create_project(store, "  Hill   Street ", 5)
        assert hill.name == "Hill Street"
        for taken in ("hill street", "THREADWELL"):
            with pytest.raises(BadProject, match="already"):
                await create_project(store, taken, 6)
        for bad in ("", " ", "x" * 101, "a\u202eb", MINE):
            with pytest.raises(BadProject):
                await create_project(store, bad, 6)
        assert await named_project(store, "hill STREET") == hill
        assert await named_project(store, hill.id) == hill
        assert await named_project(store, "nobody") is None
        assert await named_project(store, "\x00") is None
        assert await find_project(store, "../x") is None
        renamed = await rename_project(store, first, "Harbour")
        assert [one.name for one in await projects(store)] == ["Harbour", "Hill Street"]
        with pytest.raises(BadProject, match="already"):
            await rename_project(store, hill, "harbour")
        # The name that is free now is anybody's.
        other = await create_project(store, "Threadwell", 7)
        assert await named_project(store, "threadwell") == other
        assert await named_project(store, "harbour") == renamed
        assert await rename_project(store, renamed, "HARBOUR")

    asyncio.run(run())


def test_of_many_who_make_one_name_one_does() -> None:
    async def run() -> None:
        store = MemoryStore()
        made = await asyncio.gather(
            *(create_project(store, "Hill", 1) for _ in range(5)), return_exceptions=True
        )
        assert sum(isinstance(one, BadProject) for one in made) == 4

    asyncio.run(run())


def test_a_command_is_about_the_one_that_is_named() -> None:
    async def run() -> None:
        store = MemoryStore()
        made = await create_project(store, "Hill", 1)
        assert await chosen(store) == DEFAULT_PROJECT
        assert await chosen(store, "hill") == made.id
        token = CHOSEN.set(made.id)
        try:
            assert await chosen(store) == made.id
        finally:
            CHOSEN.reset(token)
        with pytest.raises(StoreError, match="no project nobody"):
            await chosen(store, "nobody")

    asyncio.run(run())
