"""Subscriptions by WebSocket whose client has gone for good, over each store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from threadwell.app import open_store
from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores.contract import DEFAULT_PROJECT as PROJECT
from threadwell.stores.contract import ChangeSet, Store, Write
from threadwell.stores.memory import MemoryStore
from threadwell.subscriptions.leaving import LONELY, NOTED, Leaving, note_bound

HOOK = {"type": "rest-hook", "endpoint": "https://hook.example.org/told"}


class Practice:
    """A store, and what ends what nobody has bound."""

    def __init__(self, store: Store, loop: asyncio.Runner) -> None:
        self.store, self.loop = store, loop
        self.now = 1_710_072_000_000
        self.leaving = Leaving(store, PROJECT, clock=lambda: self.now, look=0)

    def run(self, work: Any) -> Any:
        return self.loop.run(work)

    def made(self, status: str = "active", id_: str = "", **channel: str) -> str:
        return self.run(self._made(status, id_, channel or {"type": "websocket"}))

    async def _made(self, status: str, id_: str, channel: dict[str, str]) -> str:
        before = await self.store.read(PROJECT, "Subscription", id_) if id_ else None
        version, id_ = new_id(self.now), id_ or new_id(self.now)
        one = {
            "resourceType": "Subscription",
            "status": status,
            "reason": "To hear",
            "criteria": "Communication",
            "channel": channel,
        }
        resource, body = stamp(one, id_, version, self.now)
        write = Write("Subscription", id_, version, self.now, resource, body, before)
        await self.store.commit(PROJECT, ChangeSet((write,)))
        return id_

    def bound(self, id_: str) -> None:
        self.run(note_bound(self.store, PROJECT, [id_], self.now))

    def later(self, ms: int) -> None:
        self.now += ms
        self.run(self.leaving.round())

    def is_there(self, id_: str) -> bool:
        return not self.run(self.store.read(PROJECT, "Subscription", id_)).deleted

    def kept(self) -> int:
        return len(self.run(self.store.list_private("subscription-bound")))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def practice(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Practice]:
    url = str(tmp_path / "x.db")
    if request.param == "postgres":
        url = str(request.getfixturevalue("empty_postgres_url"))
    with asyncio.Runner() as loop:
        store: Store = MemoryStore() if request.param == "memory" else open_store(url)
        yield Practice(store, loop)
        loop.run(store.close())


def test_what_no_socket_has_had_for_a_day_is_deleted(practice: Practice) -> None:
    never, once, still = practice.made(), practice.made(), practice.made()
    hook, off = practice.made(**HOOK), practice.made("off")
    practice.bound(once)
    for _ in range(0, LONELY - NOTED, NOTED):
        practice.later(NOTED)
        practice.bound(still)
    assert practice.kept() == 2
    practice.later(NOTED)
    assert all(map(practice.is_there, (never, once, still)))
    practice.later(1)
    assert not practice.is_there(never)
    assert not practice.is_there(once)
    # A hook is called, and what is off is nobody's care.
    assert all(map(practice.is_there, (still, hook, off)))
    assert practice.kept() == 1
    practice.later(LONELY)
    assert not practice.is_there(still)
    assert (practice.kept(), practice.is_there(hook)) == (0, True)


def test_one_that_is_written_anew_or_bound_meanwhile_stays(practice: Practice) -> None:
    anew, bound = practice.made(), practice.made()
    practice.now += LONELY
    practice.made(id_=anew)
    practice.later(1)
    assert practice.is_there(anew)
    assert not practice.is_there(bound)


@pytest.mark.parametrize("noted", [False, True])
def test_one_that_a_socket_has_by_then_is_left(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, noted: bool
) -> None:
    id_ = practice.made()
    if noted:
        practice.bound(id_)
    commit = type(practice.store).commit

    async def bound_first(store, project, change_set):
        await note_bound(store, project, [id_], practice.now)
        await commit(store, project, change_set)

    monkeypatch.setattr(type(practice.store), "commit", bound_first)
    practice.later(LONELY + 1)
    monkeypatch.undo()
    assert practice.is_there(id_)
