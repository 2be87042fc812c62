"""Sorts that walk lists answer as those do that read every match."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from tests.property.test_stores import compare, searches, steps
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sql import in_order
from threadwell.stores.sqlite import SqliteStore

_names = st.sampled_from(
    ("", "-", "Smith", "smith", "Smith-Jones", "O'Brien", "Ås", "a" * 250, "a" * 250 + "b", "jones")
)
_dates = st.sampled_from(("2024", "2024-01", "2024-01-01", "2023-12-31", "1969-12-31"))


def _patient(id_: str, families: list[str], birth: str | None) -> dict[str, Any]:
    names = [{"family": family} if family else {"given": ["Ana"]} for family in families]
    patient: dict[str, Any] = {"resourceType": "Patient", "id": id_, "active": len(names) != 1}
    patient |= {"name": names} if names else {}
    return patient | ({"birthDate": birth} if birth else {})


_ids = st.text("abcdef", min_size=1, max_size=1)
_people = st.builds(_patient, _ids, st.lists(_names, max_size=3), st.none() | _dates)
_messages = st.builds(
    lambda id_, at: (
        {"resourceType": "Communication", "id": id_, "status": "completed"}
        | ({"received": at} if at else {})
    ),
    _ids,
    st.none() | st.sampled_from(("2024-01-01", "2024-01", "2024-01-01T00:00:00Z", "2024")),
)
_steps = st.lists(
    st.one_of(_people, _people, _messages, st.tuples(st.just("Patient"), _ids)), max_size=14
)
_sorts = st.sampled_from(
    (
        *("family", "-family", "name", "-name", "birthdate", "-birthdate", "family,-birthdate"),
        *("-family,_id", "-birthdate,family", "given,-_lastUpdated", "birthdate,-name"),
    )
)
_filters = st.sampled_from(
    (
        "",
        "&active=true",
        "&family:missing=false",
        "&family=smith",
        "&family:exact=Smith",
        "&_id=a,b",
    )
)
_of_people = st.builds(
    lambda sort, filters, count, offset: (
        f"Patient?_sort={sort}{filters}&_count={count}&_offset={offset}&_total=accurate"
    ),
    *(_sorts, _filters, st.integers(0, 4), st.integers(0, 3)),
)
_of_messages = st.sampled_from(
    tuple(
        f"Communication?_sort={sort}&_count={count}&_total=accurate"
        for sort in ("received", "-received", "received,-_id", "-received,status")
        for count in (1, 3)
    )
)
_asked = st.lists(st.one_of(_of_people, _of_people, _of_messages), min_size=5, max_size=20)


@contextmanager
def _walking(entries: int) -> Iterator[None]:
    """Whatever the store holds, lists are walked, and so many entries of them for each match."""
    with (
        patch.object(in_order, "FEW_TO_SORT", 0),
        patch.object(in_order, "WALKED", entries),
    ):
        yield


@given(_steps, _asked, st.sampled_from((0, 1, 100)))
def test_sqlite_walks_in_order(steps: list[Any], searches: list[str], entries: int) -> None:
    with tempfile.TemporaryDirectory() as folder, _walking(entries):
        compare(SqliteStore.open(Path(folder) / "threadwell.db"), steps, searches)


@COSTLY
@given(_steps, _asked, st.sampled_from((0, 1, 100)))
def test_postgres_walks_in_order(
    postgres_server: Any, postgres_schemas: Any, steps: list[Any], searches: list[str], entries: int
) -> None:
    schema = postgres_schemas.lend()
    with _walking(entries):
        store = PostgresStore.open(f"{postgres_server.url()}&schema={schema}")
        compare(store, steps, searches)
    postgres_schemas.take_back(schema)


@given(steps, st.lists(searches, min_size=5, max_size=15))
def test_sqlite_walks_in_order_whatever_is_asked(steps: list[Any], searches: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, _walking(100):
        compare(SqliteStore.open(Path(folder) / "threadwell.db"), steps, searches)
