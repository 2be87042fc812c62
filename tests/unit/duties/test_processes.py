"""Duties among processes: one has a duty, another goes on when it is gone, asleep or stopped."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from threadwell.app import open_store
from threadwell.duties.standing import standings
from threadwell.stores.contract import Store

from .conftest import Start, wait_until

T = TypeVar("T")


class Asked:
    """A store that is made, and stays open to be asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._runner = asyncio.Runner()
        self._store = open_store(url)
        self.done()

    def __call__(self, question: Callable[[Store], Awaitable[T]]) -> T:
        async def asked() -> T:
            return await question(self._store)

        return self._runner.run(asked())

    def done(self) -> list[str]:
        """The names of those who did rounds, in order."""
        kept = self(lambda store: store.get_private("test", "done"))
        return (kept or b"").decode().split()

    def close(self) -> None:
        self(lambda store: store.close())
        self._runner.close()


@pytest.fixture
def asked(store_url: str) -> Iterator[Asked]:
    """The store of the test."""
    one = Asked(store_url)
    yield one
    one.close()


def runs(names: list[str]) -> list[str]:
    """The names without repeats that follow each other."""
    return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]


def test_of_eight_processes_one_has_the_duty_and_another_goes_on(
    asked: Asked, start_child: Start
) -> None:
    children = {name: start_child(asked.url, name) for name in "abcdefgh"}
    wait_until(lambda: len(asked.done()) >= 5)
    for _ in range(2):
        first = asked.done()[-1]
        children[first].send_signal(signal.SIGKILL)
        killed = time.monotonic()
        wait_until(lambda: asked.done()[-1] != first)  # noqa: B023 - at once
        assert time.monotonic() - killed < 30
        wait_until(lambda: asked.done()[-3:].count(asked.done()[-1]) == 3)
    # Each had it once: no two of them took turns.
    assert len(runs(asked.done())) == 3
    (standing,) = asked(standings)
    assert standing.held
    assert standing.holder.count(str(children[asked.done()[-1]].pid)) == 1


def test_who_stops_gives_it_to_another_at_once(asked: Asked, start_child: Start) -> None:
    first = start_child(asked.url, "first")
    wait_until(lambda: "first" in asked.done())
    second = start_child(asked.url, "second")
    assert second.stdout
    assert second.stdout.readline()
    first.terminate()
    assert first.wait(60) == 0
    # Much sooner than a lease would be over, were the machine not shared.
    wait_until(lambda: "second" in asked.done())
    (standing,) = asked(standings)
    assert standing.record.runs >= asked.done().count("first") > 0
    assert standing.record.failures == 0


def test_who_was_asleep_past_the_lease_does_no_harm(asked: Asked, start_child: Start) -> None:
    sleeper = start_child(asked.url, "sleeper", "guarded")
    wait_until(lambda: len(asked.done()) >= 2)
    sleeper.send_signal(signal.SIGSTOP)
    start_child(asked.url, "other", "guarded")
    wait_until(lambda: asked.done()[-1] == "other")
    sleeper.send_signal(signal.SIGCONT)
    many = len(asked.done()) + 8
    wait_until(lambda: len(asked.done()) >= many)
    assert runs(asked.done()) == ["sleeper", "other"]


@pytest.mark.parametrize("step", [-86_400.0, 86_400.0])
def test_a_clock_that_is_set_takes_no_duty_away(
    asked: Asked, step: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threadwell.duties import lease

    class At:
        """The time as one process sees it."""

        def __init__(self, ahead: float) -> None:
            self.ahead = ahead
            self.CLOCK_BOOTTIME = time.CLOCK_BOOTTIME
            self.clock_gettime = time.clock_gettime

        def time(self) -> float:
            return time.time() + self.ahead

    async def compete(store: Store) -> Any:
        mine, theirs = (
            lease.Leases(store, "p", ("count",), holder) for holder in ("mine", "theirs")
        )
        await mine.look()
        monkeypatch.setattr(lease, "time", At(step))
        await theirs.look()
        await mine.look()
        await theirs.look()
        return list(mine.held), list(theirs.held)

    assert asked(compete) == (["count"], [])
