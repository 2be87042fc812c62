"""Long work leaves the event loop to others."""

from __future__ import annotations

import asyncio
import threading

import pytest

from threadwell.stores import aside as module
from threadwell.stores.aside import HUGE, LARGE, Pauses, aside


@pytest.mark.parametrize(("size", "is_aside"), [(0, False), (LARGE, True), (HUGE, True)])
def test_only_large_work_goes_to_a_thread(size: int, is_aside: bool) -> None:
    here = threading.get_ident()
    assert (asyncio.run(aside(size, threading.get_ident)) != here) is is_aside


@pytest.mark.parametrize("size", [0, LARGE])
def test_what_it_raises_is_raised(size: int) -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(aside(size, fail))


def test_others_go_on_meanwhile() -> None:
    others = threading.Event()

    async def both() -> bool:
        async def other() -> None:
            others.set()

        waiting, _ = await asyncio.gather(aside(HUGE, lambda: others.wait(60)), other())
        return waiting

    assert asyncio.run(both())


def test_many_small_parts_make_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(module, "perf_counter", lambda: next(clock) * module.STRETCH / 2)
    turns: list[str] = []

    async def work() -> None:
        pauses = Pauses()
        for part in range(6):
            turns.append(f"part {part}")
            await pauses.pause()

    async def other() -> None:
        while len(turns) < 7:
            turns.append("other")
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(work(), other())

    asyncio.run(both())
    assert turns[:6].count("other") >= 1
