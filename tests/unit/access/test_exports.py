"""What is hidden from somebody is in no file that they export: two worlds export alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.unit.access.world import NAMES, NOON, ROLES, RUNNER, World
from threadwell.app import sight_of
from threadwell.bulk import walking
from threadwell.bulk.exports import Exports
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore
from threadwell.stores.sqlite import SqliteStore


class _Clock:
    """One that the duty has of its own: the server's stands still."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


def exported(
    world: World, path: str, between: Callable[[], None] = lambda: None
) -> tuple[Any, list[str]]:
    """How much of each type there is, and every line of every file."""
    begun = world.ask("GET", path)
    assert begun.status == 202, begun.body
    store = cast(Store, world.store)
    # The id is masked in the answer: an export is where the store has it.
    (name,) = world.run(store.list_private("bulk-progress"))
    url = f"bulkdata/export/{name.rpartition('/')[2]}"
    clock = _Clock()
    duty = Exports(store, DEFAULT_PROJECT, sight_of(store), clock=clock, seconds=0.0)
    for _ in range(300):
        wait = world.run(duty.round())
        clock.now += int(1000 * (wait or 0)) if (wait or 0) < 60 else 0
        between()
        if world.ask("GET", url).status != 202:
            break
    answer = world.ask("GET", url)
    assert answer.status == 200, answer.body
    manifest = json.loads(answer.body)
    lines: list[str] = []
    for part in ("output", "deleted", "error"):
        for one in manifest[part]:
            told = world.ask("GET", f"{url}/{one['url'].rpartition('/')[2]}")
            assert told.status == 200
            lines += told.body.splitlines()
    world.ask("DELETE", url)
    world.run(duty.round())
    counts = [(one["type"], one["count"]) for one in manifest["output"] + manifest["deleted"]]
    return counts, lines


@pytest.fixture(params=["memory", "sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    pair: tuple[Store, Store] = (
        (MemoryStore(), MemoryStore())
        if request.param == "memory"
        else (SqliteStore.open(tmp_path / "a.db"), SqliteStore.open(tmp_path / "b.db"))
    )
    yield pair
    for store in pair:
        RUNNER.run(store.close())


@pytest.mark.parametrize("role", [*ROLES, "proxy-of-one"])
def test_exports_cannot_be_told_apart(stores: tuple[Store, Store], role: str) -> None:
    worlds = [World(store, role, whole=at == 0) for at, store in enumerate(stores)]
    some = 0
    for path in (
        "$export",
        "$export?_since=2000-01-01T00:00:00Z",
        "$export?_type=Communication&_typeFilter=Communication%3Fpart-of%3Amissing%3Dfalse",
        "$export?_type=Binary",
        "Patient/$export",
    ):
        one, other = (exported(world, path) for world in worlds)
        assert one == other, path
        some += len(one[1])
    assert some


def test_what_is_hidden_while_it_is_made_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to another thread after the export began is hidden, and what is told of the past
    is no way around that.
    """
    monkeypatch.setattr(walking, "PAGE", 1)
    world = World(MemoryStore(), "participant", whole=True)
    path = "$export?_type=Communication"
    _, before = exported(world, path)
    last = json.loads(before[-1])
    name = f"Communication/{last['id']}"
    changed: list[str] = []

    def hide() -> None:
        if not changed:
            changed.append(name)
            # Of another patient's thread now, and between others.
            kept = {**last, "recipient": [{"reference": NAMES["cleo"]}]}
            for gone in ("sender", "subject", "partOf", "meta"):
                kept.pop(gone, None)
            world.write(name, kept)

    _, lines = exported(world, path, between=hide)
    assert changed
    assert lines == before[:-1]
