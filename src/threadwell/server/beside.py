"""Processes beside the workers of ``threadwell serve``, for what no request should wait for.

One is started anew when it dies, and ends with the process that has started it, however that ends:
it reads what it is told and then nothing from its standard input, until nobody has the other end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass, field, replace
from typing import Protocol

from threadwell.server.ahead import Ahead, ended

_log = logging.getLogger(__name__)

#: Seconds until a process that died is started anew: doubled each time that it dies young.
_FIRST_PAUSE, _LONGEST_PAUSE, _YOUNG = 0.5, 30.0, 30.0
#: Seconds that it has to stop, before it is killed.
_PATIENCE = 12.0

#: What such a process runs. With ``-m`` it would warn, as the package imports the module first.
_RUN = "import sys; from {} import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Beside:
    """Such a process: ``name`` is what it is for, ``module`` has the ``main`` that it runs.

    ``told`` is the line that it reads first. The first of them may have been forked ``ahead``.
    ``files`` are descriptors that it has, too, by the same numbers.
    """

    name: str
    module: str
    told: str = field(repr=False)
    ahead: Ahead | None = None
    files: tuple[int, ...] = ()


class _Running(Protocol):
    """What can be done to a process that runs."""

    def terminate(self) -> None: ...
    def kill(self) -> None: ...
    async def wait(self) -> int: ...


class _Forked:
    """One that was forked ahead."""

    def __init__(self, ahead: Ahead) -> None:
        self._process = ahead.process
        self._ended = asyncio.create_task(ended(ahead.process))

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def _signal(self, number: int) -> None:
        if not self._ended.done():
            os.kill(self._process, number)


async def attend(one: Beside) -> None:
    """Keep such a process running until cancelled; then it has stopped."""
    pause = _FIRST_PAUSE
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            how = f"exit code {await _run(one)}"
        except OSError as error:
            how = str(error.strerror)
        one = replace(one, ahead=None)
        pause = _FIRST_PAUSE if loop.time() - started > _YOUNG else min(pause * 2, _LONGEST_PAUSE)
        text = "the process of the %s ended: %s; another is started in %.1f s"
        _log.error(text, one.name, how, pause)
        await asyncio.sleep(pause)


def told() -> str:
    """The line that this process was told; ``""`` where it was told nothing."""
    return sys.stdin.readline().removesuffix("\n")


def stopping(*, lifeline: bool) -> asyncio.Event:
    """What is set once this process is to stop: at SIGINT or SIGTERM.

    With ``lifeline`` when standard input ends, too, and not at SIGINT.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    # Ctrl-C goes to every process of a terminal: whoever has started this one decides.
    for number in (signal.SIGTERM,) if lifeline else (signal.SIGINT, signal.SIGTERM):
        # A handler of the loop's own is not there on every system.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    if lifeline:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_read_to_end, args=(loop, stop), daemon=True).start()
    return stop


def _read_to_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop is closed: it stops already
        loop.call_soon_threadsafe(stop.set)


async def _run(one: Beside) -> int:
    """Run one until it ends; the exit code. When cancelled, it is stopped."""
    if one.ahead is not None:
        return await _until_ended(one, _begin(one, one.ahead))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _RUN.format(one.module)),
        stdin=PIPE,
        stdout=DEVNULL,
        pass_fds=one.files,
    )
    # An argument could be seen by everybody on the machine.
    assert process.stdin is not None
    process.stdin.write(one.told.encode() + b"\n")
    return await _until_ended(one, process)


def _begin(one: Beside, ahead: Ahead) -> _Forked:
    """Tell one that was forked what to do. Its standard input stays open as long as we run."""
    with contextlib.suppress(BrokenPipeError):  # it is gone, which is found by waiting for it
        os.write(ahead.tell, one.told.encode() + b"\n")
    return _Forked(ahead)


async def _until_ended(one: Beside, process: _Running) -> int:
    try:
        return await process.wait()
    except asyncio.CancelledError:
        await _stop(one, process)
        raise


async def _stop(one: Beside, process: _Running) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE)
        except TimeoutError:
            _log.error("the process of the %s does not stop: it is killed", one.name)
            process.kill()
            await process.wait()
