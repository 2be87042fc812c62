"""The process in which ``threadwell serve`` has duties done, so that requests stay quick.

It is started anew when it dies, and ends with the process that has started it, however that ends:
it reads the store and then nothing from its standard input, until nobody has the other end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE, Process

from threadwell.server import logs
from threadwell.server.loop import loop_factory
from threadwell.stores.contract import DEFAULT_PROJECT, Store, StoreError

_log = logging.getLogger(__name__)

#: Seconds until a process that died is started anew: doubled each time that it dies young.
_FIRST_PAUSE, _LONGEST_PAUSE, _YOUNG = 0.5, 30.0, 30.0
#: Seconds that it has to stop, before it is killed.
_PATIENCE = 12.0

#: What such a process runs. With ``-m`` it would warn, as the package imports this module first.
_RUN = "import sys; from threadwell.server.attendance import main; sys.exit(main())"


async def attend(store: str) -> None:
    """Keep such a process running until cancelled; then it has stopped."""
    pause = _FIRST_PAUSE
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            how = f"exit code {await _one(store)}"
        except OSError as error:
            how = str(error.strerror)
        pause = _FIRST_PAUSE if loop.time() - started > _YOUNG else min(pause * 2, _LONGEST_PAUSE)
        text = "the process of the duties ended: %s; another is started in %.1f s"
        _log.error(text, how, pause)
        await asyncio.sleep(pause)


def do_duties(store: str, *, lifeline: bool = False) -> int:
    """Do the duties of a store until SIGINT or SIGTERM; the exit code.

    With ``lifeline`` until standard input ends, too. Raises ``StoreError`` if the store cannot be
    opened.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_do_duties(store, lifeline))


async def perform_here(store: Store, stop: asyncio.Event) -> None:
    """Do the duties of a store that is open, in this process, until ``stop`` is set."""
    from threadwell.app import duties_of
    from threadwell.duties.rota import perform

    await perform(store, DEFAULT_PROJECT, duties_of(store), stop)


async def _do_duties(url: str, lifeline: bool) -> int:
    from threadwell.app import open_store

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.tell_loop)
    stop = asyncio.Event()
    # Ctrl-C goes to every process of a terminal: whoever has started this one decides.
    for number in (signal.SIGTERM,) if lifeline else (signal.SIGINT, signal.SIGTERM):
        # A handler of the loop's own is not there on every system.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    if lifeline:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_read_to_end, args=(loop, stop), daemon=True).start()
    store = open_store(url)
    try:
        await perform_here(store, stop)
    finally:
        await store.close()
    return 0


def _read_to_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop is closed: it stops already
        loop.call_soon_threadsafe(stop.set)


async def _one(store: str) -> int:
    """Run one until it ends; the exit code. When cancelled, it is stopped."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _RUN),
        stdin=PIPE,
        stdout=DEVNULL,
    )
    try:
        # An argument could be seen by everybody on the machine.
        assert process.stdin is not None
        process.stdin.write(store.encode() + b"\n")
        return await process.wait()
    except asyncio.CancelledError:
        await _stop(process)
        raise


async def _stop(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE)
        except TimeoutError:
            _log.error("the process of the duties does not stop: it is killed")
            process.kill()
            await process.wait()


def main() -> int:
    """What the process runs."""
    logs.configure("duties")
    try:
        store = sys.stdin.readline().removesuffix("\n")
        return do_duties(store, lifeline=True) if store else 0
    except StoreError as error:
        _log.error("cannot do the duties: %s", error)
        return 1
