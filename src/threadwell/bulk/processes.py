"""Processes that work for this one, on its cores; they end with it, however it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process, resource_tracker
from threading import Thread, current_thread, main_thread

from threadwell.stores.contract import StoreError


def cores() -> int:
    """How many processes this machine can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def pool_of(workers: int, ended: str) -> Iterator[Executor]:
    """So many processes; they begin with the first piece of work (``uninterrupted``).

    They end with what is done meanwhile: at once where that raises anything. Raises ``StoreError``
    with the sentence ``ended`` where one of them dies.
    """
    with ProcessPoolExecutor(workers, get_context("spawn"), _end_with_parent) as pool:
        try:
            yield pool
        except BrokenProcessPool:
            raise StoreError(ended) from None
        except BaseException:
            # Its own name for that came with Python 3.14.
            for process in list((pool._processes or {}).values()):
                process.kill()
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Processes that are started meanwhile never see Ctrl-C; this one sees it at the end."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    came: list[int] = []
    handles = current_thread() is main_thread()
    # Another thread may take the signal, and then this one would be told of it all the same.
    before = signal.signal(signal.SIGINT, lambda *_: came.append(1)) if handles else None
    # Where it is started with others, it lets signals through again.
    resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if handles:
            signal.signal(signal.SIGINT, before)
    if came:
        # Whoever handles it, handles it now: asyncio ends what it runs.
        signal.raise_signal(signal.SIGINT)


def _end_with_parent() -> None:
    """End this process with the one that has started it.

    A pool's processes hold both ends of what they read from, so they would wait for ever; and what
    they are at would meet whoever starts it again.
    """
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent.join,), daemon=True).start()


def _end_after(joined: Callable[[], None]) -> None:
    joined()
    os._exit(1)
