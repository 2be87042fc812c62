"""``python -m threadwell.intake.hand``: a process of a crew, which decides and asks.

It is started by ``starting.py`` with the number of a socket, through which come those of a crew: it
forks one for each, and all of them end when theirs are closed.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, cast

from threadwell.intake.collecting import no_collections
from threadwell.intake.commits.counts import Counts, Report
from threadwell.intake.driving import Importing
from threadwell.intake.gathered.changes import with_worked
from threadwell.intake.gathered.errand import (
    Answer,
    Ask,
    Begin,
    Commit,
    Done,
    End,
    Ready,
    SoFar,
    Work,
)
from threadwell.intake.gathered.packing import batches, even
from threadwell.intake.gathered.spool import unpacked
from threadwell.intake.gathered.starting import be_leader
from threadwell.intake.gathered.wire import Line
from threadwell.intake.seat import Seat
from threadwell.stores.contract import ChangeSet, Store
from threadwell.stores.sql.bases import Bases
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.prepare import forget
from threadwell.stores.unused import give_back, keep_little


class Asking:
    """A ``Store`` as seen from here: whatever is asked of it is sent, and answered."""

    def __init__(self, line: Line, keys: Keys | None) -> None:
        self._line = line
        self._keys = keys
        self._open: dict[int, asyncio.Future[Any]] = {}
        self._number = 0

    def __getattr__(self, method: str) -> Callable[..., Any]:
        async def ask(*positional: Any, **named: Any) -> Any:
            number, answer = self._expect()
            self._line.say(Ask(number, method, positional, named))
            return await answer

        return ask

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        """As a store would, though somebody else does it."""
        number, answer = self._expect()
        # It has nobody who holds it but the call.
        held = [change_set]
        del change_set
        self._line.say(Commit(number, project, with_worked(held.pop(), project, self._keys)))
        if self._keys is not None:
            # The next ones are of other patients.
            forget(self._keys)
        give_back()
        await answer

    def answered(self, answer: Answer) -> None:
        """Whoever has asked goes on."""
        future = self._open.pop(answer.number)
        if future.cancelled():
            return
        if answer.error is not None:
            future.set_exception(answer.error)
        else:
            future.set_result(answer.value)

    def _expect(self) -> tuple[int, asyncio.Future[Any]]:
        self._number += 1
        future = asyncio.get_running_loop().create_future()
        self._open[self._number] = future
        return self._number, future


async def _work(fileno: int) -> None:
    line = await Line.over(socket.socket(fileno=fileno))
    begin: Begin = await line.hear()
    keys = None
    if begin.keys is not None:
        secret, own, sheets, parameters = begin.keys
        bases = Bases(own)
        bases.has(begin.project, parameters.catalogue, parameters.turn)
        keys = Keys(secret, bases, sheets=sheets)
    store = Asking(line, keys)
    started = time.monotonic()

    def clock() -> int:
        return begin.now + int((time.monotonic() - started) * 1000)

    def progress(counts: Counts) -> None:
        line.say(SoFar(counts))

    importing = Importing(
        Seat(cast(Store, store), begin.project, begin.settings, clock=clock), progress
    )
    importing.bring_together(begin.ours)
    work: asyncio.Queue[Work | End] = asyncio.Queue()
    deciding = asyncio.create_task(_decide(importing, work, line))
    line.say(Ready())
    while not deciding.done():
        said = asyncio.ensure_future(line.hear())
        await asyncio.wait([said, deciding], return_when=asyncio.FIRST_COMPLETED)
        if not said.done():
            said.cancel()
            break
        match said.result():
            case Answer() as answer:
                store.answered(answer)
            case Work() | End() as more:
                work.put_nowait(more)
    error = deciding.exception()
    if error is not None and not isinstance(error, Exception):
        raise error
    line.say(Done(Report() if error else importing.report, error))
    await line.said()
    line.close()


async def _decide(importing: Importing, work: asyncio.Queue[Work | End], line: Line) -> None:
    """Take in part after part: what is made of one is on its way while the next is worked on."""
    try:
        while isinstance(more := await work.get(), Work):
            with no_collections():
                items = unpacked(more.pieces)
                del more
                parts = list(batches([items], even(len(items), importing.batch)))
                del items
                parts.reverse()
                await importing.begin_batches(parts.pop() for _ in range(len(parts)))
            line.say(Ready())
            give_back()
    finally:
        await importing.take_batches(())
    await importing.revive()


def main(control: int) -> None:
    """Lead a crew whose sockets come through that one: work until there is nothing more to do, or
    nobody to do it for.
    """
    # Whoever has started it decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    keep_little()
    be_leader(socket.socket(fileno=control), _be)


def _be(fileno: int) -> None:
    try:
        asyncio.run(_work(fileno))
    except EOFError:
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
