"""What changes while sockets are open: one follower of the store a process, for all of them.

A listener is given the changes of its own patient's messages. One that does not take them in time
is told that it has missed some, and reads them from the store: what waits is bounded.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from threadwell.channels.chat.names import NAME, Patient
from threadwell.encounters.people import addresses_of
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import Clock
from threadwell.intake.chat.refused import ChatRefused
from threadwell.intake.chat.seen import Seen, seen_in
from threadwell.intake.chat.typing import Side, Typing
from threadwell.stores.contract import Change, Store, StoreError

_log = logging.getLogger(__name__)

#: Sockets of one patient, and of all, in a process.
MOST_OF_ONE, MOST = 8, 5000
#: Changes that wait for a listener.
_WAITING = 100
#: Seconds between two looks at who types.
_GLANCE = 0.4
#: Changes after which others have their turn.
_TURN = 50
#: A body without it is of no message of an app.
_MARK = f'"{NAME}:'.encode()


class Listener:
    """Who is told of changes, in their order, and of who types."""

    __slots__ = ("missed", "over", "patient", "rung", "typing", "waiting")

    def __init__(self, patient: Patient) -> None:
        self.patient = patient
        self.rung = asyncio.Event()
        self.waiting: deque[tuple[Change, Seen]] = deque()
        self.missed = False
        self.over = False
        self.typing = False

    def give(self, change: Change, one: Seen) -> None:
        """A change of one of the patient's messages, and what the patient sees of it."""
        if len(self.waiting) >= _WAITING:
            self.waiting.clear()
            self.missed = True
        if not self.missed:
            self.waiting.append((change, one))
        self.rung.set()


class Following:
    """The changes of a project, and who types, for as many listeners as there are, in one loop."""

    def __init__(self, store: Store, project: str, typing: Typing, clock: Clock) -> None:
        self._store = store
        self._project = project
        self._typing = typing
        self._clock = clock
        self._looking: asyncio.Task[None] | None = None
        self._listeners: dict[tuple[str, str], set[Listener]] = {}
        self._count = 0
        self._task: asyncio.Task[None] | None = None
        self.closed = False

    @contextmanager
    def listening(self, patient: Patient, position: int) -> Iterator[Listener]:
        """A listener to whatever changes after a position, where the project is or was just now.

        Raises ``ChatRefused`` where there are too many.
        """
        key = patient.address.key
        mine = self._listeners.setdefault(key, set())
        if len(mine) >= MOST_OF_ONE or self._count >= MOST:
            if not mine:
                del self._listeners[key]
            raise ChatRefused("too-many", "too many sockets are open: close another one first")
        listener = Listener(patient)
        mine.add(listener)
        self._count += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow(position), name="threadwell-chat-news")
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="threadwell-chat-typing")
        try:
            yield listener
        finally:
            self._count -= 1
            mine.discard(listener)
            if not mine:
                self._listeners.pop(key, None)
            if not self._count:
                self._stop()

    def close(self) -> None:
        """Let all listeners go, and whoever comes."""
        self.closed = True
        self._end()

    async def _follow(self, after: int) -> None:
        try:
            async with aclosing(self._store.follow(self._project, after)) as changes:
                async for change in changes:
                    if change.position % _TURN == 0:
                        await asyncio.sleep(0)
                    self._tell(change)
        except StoreError as error:
            _log.warning("apps are not told of what is new: %s", error)
        finally:
            # They come back, and go on from where they are. Those who have come since the last one
            # left have a follower of their own.
            if self._task is asyncio.current_task():
                self._end()

    async def _look(self) -> None:
        """Tell listeners whether somebody of the practice types: nothing rings for that."""
        told, typing = -1, False
        while True:
            # Where nobody has said anything, and nobody typed, nothing has changed.
            if typing or told != self._typing.told:
                told, now = self._typing.told, self._clock()
                typing = False
                for some in self._listeners.values():
                    for listener in some:
                        types = self._typing.is_typing(listener.patient.thread, Side.PRACTICE, now)
                        typing = typing or types
                        if types != listener.typing:
                            listener.typing = types
                            listener.rung.set()
            await asyncio.sleep(_GLANCE)

    def _stop(self) -> None:
        for task in (self._task, self._looking):
            if task is not None:
                task.cancel()
        self._task = self._looking = None

    def _tell(self, change: Change) -> None:
        stored = change.stored
        if stored.type != "Communication" or stored.deleted or _MARK not in stored.body:
            return
        body = decode(stored.body)
        for key in _whose(body):
            for listener in self._listeners.get(key, ()):
                one = seen_in(body, stored, listener.patient)
                if one is not None:
                    listener.give(change, one)

    def _end(self) -> None:
        for some in self._listeners.values():
            for listener in some:
                listener.over = True
                listener.rung.set()


def _whose(body: Resource) -> set[tuple[str, str]]:
    actors = (body.get("sender") or {}, *(body.get("recipient") or ()))
    return {one.key for actor in actors for one in addresses_of(actor)}
