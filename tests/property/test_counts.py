"""Totals are exact, estimated and said to be, or left out, whatever was written meanwhile."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from tests.property.loop import run
from tests.property.test_stores import BASE, steps
from threadwell.fhir.search.query import Total
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sql import counting
from threadwell.stores.sqlite import SqliteStore
from threadwell.stores.sqlite import counting as of_sqlite
from threadwell.stores.suite.scenario import Desk, query

_COUNTED = tuple(
    query(f"{search}&_summary=count")
    for search in (
        "Patient?",
        "Communication?part-of:missing=true",
        "Communication?part-of:missing=false",
        "Communication?part-of:missing=true&status=completed",
        "Communication?part-of:missing=true&status:not=completed",
        "Communication?subject=Patient/a",
        "Encounter?class=a",
        "Encounter?status=planned&class=b",
        "Task?status=requested",
        "Task?status=requested&code=a",
        "Patient?active=true&family=s",
    )
)


@contextmanager
def _limits(short: int, most: int, enough: int, few: int) -> Iterator[None]:
    with (
        patch.object(of_sqlite, "SHORT", short),
        patch("threadwell.stores.postgres.counting.SHORT", short),
        patch.object(counting, "MOST", most),
        patch.object(counting, "ENOUGH", enough),
        patch.object(counting, "_FEW", few),
    ):
        yield


_some_limits = st.tuples(
    *(st.sampled_from((0, 2)), st.sampled_from((1, 60, 1_000_000))),
    *(st.sampled_from((0, 3, 100)), st.sampled_from((0, 2, 50))),
)


@given(steps, _some_limits)
def test_sqlite_counts_as_memory_does(steps: list[Any], limits: tuple[int, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder, _limits(*limits):
        _compare(SqliteStore.open(Path(folder) / "threadwell.db"), steps)


@COSTLY
@given(steps, _some_limits)
def test_postgres_counts_as_memory_does(
    postgres_server: Any, postgres_schemas: Any, steps: list[Any], limits: tuple[int, ...]
) -> None:
    schema = postgres_schemas.lend()
    with _limits(*limits):
        _compare(PostgresStore.open(f"{postgres_server.url()}&schema={schema}"), steps)
    postgres_schemas.take_back(schema)


def _compare(store: Store, steps: list[Any]) -> None:
    async def both() -> None:
        desk, truth = Desk(store), Desk(MemoryStore())
        for number, step in enumerate(steps):
            if number == len(steps) // 2:
                await asyncio.gather(store.known_as(BASE), truth.store.known_as(BASE))
            await _write(desk, step)
            await _write(truth, step)
            if number % 3 == 2 or number == len(steps) - 1:
                await _count(desk, truth)
        await store.close()

    run(both())


async def _count(desk: Desk, truth: Desk) -> None:
    for asked in _COUNTED:
        exact = (await truth.store.search(DEFAULT_PROJECT, asked)).total
        accurate = replace(asked, total=Total.ACCURATE)
        found = await desk.store.search(DEFAULT_PROJECT, accurate)
        assert found.total in (exact, None)
        assert not found.estimated
        said = await desk.store.search(DEFAULT_PROJECT, asked)
        assert said.total is not None
        assert said.estimated or said.total == exact
        assert said.estimated is (found.total is None)
        roughly = await desk.store.search(DEFAULT_PROJECT, replace(asked, total=Total.ESTIMATE))
        assert roughly.total is not None
        assert roughly.estimated or roughly.total == exact


async def _write(desk: Desk, step: Any) -> None:
    type_, id_ = step if isinstance(step, tuple) else (step["resourceType"], step["id"])
    before = await desk.read(type_, id_)
    if not isinstance(step, tuple):
        await desk.commit(desk.write(step, before))
    elif before is not None and not before.deleted:
        await desk.commit(desk.deletion(before))
