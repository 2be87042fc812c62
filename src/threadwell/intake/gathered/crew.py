"""The processes that decide for an import, on every core; what they decide is committed here.

They have no store: what they read they ask for, and what they write they hand over. So there is one
writer, whatever the store is, and it sees all of it as if it had decided itself. Where one of them
dies, the import ends with an error; what was committed stays.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from threadwell.fhir.stamp import Clock
from threadwell.intake.commits.counts import Counts, Report
from threadwell.intake.gathered.changes import as_it_was
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
from threadwell.intake.gathered.spool import Packed
from threadwell.intake.gathered.starting import MOST, Leader, leader
from threadwell.intake.gathered.wire import Line
from threadwell.intake.settings import Settings
from threadwell.messages import Address
from threadwell.stores.contract import Store, StoreError
from threadwell.stores.unused import give_back

#: So many messages are worth the half second that such processes take to begin.
WORTH = 8000


def is_possible() -> bool:
    """Whether this system can have such processes."""
    return os.name == "posix" and bool(sys.executable)


@dataclass(slots=True)
class _Hand:
    """One of the processes, as seen from here."""

    line: Line
    counts: Counts = field(default_factory=Counts)
    done: Done | None = None
    #: How many change sets it has handed over that are not committed yet.
    commits: int = 0


class Crew:
    """Processes that have begun. ``close`` ends them, whatever they are doing.

    ``counted`` is told what all of them have counted so far.
    """

    def __init__(self, store: Store, project: str, counted: Callable[[Counts], None]) -> None:
        self._store = store
        self._project = project
        self._counted = counted
        self._hands: list[_Hand] = []
        self._leader: Leader | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[asyncio.Future[None]] = []
        #: How many versions were committed.
        self.written = 0

    def __len__(self) -> int:
        return len(self._hands)

    async def begin(self, count: int) -> None:
        """Start so many processes: they load what they need while others work, or have it."""
        pairs = [socket.socketpair() for _ in range(min(count, MOST))]
        self._leader = leader()
        self._leader.give([theirs for _, theirs in pairs])
        for ours, _ in pairs:
            self._hands.append(_Hand(await Line.over(ours)))

    async def work(
        self, parts: Iterator[list[Packed]], settings: Settings, clock: Clock, ours: set[Address]
    ) -> Report:
        """Have all parts worked on; what all of them did. Raises what stopped one of them."""
        find = getattr(self._store, "index_keys", None)
        keys = await find() if find is not None else None
        how = None
        if keys is not None:
            parameters = await self._store.parameters(self._project)
            how = (keys.secret, keys.bases.own, keys.sheets, parameters)
        begin = Begin(self._project, settings, clock(), frozenset(ours), how)
        for hand in self._hands:
            hand.line.say(begin)
        await asyncio.gather(*(self._attend(hand, parts) for hand in self._hands))
        report = Report()
        for hand in self._hands:
            if hand.done is not None:
                report.add(hand.done.report)
        return report

    async def close(self) -> None:
        """End the processes."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for hand in self._hands:
            hand.line.close()
        if self._leader is not None:
            if any(hand.done is None for hand in self._hands):
                self._leader.kill()
            await asyncio.to_thread(self._leader.wait)
            self._leader = None
        self._hands.clear()

    async def _attend(self, hand: _Hand, parts: Iterator[list[Packed]]) -> None:
        """Give a process its parts, and do what it asks for, until it is at its end."""
        while hand.done is None:
            try:
                said = await hand.line.hear()
            except EOFError:
                raise StoreError(
                    "a process of the import has ended; import again to go on"
                ) from None
            match said:
                case Ready():
                    part = next(parts, None)
                    hand.line.say(End() if part is None else Work(part))
                    del part
                case Ask() | Commit():
                    task = asyncio.create_task(self._answer(hand, said))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                    del task
                case SoFar(counts):
                    hand.counts = counts
                    total = Counts()
                    for one in self._hands:
                        total.add(one.counts)
                    self._counted(total)
                case Done(_, error):
                    hand.done = said
                    self._let_go()
                    if error is not None:
                        raise error
            del said

    async def _answer(self, hand: _Hand, said: Ask | Commit) -> None:
        value: Any = None
        error: Exception | None = None
        try:
            if isinstance(said, Commit):
                await self._commit(hand, said)
            else:
                value = await getattr(self._store, said.method)(*said.positional, **said.named)
        except Exception as raised:  # noqa: BLE001 - it is raised where it was asked
            error = raised
        hand.line.say(Answer(said.number, value, error))

    async def _commit(self, hand: _Hand, said: Commit) -> None:
        """Commit a change set with one of each other process: a large commit changes fewer pages
        of the index for each message. All of them work on while they wait.
        """
        hand.commits += 1
        change_set = as_it_was(said.packed)
        try:
            held = asyncio.get_running_loop().create_future()
            self._held.append(held)
            self._let_go()
            await held
            await self._store.commit(said.project, change_set)
            self.written += len(change_set.writes)
        finally:
            hand.commits -= 1
            del change_set
        if not any(one.commits for one in self._hands):
            give_back()

    def _let_go(self) -> None:
        """Have what was handed over committed, if nobody has to be waited for."""
        if all(hand.commits or hand.done for hand in self._hands):
            for one in self._held:
                if not one.done():
                    one.set_result(None)
            self._held.clear()
