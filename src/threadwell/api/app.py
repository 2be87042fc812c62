"""The ASGI application: requests in, answers out, and every error turned into an outcome.

FHIR requests are the many and the small, so between the socket and a handler stands nothing but
this module. Whatever is no part of the API goes to ``pages``.
"""

from __future__ import annotations

from collections.abc import (
    Callable,
    Mapping,
    MutableMapping,
    Sequence,
)
from functools import partial
from time import perf_counter
from typing import Any

from threadwell.api import cors, outside
from threadwell.api.body import ClientGone, Receive, announced, read_body
from threadwell.api.chat.app import PREFIX, Chat
from threadwell.api.compressing import SMALLEST, compressed
from threadwell.api.context import (
    MAX_BODY,
    Context,
    Handler,
    Labels,
    Live,
    no_channels,
    open_context,
)
from threadwell.api.endpoints import discovery, table
from threadwell.api.exchange import Answer, Request
from threadwell.api.failing import crashed
from threadwell.api.headers import as_mapping, repeated
from threadwell.api.load.allowance import Left
from threadwell.api.load.gate import LARGE, Load, unserved
from threadwell.api.load.limits import MAX_PAGE
from threadwell.api.outcomes import NotAllowed, refusal
from threadwell.api.outside import ASGIApp, Message, Send
from threadwell.api.projects.contexts import Contexts
from threadwell.api.projects.several import answer as of_several
from threadwell.api.projects.several import chosen
from threadwell.api.projects.whose import Whose
from threadwell.api.rest import routes
from threadwell.api.rest.subscriptions import remove
from threadwell.api.sending import send_parts, send_whole
from threadwell.api.spans import Spans, open_spans
from threadwell.api.subscriptions.app import PATH, Subscriptions
from threadwell.api.watched import administered, refused, signing
from threadwell.audit.trail import Trail
from threadwell.calls.call import Caller
from threadwell.fhir.outcome import FhirError, not_found
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.chat.typing import Typing
from threadwell.logins.people import Browsers, People
from threadwell.projects.hints import PREFIX as BELOW
from threadwell.projects.hints import below
from threadwell.stores.contract import DEFAULT_PROJECT, Store, StoreError

