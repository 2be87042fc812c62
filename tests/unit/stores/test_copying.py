"""A copy has all that the original has, whatever happened on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores import copying
from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    START,
    ChangeSet,
    Store,
    StoreError,
    Version,
    Write,
)
from threadwell.stores.copying import copy, tally_of
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

OTHER = "f3c1b0a2-0000-4000-8000-000000000003"
NOON = 1_712_739_600_000


class Clerk:
    """Writes into a store, a second apart."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._now = count(NOON, 1000)

    async def put(
        self, type_: str, id_: str, project: str = DEFAULT_PROJECT, *, content: Any = None,
        delete: bool = False, **members: Any,
    ) -> None:  # fmt: skip
        now = next(self._now)
        before = await self.store.read(project, type_, id_)
        if delete and (before is None or before.deleted):
            return
        version = new_id(now)
        stamped, body = stamp({"resourceType": type_, **members}, id_, version, now)
        write = Write(
            type_, id_, version, now, stamped, body, before, "ClientApplication/a", content
        )
        if delete:
            write = structs.replace(write, resource=None, body=b"")
        await self.store.commit(project, ChangeSet((write,)))


async def fill(store: Store) -> None:
    clerk = Clerk(store)
    for n in range(30):
        await clerk.put("Patient", f"p{n}", name=[{"family": f"Family {n}"}], active=n % 2 == 0)
    for n in range(0, 30, 3):
        await clerk.put("Patient", f"p{n}", name=[{"family": "Zmeskal"}], birthDate="1971-02-03")
    for n in range(0, 30, 5):
        await clerk.put("Patient", f"p{n}", delete=True)
    await clerk.put("Patient", "p5", name=[{"family": "Back"}])
    await clerk.put("Patient", "p1", OTHER, gender="other")
    await clerk.put("Binary", "scan", contentType="image/png", content=b"\x89PNG\0\xff" * 1000)
    await clerk.put("Binary", "scan", contentType="image/png", content=b"")
    await clerk.put("Binary", "scan", contentType="image/png")
    await store.put_private("key", "signing", b"\0secret")
    await store.put_private("client", "a", b"{}")


async def everything(store: Store) -> list[tuple[str, int, Any, bytes | None]]:
    """All versions in order, and the private values."""
    found: list[tuple[str, int, Any, bytes | None]] = []
    for project in sorted(await store.projects()):
        after = START
        while part := await store.versions(project, after, 7):
            found += [(project, v.position.number, v.stored, v.content) for v in part]
            after = part[-1].position
    for kind in await store.private_kinds():
        found += [(kind, 0, n, v) for n, v in sorted((await store.list_private(kind)).items())]
    return found


Run = Callable[[Callable[[Callable[[str], Store]], Awaitable[None]]], None]


@pytest.fixture
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    """Runs a test that opens stores by their kind; they are closed in the end."""
    numbers = count()

    def run(test: Callable[[Callable[[str], Store]], Awaitable[None]]) -> None:
        async def inner() -> None:
            opened: list[Store] = []

            def open_(kind: str) -> Store:
                store: Store
                if kind == "memory":
                    store = MemoryStore()
                elif kind == "sqlite":
                    store = SqliteStore.open(tmp_path / f"{next(numbers)}.db")
                else:
                    store = PostgresStore.open(request.getfixturevalue("postgres_url"))
                opened.append(store)
                return store

            try:
                await test(open_)
            finally:
                for store in opened:
                    await store.close()

        asyncio.run(inner())

    return run


