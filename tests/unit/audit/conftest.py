"""Stores that a trail is kept of."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kept_connections import KeptConnections
from threadwell.app import open_store
from threadwell.audit.record import Who
from threadwell.audit.trail import Trail
from threadwell.stores.contract import DEFAULT_PROJECT

T = TypeVar("T")
NOON = 1_893_412_800_000  # 2030-01-01
#: One event loop for all: a store keeps its connections.
RUNNER = asyncio.Runner()
KEPT = KeptConnections(RUNNER)


class Desk:
    """A store with its trail, whose clock goes on by a second with every look."""

    project = DEFAULT_PROJECT

    def __init__(self, url: str, folder: Path | None) -> None:
        self.url = url
        self.folder = folder
        self.now = NOON
        self.store = open_store(url)
        self.trail = self.another()

    def another(self) -> Trail:
        """The trail of another process."""
        return Trail(self.store, self.folder, Who(way="python", name="pat"), self.clock)

    def clock(self) -> int:
        self.now += 1000
        return self.now

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return RUNNER.run(work)

    def close(self) -> None:
        self.trail.close()
        self.run(self.store.close())


@pytest.fixture(scope="session", autouse=True)
def _loop() -> Iterator[None]:
    yield
    KEPT.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """One on each kind of store; that in memory has no files."""
    if request.param == "memory":
        made = Desk(":memory:", None)
    elif request.param == "sqlite":
        made = Desk(f"sqlite:///{tmp_path}/t.db", tmp_path / "audit")
    else:
        # Whoever is killed may write yet: a store of its own is emptied for nobody.
        is_lent = request.param == "postgres"
        url = request.getfixturevalue("empty_postgres_url" if is_lent else "postgres_url")
        made = Desk(url, tmp_path / "audit")
    with KEPT.lent():
        yield made
        made.close()
