"""Duties among processes: one has a duty, another goes on when it is gone, asleep or stopped."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from threadwell.app import open_store
from threadwell.duties.standing import standings
from threadwell.stores.contract import Store

from .conftest import Start, wait_until

T = TypeVar("T")


def ask(url: str, question: Callable[[Store], Awaitable[T]]) -> T:
    async def asked() -> T:
        store = open_store(url)
        try:
            return await question(store)
        finally:
            await store.close()

    return asyncio.run(asked())


def done(url: str) -> list[str]:
    """The names of those who did rounds, in order."""
    kept = ask(url, lambda store: store.get_private("test", "done"))
    return (kept or b"").decode().split()


def runs(names: list[str]) -> list[str]:
    """The names without repeats that follow each other."""
    return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]


def test_of_eight_processes_one_has_the_duty_and_another_goes_on(
    store_url: str, start_child: Start
) -> None:
    done(store_url)  # makes the store
    children = {name: start_child(store_url, name) for name in "abcdefgh"}
    wait_until(lambda: len(done(store_url)) >= 5)
    for _ in range(2):
        first = done(store_url)[-1]
        children[first].send_signal(signal.SIGKILL)
        killed = time.monotonic()
        wait_until(lambda: done(store_url)[-1] != first)  # noqa: B023 - at once
        assert time.monotonic() - killed < 30
        wait_until(lambda: done(store_url)[-3:].count(done(store_url)[-1]) == 3)
    # Each had it once: no two of them took turns.
    assert len(runs(done(store_url))) == 3
    (standing,) = ask(store_url, standings)
    assert standing.held
    assert standing.holder.count(str(children[done(store_url)[-1]].pid)) == 1


def test_who_stops_gives_it_to_another_at_once(store_url: str, start_child: Start) -> None:
    done(store_url)
    first = start_child(store_url, "first")
    wait_until(lambda: "first" in done(store_url))
    second = start_child(store_url, "second")
    assert second.stdout
    assert second.stdout.readline()
    first.terminate()
    assert first.wait(20) == 0
    # Much sooner than a lease would be over, were the machine not shared.
    wait_until(lambda: "second" in done(store_url))
    (standing,) = ask(store_url, standings)
    assert standing.record.runs >= done(store_url).count("first") > 0
    assert standing.record.failures == 0


def test_who_was_asleep_past_the_lease_does_no_harm(store_url: str, start_child: Start) -> None:
    done(store_url)
    sleeper = start_child(store_url, "sleeper", "guarded")
    wait_until(lambda: len(done(store_url)) >= 2)
    sleeper.send_signal(signal.SIGSTOP)
    start_child(store_url, "other", "guarded")
    wait_until(lambda: done(store_url)[-1] == "other")
    sleeper.send_signal(signal.SIGCONT)
    many = len(done(store_url)) + 8
    wait_until(lambda: len(done(store_url)) >= many)
    assert runs(done(store_url)) == ["sleeper", "other"]


@pytest.mark.parametrize("step", [-86_400.0, 86_400.0])
def test_a_clock_that_is_set_takes_no_duty_away(
    store_url: str, step: float, monkeypatch: pytest.MonkeyPatch
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

    assert ask(store_url, compete) == (["count"], [])
