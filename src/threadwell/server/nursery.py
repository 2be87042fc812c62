"""A process that loads what workers need, forks them, and ends: they are then another's children.

Whoever watches over workers for months needs next to nothing of what they load, and of what it had
loaded it would keep a copy of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

#: What ``prctl`` is asked to set (linux/prctl.h).
_SET_CHILD_SUBREAPER = 36


class Nursery:
    """Children of a process that has loaded what they need, and is this one's child.

    ``load`` is called in it, once, and ``forked`` after each fork; ``be`` is what a child does, by
    its number, and returns its exit code. Children are this process's own once ``close`` was
    called, if it ``adopts``.
    """

    def __init__(
        self,
        load: Callable[[], object],
        be: Callable[[int], int],
        forked: Callable[[int], object],
    ) -> None:
        asked, self._ask = os.pipe()
        self._told, tell = os.pipe()
        self._process = os.fork()
        if self._process:
            os.close(asked)
            os.close(tell)
            return
        os.close(self._ask)
        os.close(self._told)
        end_as(lambda: _raise(asked, tell, load, be, forked))

    def fork(self, number: int) -> int:
        """The process id of a new child; 0 where there is nobody any more to fork it."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._ask, b"%d\n" % number)
        with open(self._told, "rb", buffering=0, closefd=False) as told:
            return int(told.readline() or b"0")

    def close(self) -> None:
        """Have it end."""
        os.close(self._ask)
        os.close(self._told)
        os.waitpid(self._process, 0)


def adopts(*, is_on: bool) -> bool:
    """Have this process be the parent of whoever descends from it and has no other any more.

    ``False`` where the system knows nothing of that (it is Linux's).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        prctl: Any = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return False
    return bool(prctl(_SET_CHILD_SUBREAPER, int(is_on), 0, 0, 0) == 0)


def end_as(run: Callable[[], int]) -> None:
    """Be a forked process: do what it is for, and end here, whatever happens."""
    code = 1
    try:
        code = run()
    except BaseException:
        import logging

        logging.getLogger(__name__).exception("a forked process failed")
    finally:
        os._exit(code)


def _raise(
    asked: int,
    tell: int,
    load: Callable[[], object],
    be: Callable[[int], int],
    forked: Callable[[int], object],
) -> int:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))  # nothing is under way yet
    load()
    with open(asked, "rb", buffering=0, closefd=False) as questions:
        while line := questions.readline():
            child = os.fork()
            if not child:
                os.close(asked)
                os.close(tell)
                end_as(lambda: be(int(line)))
            forked(int(line))
            os.write(tell, b"%d\n" % child)
    return 0
