"""Ctrl-C ends what is being done before anything it works on is closed."""

from __future__ import annotations

import asyncio
import signal
import threading

import pytest

from threadwell.facade.loop import LoopThread


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
