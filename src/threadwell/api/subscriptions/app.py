"""The ASGI application at ``/ws/subscriptions-r4``: whoever comes may speak; a token opens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from threadwell.access.view import View
from threadwell.api import outside
from threadwell.api.body import Receive
from threadwell.api.context import Context
from threadwell.api.line import DIRECT, Gone, Line
from threadwell.api.load.gate import Load
from threadwell.api.outside import Send
from threadwell.api.projects.contexts import Contexts
from threadwell.api.subscriptions.first_frame import first_bound
from threadwell.api.subscriptions.following import Following
from threadwell.api.subscriptions.pulse import Pulse
from threadwell.api.subscriptions.socket import Socket
from threadwell.stores.contract import StoreError
from threadwell.subscriptions.leaving import note_bound
from threadwell.users.sources import address_of, proxies

PATH = "/ws/subscriptions-r4"
#: Come back (RFC 6455 §7.4).
_LATER = 1013


def socket_url(base: str) -> str:
    """Where the server at ``base`` takes sockets."""
    return f"ws{base.removeprefix('http')}{PATH}"


#: Deletes a Subscription, as far as a view lets it.
Remove = Callable[[Context, View, str], Awaitable[None]]


class Subscriptions:
    """Serves subscribers of the projects of ``contexts``."""

    def __init__(self, contexts: Contexts, load: Load, remove: Remove) -> None:
        self._contexts = contexts
        self._load = load
        self._remove = remove
        self._following: dict[str, Following] = {}
        self._pulses: dict[str, Pulse] = {}
        load.at_end.append(self._end)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await outside.not_found(scope, receive, send)
            return
        await receive()
        try:
            context = await self._contexts.first()
            if self._load.draining:
                await _refuse(send)
                return
            several = await self._contexts.several()
            position = await context.whole.position(context.project)
        except StoreError:
            await _refuse(send)
            return
        await send({"type": "websocket.accept"})
        line = Line(send, scope.get("extensions", {}).get(DIRECT))
        if several:
            try:
                named, receive = await first_bound(receive, line)
                context = await self._contexts.of(named) or context
                position = await context.whole.position(context.project)
            except Gone:
                return
            except StoreError:
                await line.end(_LATER, "the store cannot be read")
                return
        following = self._following.get(context.project)
        if following is None:
            following = Following(
                context.whole, context.project, context.trail, context.numbers, context.fhir
            )
            self._following[context.project] = following
            self._pulses[context.project] = Pulse(context.access.look)
        pulse = self._pulses[context.project]

        async def remove(view: View, id_: str) -> None:
            await self._remove(context, view, id_)

        async def note(ids: Iterable[str]) -> None:
            await note_bound(context.whole, context.project, ids, context.clock())

        address = _address(scope)
        socket = Socket(context, following, pulse, position, remove, note, receive, line, address)
        await socket.run()

    def _end(self) -> None:
        for following in self._following.values():
            following.close()


def _address(scope: MutableMapping[str, Any]) -> str:
    peer = (scope.get("client") or ("",))[0]
    forwarded = dict(scope.get("headers", ())).get(b"x-forwarded-for", b"")
    return address_of(peer, forwarded.decode("latin-1"), proxies())


async def _refuse(send: Send) -> None:
    """Nobody is served now: come back in a moment."""
    headers = [(b"retry-after", b"1")]
    await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})
