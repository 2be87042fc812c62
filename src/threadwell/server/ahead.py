"""A process beside the workers that is forked before there is a loop, and begins when it is told.

It has loaded what the worker has, so that it begins at once, and shares that in memory. A worker
may fork it as long as it has no threads, no loop and no store: whoever forks later would copy what
others hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A process that waits for the first line of its standard input, which ``tell`` is."""

    process: int
    tell: int

    def let_go(self) -> None:
        """Have it end, unless it has: nothing is told to it any more."""
        os.close(self.tell)
        with contextlib.suppress(ChildProcessError):  # somebody has waited for it
            os.waitpid(self.process, 0)


def fork_ahead(main: Callable[[], int]) -> Ahead | None:
    """Fork a process that runs ``main``, with nothing on its standard input yet.

    ``None`` where that cannot be done. It ends with this process, however that ends: nobody else
    has the other end of its standard input.
    """
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return None
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    heard, tell = os.pipe()
    process = os.fork()
    if process:
        os.close(heard)
        return Ahead(process, tell)
    code = 1
    try:
        code = _be(main, heard)
    except BaseException:  # noqa: BLE001 - a forked process must end here, whatever happens
        _log.exception("a process beside the workers failed")
    finally:
        os._exit(code)


async def ended(process: int) -> int:
    """The exit code of a child, once it has ended."""
    loop = asyncio.get_running_loop()
    code: asyncio.Future[int] = loop.create_future()

    def settle(value: int) -> None:
        if not code.done():
            code.set_result(value)

    def wait() -> None:
        _, status = os.waitpid(process, 0)
        # A loop that is closed waits for nothing.
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, os.waitstatus_to_exitcode(status))

    threading.Thread(target=wait, daemon=True).start()
    return await code


def _be(main: Callable[[], int], heard: int) -> int:
    # Ctrl-C goes to every process of a terminal: the one that has forked this decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    os.dup2(heard, 0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    # Listeners, above all: connections wait in them for those who answer.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open to the end
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    return main()
