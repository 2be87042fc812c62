"""The ASGI application below ``/chat/``: who may come in, which endpoint answers, and how."""

from __future__ import annotations

from collections.abc import MutableMapping
from time import perf_counter
from typing import Any

from threadwell.api import cors
from threadwell.api.body import ClientGone, Receive, announced, read_body
from threadwell.api.chat.door import account_of, bearer, check_origin, token_of
from threadwell.api.chat.errors import of_store, refused
from threadwell.api.chat.following import Following
from threadwell.api.chat.page import is_of_page, page
from threadwell.api.chat.rest import ENDPOINTS, OF_ONE, Asked, Endpoint
from threadwell.api.chat.socket import SUBPROTOCOL, Socket
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Header, Request
from threadwell.api.failing import crashed
from threadwell.api.headers import as_mapping, repeated
from threadwell.api.line import Line
from threadwell.api.load.gate import Load
from threadwell.api.outside import Send
from threadwell.api.projects.contexts import Contexts
from threadwell.audit.record import Who
from threadwell.channels.account import Account
from threadwell.fhir.outcome import FhirError
from threadwell.intake.chat.refused import ChatRefused
from threadwell.intake.chat.typing import Typing
from threadwell.stores.contract import StoreError

PREFIX = "/chat/"
_METHODS = b"GET, POST, OPTIONS"
_ALLOWED = b"Authorization, Content-Type"


class Chat:
    """Serves apps of the projects of ``contexts``; ``typing`` is shared among workers."""

    def __init__(self, contexts: Contexts, load: Load, typing: Typing) -> None:
        self._contexts = contexts
        self._load = load
        self._typing = typing
        self._following: dict[str, Following] = {}
        load.at_end.append(self._end)

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, project: str = ""
    ) -> None:
        """``project`` is the one that the path names, before it was taken from it."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send, project)
            return
        started = perf_counter()
        load, headers = self._load, as_mapping(scope["headers"])
        query = scope["query_string"].decode(errors="replace")
        request = Request(scope["method"], scope["path"][1:], query, headers, interaction="chat")
        request.project = project
        if peer := scope.get("client"):
            request.peer = peer[0]
        status = 0
        is_over = load.meter.begin() > load.max_in_flight
        try:
            if is_over:
                answer = refused(load.overloaded())
            elif error := repeated(scope["headers"], headers):
                answer = refused(error)
            else:
                answer = await self._answer(request, receive)
            await _send(send, request.method, answer)
            status = answer.status
        except ClientGone:
            return
        finally:
            load.meter.end("chat", status, perf_counter() - started)

    async def _answer(self, request: Request, receive: Receive) -> Answer:
        shared: list[Header] = []
        try:
            context = await self._of(request.project)
            _, name, *rest = request.path.split("/")
            account = await account_of(context, name)
            if origin := request.headers.get(b"origin", b"").decode("latin-1"):
                check_origin(context, account, origin)
                shared = [
                    (b"access-control-allow-origin", origin.encode("latin-1")),
                    (b"access-control-expose-headers", b"Retry-After"),
                    (b"vary", b"Origin"),
                ]
            if cors.is_preflight(request.method, request.headers):
                answer = _preflight()
            elif request.method in ("GET", "HEAD") and is_of_page(rest):
                answer = page(account, rest[0])
            else:
                answer = await self._endpoint(context, request, account, rest, receive)
        except (ChatRefused, FhirError) as error:
            answer = refused(error)
        except StoreError as error:
            answer = refused(of_store(self._load, error))
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the last line: what fails must be answered
            crashed(error, request)
            answer = refused(ChatRefused("failed", "the server itself has failed"))
        return answer._replace(headers=[*answer.headers, *shared])

    async def _endpoint(
        self,
        context: Context,
        request: Request,
        account: Account,
        rest: list[str],
        receive: Receive,
    ) -> Answer:
        endpoint, most = _found(request.method, rest)
        token = token_of(context, account, bearer(request.headers), "Authorization")
        id_ = rest[1] if len(rest) > 1 else ""
        typing = self._typing.of(context.project)
        asked = Asked(context, request, account, token, typing, id_)
        who = Who(who=token.patient.who, client=account.name, way="chat", address=request.peer)
        watching = context.trail.watching(
            context.project, who, "chat", asked=request.path, quiet=True
        )
        if request.method != "POST":
            with watching:
                return await endpoint(asked)
        held = self._load.hold(announced(request.headers, most))
        try:
            request.body = await read_body(receive, request.headers, most)
            with watching:
                return await endpoint(asked)
        finally:
            self._load.release(held)

    async def _socket(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, project: str
    ) -> None:
        await receive()
        headers = as_mapping(scope["headers"])
        try:
            context = await self._of(project)
            _, name, *rest = scope["path"][1:].split("/")
            account = await account_of(context, name)
            if rest != ["socket"]:
                raise ChatRefused("not-found", "the socket is at /chat/ACCOUNT/socket", "path")
            check_origin(context, account, headers.get(b"origin", b"").decode("latin-1"))
            if SUBPROTOCOL not in scope["subprotocols"]:
                text = f"the protocol is {SUBPROTOCOL}"
                raise ChatRefused("invalid", text, "Sec-WebSocket-Protocol")
            if self._load.draining:
                raise ChatRefused("busy", "the server stops: come back in a moment")
        except ChatRefused as error:
            await _reject(send, refused(error))
            return
        except StoreError as error:
            await _reject(send, refused(of_store(self._load, error)))
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        typing = self._typing.of(context.project)
        following = self._following.get(context.project)
        if following is None:
            following = Following(context.whole, context.project, typing, context.clock)
            self._following[context.project] = following
        address = str((scope.get("client") or ("",))[0])
        socket = Socket(context, name, following, typing, receive, Line(send), address)
        await socket.run()

    def _end(self) -> None:
        for following in self._following.values():
            following.close()

    async def _of(self, project: str) -> Context:
        context = await self._contexts.of(project)
        if context is None:
            raise ChatRefused("not-found", "there is no such account", "path")
        return context


def _found(method: str, rest: list[str]) -> tuple[Endpoint, int]:
    table = ENDPOINTS if len(rest) == 1 else OF_ONE if len(rest) == 2 else {}
    methods = table.get(rest[0]) if rest else None
    if methods is None:
        raise ChatRefused("not-found", "there is nothing at this path", "path")
    found = methods.get(method)
    if found is None:
        raise ChatRefused("not-allowed", f"it takes {' and '.join(methods)}", "method")
    return found


def _preflight() -> Answer:
    headers = [
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", _ALLOWED),
        (b"access-control-max-age", b"600"),
    ]
    return Answer(204, headers, b"")


async def _send(send: Send, method: str, answer: Answer) -> None:
    headers = answer.headers
    if answer.status != 204:
        headers = [*headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if method == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})


async def _reject(send: Send, answer: Answer) -> None:
    """Refuse a handshake, with the answer that a request would get."""
    start = "websocket.http.response.start"
    await send({"type": start, "status": answer.status, "headers": answer.headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
