"""A project with accounts, on each kind of store, and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kept_connections import KeptConnections
from threadwell.stores.contract import DEFAULT_PROJECT, Store, StoreBusy
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore
from threadwell.users.changing import set_by_link
from threadwell.users.inviting import Invitation, Invited, invite
from threadwell.users.passwords import Hashing
from threadwell.users.pauses import Paused
from threadwell.users.settings import Cost
from threadwell.users.signing_in import From, SigningIn, Wrong
from threadwell.users.user import User

T = TypeVar("T")
NOON = 1_710_072_000_000
PASSWORD = "four walls and a garden"
#: One event loop for all: a store keeps its connections.
RUNNER = asyncio.Runner()
KEPT = KeptConnections(RUNNER)


class House:
    """Where people have accounts."""

    project = DEFAULT_PROJECT
    password = PASSWORD

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOON
        # As cheap as it gets: what it costs is no matter here.
        self.hashing = Hashing(Cost(8, 1, 1))
        self.door = SigningIn(store, DEFAULT_PROJECT, self.hashing, self.clock)

    def clock(self) -> int:
        return self.now

    @staticmethod
    def run(work: Coroutine[Any, Any, T]) -> T:
        return RUNNER.run(work)

    def invite(self, email: str = "robin@clinic.example.org", **more: Any) -> Invited:
        asked = {"first": "Robin", "last": "Ash", **more}
        made = invite(
            self.store,
            DEFAULT_PROJECT,
            Invitation(email, **asked),
            author="",
            clock=self.clock,
        )
        return self.run(made)

    def user(self, email: str = "robin@clinic.example.org", **more: Any) -> User:
        """Somebody who has a password."""
        link = self.invite(email, **more).link
        assert link is not None
        return self.run(
            set_by_link(self.store, DEFAULT_PROJECT, link, PASSWORD, self.hashing, self.clock)
        )

    def sign_in(
        self,
        password: str = PASSWORD,
        email: str = "robin@clinic.example.org",
        address: str = "192.0.2.1",
        device: str = "",
    ) -> str:
        """What comes of it: the id of the account, or the name of what is raised."""
        try:
            proved = self.run(self.door.by_password(email, password, From(address, device)))
        except (Wrong, Paused, StoreBusy) as error:
            return type(error).__name__
        return proved.user.id


@pytest.fixture(scope="session", autouse=True)
def _loop() -> Iterator[None]:
    yield
    KEPT.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    store: Store
    with KEPT.lent():
        match request.param:
            case "memory":
                store = MemoryStore()
            case "sqlite":
                store = SqliteStore.open(tmp_path / "threadwell.db")
            case _:
                store = PostgresStore.open(request.getfixturevalue("empty_postgres_url"))
        yield store
        RUNNER.run(store.close())


@pytest.fixture
def house(store: Store) -> Iterator[House]:
    house = House(store)
    yield house
    house.hashing.close()


@pytest.fixture
def small_house() -> Iterator[House]:
    """One whose store is in memory, for what is not about stores."""
    house = House(MemoryStore())
    yield house
    house.hashing.close()
