"""One socket: what its client binds to it, and what it is told.

A task reads what the client sends, a frame after the other; another writes what is new. A client
that takes nothing is let go. A Subscription that its client was away from catches up by stretches;
only when it has come to where all others are, it is one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from threadwell.access.policy import Policy
from threadwell.access.view import View, Whole
from threadwell.api.body import Receive
from threadwell.api.context import Context
from threadwell.api.exchange import Caller
from threadwell.api.line import Gone, Line, first_of, framed
from threadwell.api.subscriptions.binding import Binding, read
from threadwell.api.subscriptions.following import Following, Listener, News
from threadwell.api.subscriptions.pulse import Pulse
from threadwell.audit.record import Touched, Who
from threadwell.fhir.json import BadJson, decode, encode
from threadwell.fhir.outcome import FhirError, Issue, invalid, outcome
from threadwell.fhir.search.catalogue import Catalogue, catalogue_of
from threadwell.stores.contract import StoreError
from threadwell.subscriptions.criteria import Criteria, parse_criteria
from threadwell.subscriptions.leaving import NOTED
from threadwell.subscriptions.notices import Notice, handshake, heartbeat
from threadwell.subscriptions.served import socket_criteria

#: Characters of a frame that a client sends: a token and little else.
_MOST = 16 * 1024
#: Seconds until it is looked again whether all others have come to where somebody is already.
_AHEAD = 0.02
#: Codes of a close (RFC 6455 §7.4): the server stops; it cannot keep up with the client.
_RESTART, _LATER = 1012, 1013


class _Bound(NamedTuple):
    """A Subscription that is bound: by which token, what its caller sees, and what it asks."""

    binding: Binding
    policy: Policy | None
    view: View
    who: Who
    text: str
    criteria: Criteria
    catalogue: Catalogue

    @property
    def sees_all(self) -> bool:
        """Whether its caller sees everything."""
        return isinstance(self.view, Whole)

    @property
    def lasts(self) -> bool:
        """Whether what its caller sees lasts until somebody changes it."""
        return self.policy is None or self.policy.lasts is None


@dataclass(slots=True)
class Socket:
    """One open socket. ``remove`` deletes a Subscription that its client is done with.

    ``note`` keeps that it has those Subscriptions. ``address`` is where its client is.
    """

    context: Context
    following: Following
    pulse: Pulse
    position: int
    remove: Callable[[View, str], Awaitable[None]]
    note: Callable[[Iterable[str]], Awaitable[None]]
    receive: Receive
    line: Line
    address: str = ""
    _bound: dict[str, _Bound] = field(default_factory=dict)
    #: Those that catch up: the position of what they have been told last.
    _after: dict[str, int] = field(default_factory=dict)
    #: When it was noted last which ones it has, in milliseconds.
    _noted: int = 0

    async def run(self) -> None:
        """Serve the client until either end is done."""
        with suppress(Gone):
            try:
                with (
                    self.following.listening(self.position, self.line) as listener,
                    self.pulse.beating(lambda: self._beat_at_once(listener)),
                ):
                    await first_of(self._read(listener), self._write(listener))
            except FhirError as error:
                await self._say(encode(outcome(error.issues, error.id)))
                await self.line.end(_LATER, "too many")
            except StoreError:
                await self.line.end(_LATER, "the store cannot be read")

    async def _read(self, listener: Listener) -> None:
        while True:
            try:
                await self._take(listener, await self._frame())
            except FhirError as error:
                await self._say(encode(outcome(error.issues, error.id)))

    async def _take(self, listener: Listener, frame: dict[str, Any]) -> None:
        match frame.get("type"):
            case "ping":
                await self._say(b'{"type":"pong"}')
            case "bind-with-token":
                await self._bind(listener, self._read_token(frame), _since(frame))
            case "unbind-from-token":
                binding = self._read_token(frame)
                bound = self._bound.get(binding.subscription)
                self._unbind(listener, binding.subscription)
                if bound is not None:
                    # A client that says so may be gone the moment after.
                    await asyncio.shield(self.remove(bound.view, binding.subscription))
            case _:
                raise invalid("A frame is of type bind-with-token, unbind-from-token or ping")

    async def _bind(self, listener: Listener, binding: Binding, since: str | None = None) -> None:
        """Serve a Subscription, from the event with that number on, if there is one."""
        context, id_ = await self.context.current(), binding.subscription
        caller = await self._caller(binding)
        view = context.seen_by(caller).view
        stored = await view.read(context.project, "Subscription", id_)
        subscription = decode(stored.body) if stored and not stored.deleted else {}
        text = socket_criteria(subscription)
        if text is None:
            raise FhirError(
                404, [Issue("not-found", "No such Subscription is active")], "not-found"
            )
        criteria = parse_criteria(text, bases=context.bases, now=context.clock)
        if caller.policy is not None:
            view.check(criteria.type, "search")
            await criteria.check(view, context.project)
        after = None
        if since is not None:
            last, whole = await self.following.last(), isinstance(view, Whole)
            after = max(context.numbers.position(since, last, whole=whole) - 1, 0)
        self.following.check_room(listener, id_)
        if id_ not in self._bound:
            await self.note([id_])
            # The others were noted before: they are again with them.
            self._noted = self._noted or context.clock()
        bound = _Bound(
            *(binding, caller.policy, view, self._who(caller)),
            *(text, criteria, catalogue_of(context.bases)),
        )
        # A policy that has changed meanwhile interrupts nothing.
        after = self._after.get(id_) if after is None else after
        if after is None:
            self._join(listener, bound)
        else:
            self.following.unbind(listener, id_)
            self._bound[id_] = bound
            self._after[id_] = after
            listener.catches_up.add(id_)
            listener.rung.set()
        await self._say(handshake(id_, self._number(bound), context.clock()))

    def _join(self, listener: Listener, bound: _Bound) -> None:
        """Have it told with all others what comes from here on."""
        id_ = bound.binding.subscription
        self.following.bind(listener, id_, bound.criteria, bound.text, bound.view, bound.catalogue)
        if bound.lasts:
            listener.at_once[id_] = (bound.who, f"Subscription/{id_}")
        self._bound[id_] = bound
        self._after.pop(id_, None)
        listener.catches_up.discard(id_)

    def _number(self, bound: _Bound) -> str:
        """That of the last change that has nothing more to be told of."""
        after = self._after.get(bound.binding.subscription, self.following.reached)
        return self.context.numbers.reached(after, whole=bound.sees_all)

    def _read_token(self, frame: dict[str, Any]) -> Binding:
        payload = frame.get("payload")
        token = payload.get("token") if isinstance(payload, dict) else None
        context = self.context
        seconds = context.clock() // 1000
        found = (
            read(context.keys, f"{context.base}/", token, seconds)
            if isinstance(token, str)
            else None
        )
        if found is None:
            raise FhirError(
                401, [Issue("login", "The token binds nothing, or no longer")], "unauthorized"
            )
        return found

    async def _caller(self, binding: Binding) -> Caller:
        """Who has the token; raises ``FhirError`` 401 where they may no longer ask."""
        caller = await self.context.access.having(binding.claims)
        if caller is None:
            raise FhirError(401, [Issue("login", "Unauthorized")], "unauthorized")
        return caller

    def _who(self, caller: Caller) -> Who:
        return Who(
            who=caller.reference,
            client=caller.client_id,
            name=caller.name,
            login=caller.login_id,
            way="socket",
            address=self.address,
        )

    def _unbind(self, listener: Listener, subscription: str) -> None:
        self.following.unbind(listener, subscription)
        self._bound.pop(subscription, None)
        self._after.pop(subscription, None)
        listener.catches_up.discard(subscription)

    async def _write(self, listener: Listener) -> None:
        while True:
            await listener.rung.wait()
            listener.rung.clear()
            listener.rests = False
            if listener.over or listener.behind:
                code = _RESTART if listener.over else _LATER
                await self.line.end(code, "come back")
                return
            while listener.ended:
                self._unbind(listener, listener.ended.pop())
            if self._after:
                # A stretch of one, then of the next one: what is new does not wait for all of them.
                await self._catch_up(listener, *next(iter(self._after.items())))
                if self._after:
                    listener.rung.set()
            while listener.waiting:
                news = listener.waiting.popleft()
                # What it catches up with has that in its place.
                if news.subscription not in self._after:
                    await self._tell(listener, news)
            if listener.beats:
                listener.beats = False
                await self._beat(listener)
            listener.rests = not listener.waiting

    async def _tell(self, listener: Listener, news: News) -> None:
        bound = await self._still(listener, news)
        if bound is None:
            return
        stored = news.notice.stored
        touched = Touched(stored.type, stored.id, stored.version_id)
        told = [(bound.who, f"Subscription/{news.subscription}")]
        # What cannot be recorded is not told.
        self.context.trail.events(self.context.project, "notify socket", touched, told)
        await self._say(news.notice.to(news.subscription))

    async def _catch_up(self, listener: Listener, id_: str, after: int) -> None:
        """Tell a stretch of what was missed after a position."""
        following, bound = self.following, self._bound[id_]
        if after > following.reached:
            # Another process has told them of what this one has not heard of yet.
            await asyncio.sleep(_AHEAD)
            self._go_on(id_, after, after)
            return
        current = await self.context.current()
        if catalogue_of(current.bases) is not bound.catalogue:
            # What it asks may mean something else by now: it comes back, and is told so.
            listener.fall_behind()
            return
        async with following.replays:
            events, reached = await following.missed(
                bound.view, bound.criteria, after, following.reached
            )
        for event in events:
            if self._after.get(id_) != after:
                # It was unbound, or bound from elsewhere.
                return
            number = self.context.numbers.of(event.position, whole=bound.sees_all)
            notice = Notice(event.stored, event.body, number, self.context.fhir)
            await self._tell(listener, News(id_, notice))
            if self._bound.get(id_) is not bound:
                # Its caller sees something else by now: what follows is looked for by that.
                self._go_on(id_, after, event.position)
                return
        if self._after.get(id_) != after or self._bound.get(id_) is not bound:
            return
        self._go_on(id_, after, reached)
        if reached >= following.reached:
            self._join(listener, bound)

    def _go_on(self, id_: str, after: int, reached: int) -> None:
        """It has its next turn after all others."""
        if self._after.get(id_) == after:
            del self._after[id_]
            self._after[id_] = reached

    async def _still(self, listener: Listener, news: News) -> _Bound | None:
        """By what some news are told; ``None`` where they are not.

        A policy may have changed without a word since they were found: they are looked at anew.
        """
        bound = self._bound.get(news.subscription)
        if bound is None or bound.lasts:
            return bound
        stored = news.notice.stored
        try:
            caller = await self._caller(bound.binding)
            if caller.policy is not bound.policy:
                await self._bind(listener, bound.binding)
            bound = self._bound[news.subscription]
            seen = await bound.view.read_version(
                *(self.context.project, stored.type, stored.id, stored.version_id)
            )
        except FhirError:
            self._unbind(listener, news.subscription)
            return None
        return bound if seen is not None else None

    def _beat_at_once(self, listener: Listener) -> None:
        """Tell that it is alive, where that is all; else its own task sees to it."""
        access, rests = self.context.access, listener.is_free and not self._is_to_be_noted()
        for bound in self._bound.values() if rests else ():
            caller = access.still(bound.binding.claims)
            rests = rests and caller is not None and caller.policy is bound.policy
        if not rests:
            listener.beats = True
            listener.rung.set()
        elif self._bound:
            text = self._heartbeat()
            self.line.write(framed(len(text)) + text)

    async def _beat(self, listener: Listener) -> None:
        """Tell that it is alive; let go of what its client may see no more."""
        for id_, bound in list(self._bound.items()):
            try:
                caller = await self._caller(bound.binding)
                if caller.policy is not bound.policy:
                    await self._bind(listener, bound.binding)
            except FhirError:
                self._unbind(listener, id_)
        if self._is_to_be_noted():
            self._noted = self.context.clock()
            await self.note(list(self._bound))
        if self._bound:
            await self._say(self._heartbeat())

    def _is_to_be_noted(self) -> bool:
        """Whether it is time to keep anew which ones it has."""
        return bool(self._bound) and self.context.clock() - self._noted >= NOTED

    def _heartbeat(self) -> bytes:
        numbers = {id_: self._number(bound) for id_, bound in self._bound.items()}
        return heartbeat(numbers, self.context.clock())

    async def _frame(self) -> dict[str, Any]:
        message = await self.receive()
        if message["type"] != "websocket.receive":
            raise Gone
        text = message.get("text")
        if text is None or len(text) > _MOST:
            raise invalid(f"A frame is text of at most {_MOST} characters")
        try:
            frame = decode(text)
        except BadJson:
            frame = None
        if not isinstance(frame, dict):
            raise invalid("A frame is a JSON object")
        return frame

    async def _say(self, text: bytes) -> None:
        await self.line.say(text.decode())


def _since(frame: dict[str, Any]) -> str | None:
    payload = frame.get("payload")
    since = payload.get("eventsSinceNumber") if isinstance(payload, dict) else None
    if since is None or isinstance(since, str):
        return since
    raise invalid("eventsSinceNumber is the text of a number")
