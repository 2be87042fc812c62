"""A decision is made again where what it rests on has moved, as often as it takes for a while."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.api.rest import commit
from threadwell.stores.contract import Conflict, Key
from threadwell.stores.memory import MemoryStore


class Moving(MemoryStore):
    """A store where an Encounter is changed by others in the very moment, so many times."""

    def __init__(self) -> None:
        super().__init__()
        self.times = self.refused = 0

    async def commit(self, project: str, change_set: Any) -> None:
        if self.times > 0 and any(one.type == "Condition" for one in change_set.writes):
            self.times -= 1
            self.refused += 1
            raise Conflict(Key("Encounter", "e"))
        await super().commit(project, change_set)


def test_what_rests_on_what_many_change_is_written_all_the_same(new_api: Any) -> None:
    store = Moving()
    api = new_api(store=store)
    store.times = 10 * commit.ATTEMPTS
    api.make("Condition", subject={"reference": "Patient/p"})
    assert store.refused == 10 * commit.ATTEMPTS


def test_it_is_given_up_in_the_end(new_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "_GOES_ON", 0.0)
    store = Moving()
    api = new_api(store=store)
    store.times = 1000
    body = {"resourceType": "Condition", "subject": {"reference": "Patient/p"}}
    assert api.call("POST", "Condition", body).status_code == 409
    assert store.refused == commit.ATTEMPTS
