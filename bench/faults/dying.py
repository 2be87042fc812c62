"""A process that is killed (SIGKILL) at one of its steps: before it, during it, or after it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

#: The calls of a store that are steps.
STORE = (
    *("commit", "read", "read_many", "search", "changes", "position", "get_private"),
    *("get_private_many", "list_private", "put_private"),
)
#: The call of a provider.
CALLER = ("call",)
HOWS = ("before", "during", "after")
#: How many steps there are for a start, and how many more than were seen there may be.
_MANY, _FEW = 60, 5
#: A step that is never reached.
NEVER = 1 << 30


class Steps:
    """The steps of one process, of which the one with number ``at`` is its last."""

    def __init__(self, at: int, how: str) -> None:
        self._at, self._how, self._taken = at, how, 0

    def of(self, real: object, names: tuple[str, ...]) -> Any:
        """``real``, of which the calls of those names are steps."""
        return _Stepping(real, names, self)

    async def take(self, call: Callable[..., Awaitable[object]], *given: Any, **named: Any) -> Any:
        self._taken += 1
        last = self._taken == self._at
        if last and self._how == "before":
            _die()
        if last and self._how == "during":
            threading.Timer(random.uniform(0, 0.004), _die).start()
        try:
            return await call(*given, **named)
        finally:
            if last:
                _die()


class _Stepping:
    def __init__(self, real: object, names: tuple[str, ...], steps: Steps) -> None:
        self._real, self._names, self._steps = real, names, steps

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name not in self._names:
            return real

        async def call(*given: Any, **named: Any) -> object:
            return await self._steps.take(real, *given, **named)

        return call


class Deaths:
    """At which step each process dies, and how; what has come of it so far.

    How many steps there are shows by itself: one that has come to its end had fewer.
    """

    def __init__(self) -> None:
        self.kills: Counter[str] = Counter()
        self._moments: set[tuple[int, str]] = set()
        self._most = _MANY

    def next(self) -> tuple[int, str]:
        """The step at which the next process is to die, and how: any of them."""
        return random.randint(1, self._most), random.choice(HOWS)

    def count(self, at: int, how: str, died: bool) -> None:
        """Whether it did."""
        if died:
            self.kills[how] += 1
            self._moments.add((at, how))
            if at > self._most - _FEW:
                self._most += _FEW
        elif at <= self._most:
            self._most = max(at - 1, _FEW)

    def __str__(self) -> str:
        steps = len({at for at, _ in self._moments})
        return (
            f"{self.kills.total():,} kills, {dict(self.kills)}, at {steps} steps"
            f" ({len(self._moments)} moments)"
        )


def child(work: Callable[[Callable[[int], None]], Awaitable[None]]) -> tuple[bool, set[int]]:
    """Whether a process that does ``work`` was killed, and the numbers that it has told before."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        code = 1
        try:

            async def whole() -> None:
                await work(lambda number: _write(writing, number))

            asyncio.run(whole())
            code = 0
        except BaseException:  # noqa: BLE001 - the process ends with it
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    told = b"".join(_parts(reading))
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("the process failed by itself")
    # A line that was not written whole was not read by anybody.
    return os.WIFSIGNALED(status), {int(one) for one in told.split(b"\n")[:-1]}


def _write(pipe: int, number: int) -> None:
    os.write(pipe, b"%d\n" % number)


def _parts(pipe: int) -> Iterator[bytes]:
    while part := os.read(pipe, 65536):
        yield part


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
