"""Lists of everything have no end but the last one."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.encounters import codes
from threadwell.inbox.dates import dates_of
from threadwell.inbox.quarantine import all_held
from threadwell.inbox.reader import Reader
from threadwell.inbox.reviews import all_reviews
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.sqlite import SqliteStore
from threadwell.stores.suite.scenario import Desk

from .conftest import run

MANY = 11_500


@pytest.mark.parametrize(("code", "read"), [("quarantine", all_held), ("review", all_reviews)])
def test_more_than_eleven_thousand_are_listed(tmp_path: Any, code: str, read: Any) -> None:
    async def listed() -> list[Any]:
        store = SqliteStore.open(tmp_path / "threadwell.db")
        desk = Desk(store)
        for start in range(0, MANY, 2000):
            tasks = [_task(code, number) for number in range(start, min(start + 2000, MANY))]
            await desk.commit(*map(desk.write, tasks))
        found = await read(Reader(store, DEFAULT_PROJECT), await dates_of(store))
        await store.close()
        return list(found)

    assert len(run(listed())) == MANY


def _task(code: str, number: int) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "id": f"t{number}",
        "status": "requested",
        "intent": "order",
        "code": codes.task_code(code),
        "description": "Nobody here has this address.",
        "reasonCode": codes.reason("unknown-sender"),
        "authoredOn": "2024-03-12T11:58:00Z",
    }
