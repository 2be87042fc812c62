"""Ctrl-C ends what is being done before anything it works on is closed."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from threadwell.facade.loop import LoopThread


@pytest.fixture(autouse=True)
def _interrupts() -> Iterator[None]:
    """Ctrl-C raises, as in a command: whoever was tried before in this process may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_what_is_interrupted_comes_to_its_end() -> None:
    loop = LoopThread()
    ended: list[str] = []
    main = threading.main_thread().ident
    assert main is not None

    async def work() -> None:
        try:
            signal.pthread_kill(main, signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.append("tidied")

    with pytest.raises(KeyboardInterrupt):
        loop.call(work())
    assert ended == ["tidied"]
    loop.close()


def test_what_is_interrupted_as_it_begins_comes_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = LoopThread()
    ended: list[str] = []
    begin, begun = asyncio.run_coroutine_threadsafe, []

    def interrupted(work: Any, where: asyncio.AbstractEventLoop) -> Any:
        future = begin(work, where)
        begun.append(future)
        if len(begun) == 1:
            raise KeyboardInterrupt
        return future

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("tidied")

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.call(work())
    assert ended == ["tidied"]
    loop.close()


def test_generators_that_are_left_are_closed_before_the_loop_ends() -> None:
    closed: list[str] = []

    async def numbers(name: str) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            # As one does that gives a connection back: it takes some turns of the loop.
            for _ in range(10_000):
                await asyncio.sleep(0)
            closed.append(name)

    kept = numbers("kept")

    async def leave() -> None:
        await anext(kept)
        await anext(numbers("dropped"))

    loop = LoopThread()
    loop.call(leave())
    loop.close()
    assert sorted(closed) == ["dropped", "kept"]
