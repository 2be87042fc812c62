"""What changes while pages are open: one follower of the store a process, shared by all listeners.

It tells which resources changed, by their references alone; a page that shows one of them asks for
itself anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from time import perf_counter
from typing import NamedTuple, TypeAlias

from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.inbox.reader import id_in
from threadwell.stores.contract import Store, Stored, StoreError

_log = logging.getLogger(__name__)

#: Seconds within which changes are told together: listeners are many, and commits come in groups.
#: Where telling takes longer than a part of that, it has no more than that part of the time.
_TOGETHER, _PART = 0.01, 3
#: Changes that a listener who comes back may have missed, and is told one by one.
MOST = 1000
#: References that are told together; beyond it is simpler to look at everything.
_MOST_TOLD = 100
#: Changes after which others have their turn.
_TURN = 50


class Told(NamedTuple):
    """What has changed up to a position: references, none where it may be anything."""

    position: int
    about: tuple[str, ...]

    def event(self) -> bytes:
        """The same as a server-sent event."""
        return b"id: %d\ndata: %s\n\n" % (self.position, " ".join(self.about).encode() or b"*")


#: Sends an event, made into a chunk of HTTP, at once; false where that cannot be.
Push: TypeAlias = Callable[[bytes], bool]


class Listener:
    """Somebody who is told of what comes after a position.

    Where there is a ``push``, what comes while they wait is pushed to them, and nobody wakes up.
    """

    __slots__ = ("_news", "_waiting", "at", "over", "push", "rung")

    def __init__(self, news: News, at: int, push: Push | None) -> None:
        self._news = news
        self._waiting = False
        self.at = at
        self.push = push
        self.over = False
        self.rung = asyncio.Event()

    def tell(self, told: Told, chunk: bytes, before: int) -> None:
        """Let them know what is new; ``before`` is the position of what was told before."""
        if (
            self._waiting
            and self.push is not None
            and self.at >= before
            and not self.rung.is_set()
            and self.push(chunk)
        ):
            self.at = told.position
        else:
            self.rung.set()

    async def wait(self, seconds: float) -> list[Told] | None:
        """What has come since the last time; ``[]`` after so many seconds without anything.

        ``None`` once there will be nothing more.
        """
        self._waiting = True
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.rung.wait()
        finally:
            self._waiting = False
        self.rung.clear()
        if self.over or self._news.closed:
            return None
        told = self._news.after(self.at)
        if told:
            self.at = told[-1].position
        return told


class News:
    """The news of one project, for as many listeners as there are, in one event loop at a time."""

    def __init__(self, store: Store, project: str) -> None:
        self.closed = False
        self._store = store
        self._project = project
        self._listeners: set[Listener] = set()
        self._following: asyncio.Task[None] | None = None
        self._told: deque[Told] = deque()
        self._pending: dict[str, None] = {}
        self._at = 0
        # All that was told after this position is still there.
        self._floor = 0
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    async def position(self) -> int:
        """From where on a page that is read after this has to listen."""
        return await self._store.position(self._project)

    @contextmanager
    def listening(self, after: int, now: int, push: Push | None = None) -> Iterator[Listener]:
        """A listener to what comes after a position; ``now`` is where the project stands."""
        # What lies ahead of the store is of another one, or of a time that a restore has undone.
        listener = Listener(self, after if after <= now else -1, push)
        if self._following is None or self._following.done():
            self._start(after if 0 <= now - after <= MOST else now)
        self._listeners.add(listener)
        # It may have missed something already.
        listener.rung.set()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._stop()

    def after(self, position: int) -> list[Told]:
        """What was told after a position; that it may be anything, where that is not known."""
        if position < self._floor:
            return [Told(self._at, ())]
        found: list[Told] = []
        for told in reversed(self._told):
            if told.position <= position:
                break
            found.append(told)
        return found[::-1]

    def close(self) -> None:
        """Let all listeners go, and whoever comes."""
        self.closed = True
        self._ring()

    def _start(self, after: int) -> None:
        self._at = self._floor = after
        self._told.clear()
        self._pending.clear()
        self._following = asyncio.create_task(self._follow(after), name="threadwell-pages-news")

    def _stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            self._following = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _follow(self, after: int) -> None:
        try:
            async with aclosing(self._store.follow(self._project, after)) as changes:
                async for change in changes:
                    if change.position % _TURN == 0:
                        await asyncio.sleep(0)
                    self._take(change.position, change.stored)
        except StoreError as error:
            _log.warning("pages are not told of what is new: %s", error)
        finally:
            # They come back, and then it goes on from where they are. Those who have come since the
            # last one left have a follower of their own.
            if self._following is asyncio.current_task():
                for listener in self._listeners:
                    listener.over = True
                    listener.rung.set()

    def _take(self, position: int, stored: Stored) -> None:
        self._at = position
        about = about_of(stored)
        if not about:
            return
        self._pending.update(dict.fromkeys(about))
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(self._next, loop.time()), self._tell)

    def _tell(self) -> None:
        began = perf_counter()
        self._timer = None
        about = tuple(self._pending)
        self._pending.clear()
        before = self._told[-1].position if self._told else self._floor
        told = Told(self._at, about if len(about) <= _MOST_TOLD else ())
        self._told.append(told)
        if len(self._told) > MOST:
            self._floor = self._told.popleft().position
        event = told.event()
        chunk = b"%x\r\n%s\r\n" % (len(event), event)
        for listener in self._listeners:
            listener.tell(told, chunk, before)
        took = perf_counter() - began
        self._next = asyncio.get_running_loop().time() + max(_TOGETHER, _PART * took)

    def _ring(self) -> None:
        for listener in self._listeners:
            listener.rung.set()


def about_of(stored: Stored) -> tuple[str, ...]:
    """The resources that pages show which a change is about: itself, and what it is a part of.

    That somebody has read something is no news to anybody.
    """
    if stored.type not in ("Communication", "Encounter", "Task"):
        return ()
    name = f"{stored.type}/{stored.id}"
    if stored.deleted or stored.type == "Encounter":
        return (name,)
    body = decode(stored.body)
    if stored.type == "Task":
        codings = (body.get("code") or {}).get("coding") or ()
        if codes.READ_RECEIPT["code"] in (one.get("code") for one in codings):
            return ()
        focus = str((body.get("focus") or {}).get("reference", ""))
        return (name, focus) if focus else (name,)
    parents = (id_in(one, "Communication") for one in body.get("partOf") or ())
    of = [f"Communication/{id_}" for id_ in parents if id_]
    if session := id_in(body.get("encounter"), "Encounter"):
        of.append(f"Encounter/{session}")
    return (name, *of)