_FHIR = "/fhir/R4"
_BELOW_FHIR = f"{_FHIR}/"
#: What anybody may know of the API.
_PUBLIC = frozenset({f"{_FHIR[1:]}/metadata", f"{_FHIR[1:]}/$versions"})
_ALWAYS = ("/health", "/metrics")
#: Interactions that change nothing: they may be asked for again.
_READS = frozenset({"read", "vread", "history", "search", "capabilities", "operation", "storage"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
#: The extension of a scope by which a server takes an answer whole.
_WHOLE = "threadwell.answer"
#: The header of an answer that goes on for as long as somebody listens.
_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")


def create_app(
    store: Store,
    *,
    base_url: str,
    labels: Labels,
    channels: Live = no_channels,
    also_at: Sequence[str] = (),
    project: str = DEFAULT_PROJECT,
    pages: ASGIApp | None = None,
    clock: Clock = now_ms,
    max_body: int = MAX_BODY,
    max_page: int = MAX_PAGE,
    load: Load | None = None,
    typing: Typing | None = None,
    people: People | None = None,
    browsers: Browsers | None = None,
    others: Callable[[str], tuple[People, Browsers]] | None = None,
    trail: Trail | None = None,
    caller: Caller | None = None,
) -> ASGIApp:
    """The server of a store, reached by its clients at ``base_url``, known to them as ``also_at``.

    ``labels`` are those of channels, and ``channels`` those that hear. ``pages`` answers what is no
    part of the API. The store stays open when the server stops. ``load`` counts, and limits how
    much is under way at once. ``typing`` is where apps and pages tell who types.
    ``people`` and ``browsers`` tell who has logins (``logins.people``).
    ``project`` is the first one, to which all are that name no other (``api.projects``). ``others``
    makes the people and browsers of a further one; without it there is none.
    ``trail`` is that of the store. ``caller`` makes the calls to identity providers.
    """
    spans = open_spans()
    traced = spans.traced(store) if spans else store
    load = load or Load()
    trail = trail or Trail(traced, clock=clock)

    async def open_(of: str) -> Context:
        mine = others(of) if others and of != project else (people, browsers)
        return await open_context(
            traced,
            base_url=base_url,
            labels=labels,
            channels=channels,
            also_at=also_at,
            project=of,
            clock=clock,
            max_body=max_body,
            max_page=max_page,
            load=load,
            people=mine[0],
            browsers=mine[1],
            trail=trail,
            caller=caller,
        )

    contexts = Contexts(traced, project, open_, alone=others is None)
    return _App(contexts, pages or outside.not_found, load, spans, typing or Typing())


class _App:
    def __init__(
        self,
        contexts: Contexts,
        pages: ASGIApp,
        load: Load,
        spans: Spans | None,
        typing: Typing,
    ) -> None:
        self._contexts = contexts
        self._whose = Whose(contexts)
        self._pages = pages
        self._load = load
        self._spans = spans
        self._context: Context | None = None
        self._chat = Chat(contexts, load, typing)
        self._subscriptions = Subscriptions(contexts, load, remove)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path: str = scope["path"]
        project = ""
        if path.startswith(BELOW) and (named := below(path)):
            # Hooks, files and apps of a project come without anything else that names it.
            project, path = named
            scope = {**scope, "path": path}
        if path.startswith(PREFIX):
            await self._chat(scope, receive, send, project)
            return
        if path == PATH:
            await self._subscriptions(scope, receive, send)
            return
        methods = table.methods_of(path[1:])
        is_fhir = path.startswith(_BELOW_FHIR) or path == _FHIR
        if scope["type"] != "http" or not (methods or is_fhir):
            await self._page(scope, receive, send)
            return
        started = perf_counter()
        load = self._load
        given: list[tuple[bytes, bytes]] = scope["headers"]
        headers = as_mapping(given)
        query: str = scope["query_string"].decode(errors="replace")
        peer = scope.get("client")
        request = Request(scope["method"], path[1:], query, headers, peer=peer[0] if peer else "")
        request.project = project
        status = held = 0
        is_over = load.meter.begin() > load.max_in_flight
        try:
            # Health and metrics tell the truth most of all when there is too much to do.
            if is_over and not path.startswith(_ALWAYS):
                answer = refusal(load.overloaded(), headers)
            elif len(headers) != len(given) and (error := repeated(given, headers)):
                answer = refusal(error, headers)
            elif self._spans:
                answer = await self._spans.around(request, self._answer(request, methods, receive))
            else:
                answer = await self._answer(request, methods, receive)
            if len(answer.body) >= LARGE:
                try:
                    # What was written is told in any case.
                    must = request.interaction not in _READS
                    held = load.hold_answer(len(answer.body), must=must)
                except FhirError as error:
                    answer = refusal(error, headers)
            if b"origin" in headers and cors.is_shared(path[1:]):
                answer = cors.shared(answer, headers)
            if is_fhir and len(answer.body) >= SMALLEST:
                answer = await compressed(answer, request.method, headers)
            if answer.parts is None and not _sent_at_once(scope, answer):
                await send_whole(send, request.method, answer)
            status = answer.status
        except ClientGone:
            return
        finally:
            if held:
                load.release(held)
            load.meter.end(request.interaction, status, perf_counter() - started)
        if answer.parts is not None:
            # It is answered. How long it takes to be read says nothing of the server, and who reads
            # slowly takes nobody's turn.
            await send_parts(send, request.method, answer, answer.parts)

    async def _answer(
        self, request: Request, methods: Mapping[str, Handler] | None, receive: Receive
    ) -> Answer:
        headers = request.headers
        if (
            request.method == "OPTIONS"
            and cors.is_shared(request.path)
            and cors.is_preflight(request.method, headers)
        ):
            return cors.preflight(headers)
        try:
            context = await self._contexts.first()
            several = await self._contexts.several()
            if methods is None:
                if several:
                    context = await self._of(request)
                return await _fhir(context, request, receive)
            request.interaction = table.interaction_of(request.path)
            handler = methods.get("GET" if request.method == "HEAD" else request.method)
            if handler is None:
                raise NotAllowed(methods)
            if table.is_administration(request.path):
                handler = partial(administered, handler)
            if request.method not in _WITH_BODY:
                if several and request.path == table.JWKS:
                    return await discovery.jwks_of(await self._contexts.all())
                context = await self._of(request) if several else context
                return await handler(context, request)
            most = table.largest_body(request.path, context.max_body)
            # A form is too small to be counted.
            held = context.load.hold(announced(headers, most)) if most > table.MAX_FORM else 0
            try:
                request.body = await read_body(receive, headers, most)
                if several:
                    # A path that names a project leaves nothing to be found.
                    homes = [] if request.project else await self._whose.homes(request)
                    context = homes[0] if homes else await self._of(request)
                    if len(homes) > 1:
                        handler = partial(of_several, self._contexts, homes)
                if request.interaction == "login":
                    return await signing(handler, context, request)
                return await handler(context, request)
            finally:
                context.load.release(held)
        except FhirError as error:
            return refusal(error, headers)
        except StoreError as error:
            return unserved(self._load, error, request)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the last line: what fails must be answered
            return crashed(error, request)

    async def _page(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        started = perf_counter()
        load = self._load
        status = 0
        is_counted = True

        async def counted(message: Message) -> None:
            nonlocal status, is_counted
            status = message.get("status", status)
            if is_counted and _STREAM in message.get("headers", ()):
                # It is answered, and no work is under way while it waits for news.
                is_counted = False
                load.meter.end("page", status, perf_counter() - started)
            await send(message)

        is_over = load.meter.begin() > load.max_in_flight
        try:
            if is_over:
                load.overloaded()
                await outside.busy(scope, receive, counted)
            else:
                await self._pages(scope, receive, counted)
        finally:
            if is_counted:
                load.meter.end("page", status, perf_counter() - started)

    async def _of(self, request: Request) -> Context:
        """The context of the project that a request is about; raises ``FhirError`` 404."""
        if request.project:
            context = await self._contexts.of(request.project)
            if context is None:
                raise not_found()
            return context
        if request.path == "auth/profile" and (found := await chosen(self._contexts, request)):
            return found
        return await self._whose.context(request)

    async def _ready(self) -> Context:
        self._context = await self._contexts.first()
        return self._context

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._ready()
                await send({"type": "lifespan.startup.complete"})
            else:
                self._load.failures.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _sent_at_once(scope: MutableMapping[str, Any], answer: Answer) -> bool:
    """Whether our own server has taken the answer whole, which costs less."""
    body = answer.body
    extensions = scope.get("extensions")
    if not extensions or len(body) > LARGE or (whole := extensions.get(_WHOLE)) is None:
        return False
    return bool(whole["answer"](scope, answer.status, answer.headers, body))


async def _fhir(context: Context, request: Request, receive: Receive) -> Answer:
    left = None
    if request.path not in _PUBLIC:
        access = context.access
        try:
            caller = access.known(request.headers) or await access.caller(request.headers)
        except FhirError as error:
            if error.status == 403:
                request.caller = await access.asking(request.headers)
            refused(context, request, status=error.status)
            raise
        request.caller = caller
        if context.load.allowance is not None:
            left = context.load.check(caller.counted, context.clock() // 1000)
        context = context.seen_by(caller)
    request.path = request.path[len(_FHIR) :].rstrip("/")
    if request.method not in _WITH_BODY:
        if left is None:
            return await routes.perform(context, request)
        return await _routed(context, request, left)
    load = context.load
    held = load.hold(announced(request.headers, context.max_body))
    try:
        request.body = await read_body(receive, request.headers, context.max_body)
        return await _routed(context, request, left)
    finally:
        load.release(held)


async def _routed(context: Context, request: Request, left: Left | None) -> Answer:
    if left is None:
        return await routes.perform(context, request)
    try:
        answer = await routes.perform(context, request)
    except FhirError as error:
        answer = refusal(error, request.headers)
    answer.headers.append((b"ratelimit", left.header))
    return answer
