"""The ASGI application: requests in, answers out, and every error turned into an outcome.

FHIR requests are the many and the small, so between the socket and a handler stands nothing but
this module. Whatever is no part of the API goes to ``pages``.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from threadwell.api import cors, site
from threadwell.api.body import ClientGone, Receive, read_body
from threadwell.api.context import MAX_BODY, Context, open_context
from threadwell.api.exchange import Answer, Handler, Request
from threadwell.api.outcomes import NotAllowed, crash, refusal, tracing
from threadwell.api.rest import routes
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.stores.contract import DEFAULT_PROJECT, Store

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)

_FHIR = "/fhir/R4"
_PUBLIC = f"{_FHIR}/metadata"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def create_app(
    store: Store,
    *,
    base_url: str,
    project: str = DEFAULT_PROJECT,
    pages: ASGIApp | None = None,
    clock: Clock = now_ms,
    max_body: int = MAX_BODY,
) -> ASGIApp:
    """The server of a store, reached by its clients at ``base_url``.

    ``pages`` answers what is no part of the API. The store stays open when the server stops.
    """

    async def open_() -> Context:
        return await open_context(
            store, base_url=base_url, project=project, clock=clock, max_body=max_body
        )

    return _App(open_, pages or _not_found_page)


class _App:
    def __init__(self, open_: Callable[[], Awaitable[Context]], pages: ASGIApp) -> None:
        self._open = open_
        self._pages = pages
        self._context: Context | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path: str = scope["path"]
        methods = site.methods_of(path[1:])
        if scope["type"] != "http" or not (methods or _is_fhir(path)):
            await self._pages(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            answer = await self._answer(scope, methods, headers, receive)
        except ClientGone:
            return
        if b"origin" in headers:
            answer = cors.shared(answer, headers)
        start = answer.headers
        if answer.status not in (204, 304):  # RFC 9110 §8.6: these have no length to tell
            start = [*start, (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": start})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self,
        scope: MutableMapping[str, Any],
        methods: Mapping[str, Handler] | None,
        headers: dict[bytes, bytes],
        receive: Receive,
    ) -> Answer:
        method: str = scope["method"]
        if cors.is_preflight(method, headers):
            return cors.preflight(headers)
        try:
            context = self._context or await self._ready()
            query = scope["query_string"].decode(errors="replace")
            request = Request(method, scope["path"][1:], query, headers)
            if methods is None:
                return await _fhir(context, request, receive)
            handler = methods.get("GET" if method == "HEAD" else method)
            if handler is None:
                raise NotAllowed(", ".join(methods))
            if method in _WITH_BODY:
                request.body = await read_body(receive, headers, context.max_body)
            return await handler(context, request)
        except FhirError as error:
            return refusal(error, headers)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the last line: what fails must be answered
            return _crashed(error, method, headers)

    async def _ready(self) -> Context:
        self._context = await self._open()
        return self._context

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._ready()
                await send({"type": "lifespan.startup.complete"})
            else:
                await send({"type": "lifespan.shutdown.complete"})
                return


def _is_fhir(path: str) -> bool:
    return path.startswith(_FHIR) and path[len(_FHIR) :][:1] in ("", "/")


async def _fhir(context: Context, request: Request, receive: Receive) -> Answer:
    is_public = f"/{request.path}" == _PUBLIC
    if not is_public:
        request.caller = await context.access.caller(request.headers)
    if request.method in _WITH_BODY:
        request.body = await read_body(receive, request.headers, context.max_body)
    request.path = request.path[len(_FHIR) :].rstrip("/")
    return await routes.perform(context, request)


def _crashed(error: Exception, method: str, headers: dict[bytes, bytes]) -> Answer:
    marks = tracing(headers)
    # Neither the message nor the path: both may hold what only the patient's record should.
    frames = "".join(
        f"\n  {frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    )
    _log.error("request %s (%s) failed: %s%s", marks.request, method, type(error).__name__, frames)
    return crash(marks)


async def _not_found_page(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
        return
    body = b"<!doctype html><title>Not found</title><h1>Not found</h1>"
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})
