"""One socket: what its client binds to it, and what it is told.

A task reads what the client sends, a frame after the other; another writes what is new. A client
that takes nothing is let go.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from threadwell.access.policy import Policy
from threadwell.access.view import View
from threadwell.api.body import Receive
from threadwell.api.context import Context
from threadwell.api.exchange import Caller
from threadwell.api.line import Gone, Line, first_of
from threadwell.api.subscriptions.binding import Binding, read
from threadwell.api.subscriptions.following import Following, Listener, News
from threadwell.audit.record import Touched, Who
from threadwell.fhir.json import BadJson, decode, encode
from threadwell.fhir.outcome import FhirError, Issue, invalid, outcome
from threadwell.fhir.search.catalogue import catalogue_of
from threadwell.stores.contract import StoreError
from threadwell.subscriptions.criteria import parse_criteria
from threadwell.subscriptions.leaving import NOTED
from threadwell.subscriptions.notices import handshake, heartbeat
from threadwell.subscriptions.served import WEBSOCKET

#: Characters of a frame that a client sends: a token and little else.
_MOST = 16 * 1024
#: Seconds between two heartbeats.
_BEAT = 10.0
#: Codes of a close (RFC 6455 §7.4): the server stops; it cannot keep up with the client.
_RESTART, _LATER = 1012, 1013


class _Bound(NamedTuple):
    """A Subscription that is bound: by which token, and what its caller sees."""

    binding: Binding
    policy: Policy | None
    view: View
    who: Who


@dataclass(slots=True)
class Socket:
    """One open socket. ``remove`` deletes a Subscription that its client is done with.

    ``note`` keeps that it has those Subscriptions. ``address`` is where its client is.
    """

    context: Context
    following: Following
    position: int
    remove: Callable[[View, str], Awaitable[None]]
    note: Callable[[Iterable[str]], Awaitable[None]]
    receive: Receive
    line: Line
    address: str = ""
    _bound: dict[str, _Bound] = field(default_factory=dict)
    _told: Counter[str] = field(default_factory=Counter)
    #: When it was noted last which ones it has, in milliseconds.
    _noted: int = 0

    async def run(self) -> None:
        """Serve the client until either end is done."""
        with suppress(Gone):
            try:
                with self.following.listening(self.position) as listener:
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
                await self._bind(listener, self._read_token(frame))
            case "unbind-from-token":
                binding = self._read_token(frame)
                bound = self._bound.get(binding.subscription)
                self._unbind(listener, binding.subscription)
                if bound is not None:
                    # A client that says so may be gone the moment after.
                    await asyncio.shield(self.remove(bound.view, binding.subscription))
            case _:
                raise invalid("A frame is of type bind-with-token, unbind-from-token or ping")

    async def _bind(self, listener: Listener, binding: Binding) -> None:
        context, id_ = await self.context.current(), binding.subscription
        caller = await self._caller(binding)
        view = context.seen_by(caller).view
        stored = await view.read(context.project, "Subscription", id_)
        subscription = decode(stored.body) if stored and not stored.deleted else {}
        if subscription.get("status") != "active" or subscription["channel"]["type"] != WEBSOCKET:
            raise FhirError(
                404, [Issue("not-found", "No such Subscription is active")], "not-found"
            )
        text = subscription["criteria"]
        criteria = parse_criteria(text, bases=context.bases, now=context.clock)
        if caller.policy is not None:
            view.check(criteria.type, "search")
            await criteria.check(view, context.project)
        self.following.bind(listener, id_, criteria, text, view, catalogue_of(context.bases))
        if id_ not in self._bound:
            await self.note([id_])
        self._bound[id_] = _Bound(binding, caller.policy, view, self._who(caller))
        await self._say(handshake(id_, context.clock()))

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
        caller = await self.context.access.of(binding.claims)
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
        self._told.pop(subscription, None)

    async def _write(self, listener: Listener) -> None:
        loop = asyncio.get_running_loop()
        beat = loop.time() + _BEAT
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(beat):
                    await listener.rung.wait()
            listener.rung.clear()
            if listener.over or listener.behind:
                code = _RESTART if listener.over else _LATER
                await self.line.end(code, "come back")
                return
            while listener.ended:
                self._unbind(listener, listener.ended.pop())
            while listener.waiting:
                news = listener.waiting.popleft()
                bound = await self._still(listener, news)
                if bound is not None:
                    stored = news.notice.stored
                    # What cannot be recorded is not told.
                    self.context.trail.event(
                        self.context.project,
                        "notify socket",
                        bound.who,
                        asked=f"Subscription/{news.subscription}",
                        touched=(Touched(stored.type, stored.id, stored.version_id),),
                    )
                    self._told[news.subscription] += 1
                    number = self._told[news.subscription]
                    text = news.notice.to(news.subscription, number, self.context.fhir)
                    await self.line.say(text)
            if loop.time() >= beat:
                beat = loop.time() + _BEAT
                await self._beat(listener)

    async def _still(self, listener: Listener, news: News) -> _Bound | None:
        """By what some news are told; ``None`` where they are not.

        A policy may have changed without a word since they were found: they are looked at anew.
        """
        bound = self._bound.get(news.subscription)
        if bound is None or bound.policy is None or bound.policy.lasts is None:
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

    async def _beat(self, listener: Listener) -> None:
        """Tell that it is alive; let go of what its client may see no more."""
        for id_, bound in list(self._bound.items()):
            try:
                caller = await self._caller(bound.binding)
                if caller.policy is not bound.policy:
                    await self._bind(listener, bound.binding)
            except FhirError:
                self._unbind(listener, id_)
        if self._bound and self.context.clock() - self._noted >= NOTED:
            self._noted = self.context.clock()
            await self.note(list(self._bound))
        if self._bound:
            await self._say(heartbeat(list(self._bound), self.context.clock()))

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
