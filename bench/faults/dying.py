"""A process that is killed (SIGKILL) at one of its steps, or at any instant, and what it told.

Steps are whatever another process can see of it: a commit, what is written to a file or synced,
what is sent over a socket, a call of another server, and what it acknowledges. They are numbered in
their order. The process is killed just before the step that has the number.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: A step that is never reached.
NEVER = 1 << 30
#: Seconds that a process may take.
_PATIENCE = 60.0


class Steps:
    """The steps of this process, of which the one with number ``at`` is its last.

    ``within`` is what it is doing: the name of a step begins with it.
    """

    def __init__(self, at: int, line: socket.socket) -> None:
        self._at, self._line, self._taken = at, line, 0
        self._lock = threading.Lock()
        self.within = ""

    def step(self, name: str) -> None:
        """Here it is killed, if this is its last one."""
        with self._lock:
            self._taken += 1
            if self._taken == self._at:
                _say(self._line, f"died {' · '.join(filter(None, (self.within, name)))}")
                _die()

    @contextmanager
    def doing(self, name: str) -> Iterator[None]:
        """Something that is a step before it and one after it, with those that it takes itself."""
        self.step(name)
        before, self.within = self.within, name
        try:
            yield
        finally:
            self.within = before
        self.step(f"after {name}")

    def tell(self, what: str) -> None:
        """Acknowledge: from here on somebody relies on it."""
        self.step(f"acknowledge {what}")
        _say(self._line, f"told {what}")

    async def ask(self, what: str) -> None:
        """Have the outside do something, and wait until it is done."""
        _say(self._line, f"ask {what}")
        await asyncio.to_thread(self._line.recv, 1)


@dataclass
class Death:
    """How a process ended: ``name`` is the step before which it was killed, ``told`` what it told.

    ``found`` is what it has found, if it lived.
    """

    killed: bool
    name: str = "at any instant"
    told: set[str] = field(default_factory=set)
    found: str = ""


def child(
    work: Callable[[Steps], Awaitable[str]],
    at: int = NEVER,
    instant: float | None = None,
    outside: Callable[[str], list[str]] = lambda _: [],
) -> Death:
    """A process that does ``work``, and is killed at a step, or after ``instant`` seconds.

    ``outside`` does what it asks for, and answers with what was acknowledged by that. Raises
    ``SystemExit`` where it fails by itself or does not end.
    """
    ours, its = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _be(work, at, instant, its)
    its.close()
    # What hangs is a failure, too.
    ending = threading.Timer(_PATIENCE, os.kill, (pid, signal.SIGALRM))
    ending.start()
    death = Death(False)
    for line in _lines(ours):
        kind, _, rest = line.partition(" ")
        if kind == "ask":
            death.told.update(outside(rest))
            _answer(ours)
        elif kind == "told":
            death.told.add(rest)
        elif kind == "died":
            death.name = rest
        else:
            death.found = rest
    _, status = os.waitpid(pid, 0)
    ending.cancel()
    ours.close()
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        death.killed = True
    elif status:
        raise SystemExit(f"a process failed by itself, or did not end: {status}")
    return death


def _be(
    work: Callable[[Steps], Awaitable[str]], at: int, instant: float | None, line: socket.socket
) -> None:
    code = 1
    try:
        if instant is not None:
            timer = threading.Timer(instant, _die)
            timer.daemon = True
            timer.start()
        steps = Steps(at, line)
        found = asyncio.run(work(steps))
        _say(line, f"found {found}")
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends with it
        traceback.print_exc()
    finally:
        os._exit(code)


def _say(line: socket.socket, what: str) -> None:
    # Not by the methods of a socket: those are steps.
    os.write(line.fileno(), f"{what}\n".encode())


def _answer(line: socket.socket) -> None:
    try:
        os.write(line.fileno(), b"\n")
    except BrokenPipeError:
        return  # it was killed meanwhile


def _lines(line: socket.socket) -> Iterator[str]:
    """What it says; a line that was not written whole was read by nobody."""
    rest = b""
    while part := _part(line):
        *whole, rest = (rest + part).split(b"\n")
        yield from (one.decode() for one in whole)


def _part(line: socket.socket) -> bytes:
    try:
        return line.recv(65536)
    except ConnectionResetError:
        return b""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)  # it is delivered before that