@pytest.mark.parametrize(
    ("from_", "to"),
    [("memory", "sqlite"), ("sqlite", "sqlite"), ("sqlite", "postgres"), ("postgres", "sqlite")],
)
def test_a_copy_holds_the_same(
    run: Run, monkeypatch: pytest.MonkeyPatch, from_: str, to: str
) -> None:
    monkeypatch.setattr(copying, "_AT_ONCE", 7)

    async def test(open_: Callable[[str], Store]) -> None:
        source, target = open_(from_), open_(to)
        await fill(source)
        told: list[int] = []
        tally, new = await copy(source, target, lambda tally, _: told.append(tally.versions))
        assert await everything(target) == await everything(source)
        assert (tally.projects, tally.resources, tally.versions) == (2, 32, 51)
        assert (tally.deletions, tally.contents, tally.private, new) == (6, 2, 2, 51)
        assert told == sorted(told)
        assert told[-1] == 51
        # What was copied is found, and only what is current.
        for search, found in (("name=zmeskal", 8), ("name=family", 16), ("active=true", 8)):
            query = parse_query("Patient", [tuple(search.split("=")), ("_total", "accurate")])
            for store in (source, target):
                assert (await store.search(DEFAULT_PROJECT, query)).total == found
        again, new = await copy(source, target)
        assert (again, new) == (tally, 0)

    run(test)


def test_a_copy_goes_on_where_it_was(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Torn(Exception):
        pass

    async def test(open_: Callable[[str], Store]) -> None:
        source, target = open_("sqlite"), open_("sqlite")
        await fill(source)
        for size, whole in ((4, 2), (9, 2), (3, 8), (5, 6)):

            def tear(tally: copying.Tally, _: int, most: int = size * whole) -> None:
                if tally.versions >= most:
                    raise Torn

            monkeypatch.setattr(copying, "_AT_ONCE", size)
            with pytest.raises(Torn):
                await copy(source, target, tear)
        _, new = await copy(source, target)
        assert new == 51 - 30
        assert await everything(target) == await everything(source)

    run(test)


def test_a_source_that_has_grown_is_followed(run: Run) -> None:
    async def test(open_: Callable[[str], Store]) -> None:
        source, target = open_("memory"), open_("sqlite")
        await fill(source)
        await copy(source, target)
        clerk = Clerk(source)
        for id_ in ("p1", "p2", "new"):
            await clerk.put("Patient", id_, name=[{"family": "Later"}])
        _, new = await copy(source, target)
        assert new == 3
        assert await everything(target) == await everything(source)

    run(test)


@pytest.mark.parametrize("more", ["Patient/p1", "Patient/mine", "private"])
def test_what_is_not_a_copy_is_not_written_over(run: Run, more: str) -> None:
    async def test(open_: Callable[[str], Store]) -> None:
        source, target = open_("memory"), open_("sqlite")
        await fill(source)
        if more == "private":
            await target.put_private("client", "mine", b"{}")
        else:
            type_, _, id_ = more.partition("/")
            await Clerk(target).put(type_, id_, active=True)
        before = await target.read(DEFAULT_PROJECT, "Patient", more.removeprefix("Patient/"))
        with pytest.raises(StoreError, match="target"):
            await copy(source, target)
        after = await target.read(DEFAULT_PROJECT, "Patient", more.removeprefix("Patient/"))
        assert after == before

    run(test)


def test_a_byte_that_differs_is_noticed(run: Run) -> None:
    class Lossy(MemoryStore):
        async def versions(self, *of: Any) -> list[Version]:
            told = await super().versions(*of)
            return [replace(v, content=b"?") if v.content == b"" else v for v in told]

    async def test(open_: Callable[[str], Store]) -> None:
        source = open_("memory")
        await fill(source)
        with pytest.raises(StoreError, match="another content"):
            await copy(source, Lossy())
        assert (await tally_of(source)).digest != (await tally_of(MemoryStore())).digest

    run(test)


_steps = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "delete"])), min_size=1, max_size=25
)


@given(steps=_steps, cut=st.integers(0, 25), size=st.integers(1, 6))
def test_any_history_is_copied_in_any_parts(
    steps: list[tuple[str, str]], cut: int, size: int
) -> None:
    async def test() -> None:
        source, target = MemoryStore(), MemoryStore()
        clerk = Clerk(source)
        copying._AT_ONCE = size
        for place, (id_, what) in enumerate(steps):
            if place == cut:
                await copy(source, target)
            await clerk.put("Patient", id_, delete=what == "delete")
        await copy(source, target)
        assert await everything(target) == await everything(source)

    kept = copying._AT_ONCE
    try:
        asyncio.run(test())
    finally:
        copying._AT_ONCE = kept
