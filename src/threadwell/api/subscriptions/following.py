"""What changes while sockets are open: one follower of the store a process, for all of them.

Criteria that many listeners have are looked at once for each change. A listener who does not take
what it is told in time is let go: what waits is bounded, and nobody else waits for it. Who has
nothing waiting is written to at once, with all who see the same; their tasks sleep on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Hashable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from threadwell.access.limited import Limited
from threadwell.access.standing import means_alike, under
from threadwell.access.view import View, Whole
from threadwell.api.line import Line, framed
from threadwell.api.subscriptions.replaying import Stretch, seen, stretch
from threadwell.audit.record import Touched, Who
from threadwell.audit.trail import Trail
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.search.catalogue import R4, Catalogue
from threadwell.stores.contract import Change, Store, StoreBusy, StoreError, Unindexed
from threadwell.subscriptions.before import last_body
from threadwell.subscriptions.criteria import Criteria, Version
from threadwell.subscriptions.notices import Notice
from threadwell.subscriptions.numbers import Numbers
from threadwell.subscriptions.served import is_active

_log = logging.getLogger(__name__)

#: Sockets of a process, and Subscriptions of one.
MOST, MOST_OF_ONE = 5000, 200
#: Notifications that wait for a listener.
_WAITING = 1000
#: Changes after which others have their turn, and listeners who are told of one.
_TURN, _AT_ONCE = 50, 100
#: Stretches of what was missed that are looked for at a time, and bytes of one: it is held until
#: its client has taken it.
_REPLAYS, _HELD = 4, 1 << 18


class News(NamedTuple):
    """A Subscription is told of a version, as its subscriber sees it."""

    subscription: str
    notice: Notice


class Listener:
    """One socket: what waits for it, in the order of the changes.

    ``at_once`` has those of its Subscriptions that are told without another look, and who has bound
    each; it is told so while it ``rests``, by its ``line``. What ``catches_up`` has missed things
    that it is told first. It ``beats`` once what waits for it was told.
    """

    __slots__ = (
        *("at_once", "beats", "behind", "bound", "catches_up", "ended", "line", "over", "rests"),
        *("rung", "waiting"),
    )

    def __init__(self, line: Line | None = None) -> None:
        self.line = line
        self.rests = True
        self.at_once: dict[str, tuple[Who, str]] = {}
        self.catches_up: set[str] = set()
        self.rung = asyncio.Event()
        #: The group of each Subscription that is bound to it.
        self.bound: dict[str, _Group] = {}
        self.waiting: deque[News] = deque()
        self.ended: list[str] = []
        self.beats = False
        self.behind = False
        self.over = False

    @property
    def is_free(self) -> bool:
        """Whether it can be told something right now, with nothing that is to be told before."""
        line = self.line
        return (
            line is not None
            and self.rests
            and not self.waiting
            and not (self.behind or self.over)
            and line.is_free
        )

    def give(self, news: News) -> None:
        """Something that it subscribes to has changed."""
        if len(self.waiting) >= _WAITING:
            self.fall_behind()
            return
        self.waiting.append(news)
        self.rung.set()

    def fall_behind(self) -> None:
        """It cannot be told everything any more: it is let go, and may come back."""
        self.behind = True
        self.rung.set()

    def end(self, subscription: str) -> None:
        """That Subscription is no longer served."""
        self.ended.append(subscription)
        self.rung.set()


#: The text of criteria, the search parameters by which they were read, and what is seen.
_Key: TypeAlias = tuple[str, int, Hashable]


@dataclass(slots=True)
class _Group:
    """Those who have the same criteria, and see the same."""

    key: _Key
    criteria: Criteria
    view: View
    #: The search parameters by which the criteria were read.
    catalogue: Catalogue
    members: set[tuple[Listener, str]] = field(default_factory=set)


class Following:
    """The changes of a project, told to as many listeners as there are, in one event loop.

    What is told is recorded in a ``trail``. ``base`` is the FHIR base of the server. Changes up to
    the one that was ``reached`` have been told.
    """

    def __init__(
        self, store: Store, project: str, trail: Trail, numbers: Numbers, base: str
    ) -> None:
        self._store = store
        self._project = project
        self._trail = trail
        self._numbers = numbers
        self._base = base
        self.reached = 0
        self.replays = asyncio.Semaphore(_REPLAYS)
        self._groups: defaultdict[str, dict[_Key, _Group]] = defaultdict(dict)
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self.closed = False

    @contextmanager
    def listening(self, position: int, line: Line | None = None) -> Iterator[Listener]:
        """A listener to what changes after a position, where the project is or was just now.

        By its ``line`` it is told what it can be told at once.

        Raises ``FhirError`` 429 where there are too many.
        """
        if len(self._listeners) >= MOST:
            raise _too_many("Too many sockets are open")
        listener = Listener(line)
        listener.over = self.closed
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self.reached = position
            self._task = asyncio.create_task(self._follow(position), name="threadwell-subscribers")
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            for subscription in list(listener.bound):
                self.unbind(listener, subscription)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    def check_room(self, listener: Listener, subscription: str) -> None:
        """Raise ``FhirError`` 429 where the listener has too many Subscriptions for one more."""
        known = listener.bound.keys() | listener.catches_up
        if len(known) >= MOST_OF_ONE and subscription not in known:
            raise _too_many("Too many Subscriptions are bound to one socket")

    def bind(
        self,
        listener: Listener,
        subscription: str,
        criteria: Criteria,
        text: str,
        view: View,
        catalogue: Catalogue = R4,
    ) -> None:
        """Tell a listener of what the criteria find, as the view shows it; the criteria were read
        by that ``catalogue``.

        Those of one ``text`` whose callers see the same are looked at together. Raises
        ``FhirError`` 429 where the listener has too many.
        """
        self.check_room(listener, subscription)
        self.unbind(listener, subscription)
        # Two callers may bind one Subscription, and see different things by it.
        key = (text, id(catalogue), _sight(view, criteria.type))
        groups = self._groups[criteria.type]
        group = groups.setdefault(key, _Group(key, criteria, view, catalogue))
        group.members.add((listener, subscription))
        listener.bound[subscription] = group

    def unbind(self, listener: Listener, subscription: str) -> None:
        """Tell it no more of that."""
        group = listener.bound.pop(subscription, None)
        listener.at_once.pop(subscription, None)
        if group is None:
            return
        group.members.discard((listener, subscription))
        if not group.members:
            self._groups[group.criteria.type].pop(group.key, None)

    async def last(self) -> int:
        """The position of the last change, which others may have been told of sooner."""
        return await self._store.position(self._project)

    async def missed(self, view: View, criteria: Criteria, after: int, until: int) -> Stretch:
        """Some of what somebody would have been told after a position, up to another one."""
        asked = (self._store, self._project, view, criteria, after, until)
        return await stretch(*asked, size=_HELD)

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
                    await self._tell(change)
        except StoreError as error:
            _log.warning("subscribers are not told of what is new: %s", error)
        finally:
            # They come back. Those who have come since the last one left have another follower.
            if self._task is asyncio.current_task():
                self._end()

    async def _tell(self, change: Change) -> None:
        stored = change.stored
        # Whoever binds from here on is told of it as of one that was before, if they ask for that.
        self.reached = change.position
        if stored.type == "Subscription" and not is_active(stored):
            for listener in list(self._listeners):
                if stored.id in listener.bound or stored.id in listener.catches_up:
                    listener.end(stored.id)
        groups = self._groups.get(stored.type)
        if not groups:
            return
        # Whoever binds anew while it is looked has another group, and is told as a member of this.
        there = [(one, list(one.members)) for one in groups.values()]
        shown = await last_body(self._store, self._project, stored)
        if shown is None:
            return
        home = await self._store.home(self._project)
        version = Version(shown, home)
        for group, members in there:
            try:
                stands = _stands(group, home.catalogue)
                found = (
                    await seen(group.view, group.criteria, version, self._project)
                    if stands
                    else None
                )
            except (Unindexed, StoreBusy):
                stands = False
            if not stands:
                # What they ask by, or are limited by, has gone or means something else: they come
                # back and are told so. Nobody else is let go for that.
                for listener, _ in members:
                    listener.fall_behind()
            elif found is not None:
                number = self._numbers.of(change.position, whole=isinstance(group.view, Whole))
                notice = Notice(stored, found.body, number, self._base)
                for first in range(0, len(members), _AT_ONCE):
                    if first:
                        # What was written goes out, and others have their turn.
                        await asyncio.sleep(0)
                    self._tell_some(notice, members[first : first + _AT_ONCE])

    def _tell_some(self, notice: Notice, members: list[tuple[Listener, str]]) -> None:
        """Tell those who are free, and have it wait for the others."""
        free: list[tuple[Line, str]] = []
        told: list[tuple[Who, str]] = []
        for listener, subscription in members:
            known = listener.at_once.get(subscription)
            if known is not None and listener.line is not None and listener.is_free:
                free.append((listener.line, subscription))
                told.append(known)
            else:
                listener.give(News(subscription, notice))
        if not free:
            return
        stored = notice.stored
        touched = Touched(stored.type, stored.id, stored.version_id)
        try:
            self._trail.events(self._project, "notify socket", touched, told)
        except StoreError:
            # What cannot be recorded is not told.
            for listener, _ in members:
                listener.fall_behind()
            return
        head, tail = notice.around
        between = len(head) + len(tail)
        for line, subscription in free:
            name = subscription.encode()
            line.write(b"".join((framed(between + len(name)), head, name, tail)))

    def _end(self) -> None:
        for listener in list(self._listeners):
            listener.over = True
            listener.rung.set()


def _sight(view: View, type_: str) -> Hashable:
    """What is equal for those who see the same of a type, and of what leads to it."""
    if not isinstance(view, Limited):
        return 0 if isinstance(view, Whole) else id(view)
    policy = view.policy
    return policy.sight, (policy.profile, policy.bars) if type_ == "Binary" else ()


def _stands(group: _Group, now: Catalogue) -> bool:
    """Whether what a group asks, and what its view shows, mean what they did when it was bound."""
    was, criteria, view = group.catalogue, group.criteria, group.view
    if was is now:
        return True
    if not means_alike(criteria.type, criteria.query.filters, was, now):
        return False
    if isinstance(view, Limited) and under(view.policy, now).entries != view.policy.entries:
        return False
    group.catalogue = now
    return True


def _too_many(text: str) -> FhirError:
    return FhirError(429, [Issue("throttled", text)], "too-many-requests")
