"""Every case of the corpus, imported in several ways."""

from __future__ import annotations

import asyncio

import pytest

from tests.corpora.cases import add, case_names, clock_of, messages_of, read_case, settings_of, told
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.validation import validate
from threadwell.intake import import_messages, verify
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore
from threadwell.stores.sqlite import SqliteStore

WRITTEN = (
    *("Communication", "Encounter", "Group", "Task", "Provenance"),
    *("Organization", "Patient"),
)


@pytest.mark.parametrize("name", case_names())
@pytest.mark.parametrize("way", ["at once", "one by one, backwards", "into SQLite, in two parts"])
def test_case(name, way, tmp_path):
    case = read_case(name)
    messages = messages_of(case)

    async def run():
        store = SqliteStore.open(tmp_path / "store.db") if "SQLite" in way else MemoryStore()
        await add(store, case["people"])
        parts = {
            "at once": [messages],
            "one by one, backwards": [[one] for one in reversed(messages)],
            "into SQLite, in two parts": [messages[::2], messages[1::2]],
        }[way]
        settings = settings_of(case, batch=3)
        for part in parts:
            await import_messages(
                Seat(store, DEFAULT_PROJECT, settings, clock=lambda: clock_of(case)), part
            )
        try:
            assert await told(store) == case["record"]
            assert await verify(store, DEFAULT_PROJECT) == []
            for type_ in WRITTEN:
                page = await store.search(DEFAULT_PROJECT, Query(type_, count=1000))
                assert [i for one in page.matches for i in validate(decode(one.body))] == []
        finally:
            await store.close()

    asyncio.run(run())
