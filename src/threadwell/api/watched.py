"""A request to the FHIR API is recorded: who, from where, what was asked, and what came of it.

The record is kept before the answer is sent. What was written has it in its commit (``audit``).
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from functools import lru_cache

from msgspec import structs

from threadwell.access.limited import Limited
from threadwell.api.context import Context, Handler
from threadwell.api.exchange import Answer, Caller, Request
from threadwell.audit.record import Who, of_account
from threadwell.audit.witness import CURRENT, Witness
from threadwell.fhir.outcome import FhirError
from threadwell.stores.contract import StoreBusy, StoreError
from threadwell.users.sources import address_of, proxies

#: Interactions that show what the view gives, and change nothing.
READS = frozenset({"read", "vread", "history", "search", "operation"})
#: What nobody is told anything of a patient by.
_BARE = frozenset({"capabilities"})
#: Bundles, whose entries are recorded one by one.
_BUNDLES = frozenset({"batch", "transaction"})
_UNTOLD = _BARE | _BUNDLES
_ID = re.compile(rb"[A-Za-z0-9\-.]{1,64}")
_LONGEST = 20_000
#: What a request for an account, a client or the like is, by its method.
_OF_METHODS = {
    "GET": "read",
    "HEAD": "read",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}


async def watched(context: Context, request: Request, perform: Handler) -> Answer:
    """The answer of ``perform``, recorded; as is that there was none.

    Raises ``StoreError`` instead of an answer that cannot be recorded.
    """
    trail, headers = context.trail, request.headers
    if request.way == "python":
        # Who has the store itself open asks nobody to let them in.
        by = trail.by
    elif b"x-forwarded-for" in headers:
        by = who(request)
    else:
        by = _who(request.caller, request.way, request.peer, "")
    witness = Witness(
        by,
        trail.clock(),
        trail.pen(context.project),
        _request_id(headers[b"x-request-id"]) if b"x-request-id" in headers else "",
        request.interaction,
        request.path[:_LONGEST],
        request.query[:_LONGEST],
    )
    token = CURRENT.set(witness)
    try:
        answer = await perform(context, request)
    except FhirError as error:
        _end(witness, request, error.status)
        raise
    except StoreBusy:
        raise
    except StoreError:
        _end(witness, request, 503)
        raise
    except Exception:
        _end(witness, request, 500)
        raise
    else:
        act = witness.act = request.interaction
        if act in _UNTOLD:
            _end(witness, request, answer.status)
        else:
            witness.end(answer.status)
        if witness.by.purpose:
            # What was seen beyond a policy outlives a loss of power, too.
            trail.sync()
        if answer.parts is not None:
            return answer._replace(parts=_still_watched(witness, answer.parts))
        return answer
    finally:
        CURRENT.reset(token)


async def _still_watched(witness: Witness, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts of an answer; what is seen for each is recorded before it is sent."""
    witness.forget()
    try:
        while True:
            token = CURRENT.set(witness)
            try:
                part = await anext(parts)
            except StopAsyncIteration:
                return
            finally:
                CURRENT.reset(token)
            witness.tell()
            yield part
    finally:
        if isinstance(parts, AsyncGenerator):
            await parts.aclose()


def begins(context: Context, request: Request) -> None:
    """It is known by now what the request is for."""
    witness = CURRENT.get()
    if witness is None:
        return
    witness.act = act = request.interaction
    if act in READS:
        witness.reads, witness.wide = True, not isinstance(context.view, Limited)
        if request.body and act == "search":
            form = request.body[:_LONGEST].decode(errors="replace")
            query = f"{request.query}&{form}" if request.query else form
            witness.query = query[:_LONGEST]
    elif condition := request.headers.get(b"if-none-exist"):
        witness.query = condition[:_LONGEST].decode(errors="replace")


def who(request: Request) -> Who:
    """Who asks, and from where."""
    address, through = request.peer, ""
    if b"x-forwarded-for" in request.headers:
        forwarded = request.headers[b"x-forwarded-for"]
        address = address_of(address, forwarded.decode("latin-1")[:_LONGEST], proxies())
        through = request.peer if address != request.peer else ""
    return _who(request.caller, request.way, address, through)


@lru_cache(maxsize=1024)
def _who(caller: Caller, way: str, address: str, through: str) -> Who:
    # The same people ask again and again.
    return Who(
        who=caller.reference,
        acting=caller.through,
        client=caller.client_id,
        name=caller.name,
        login=caller.login_id,
        way=way,
        address=address,
        through=through,
    )


def by_url(request: Request) -> Who:
    """Whoever has the URL of a file."""
    return structs.replace(who(request), way="file")


def refused(context: Context, request: Request, act: str = "access", status: int = 401) -> None:
    """Record that somebody was refused before it was known what they may do."""
    asked = request.path[:_LONGEST]
    context.trail.refused(context.project, act, who(request), status=status, asked=asked)


def signed(context: Context, request: Request, status: int) -> None:
    """Record that somebody has asked to sign in, or out, or to change their account, and what came
    of it: in the project of whoever it is, where that is known (``api.signing``).
    """
    project, asked = request.home or context.project, request.path[:_LONGEST]
    act, by = request.act, who(request)
    if request.account and act != "login":
        asked = of_account(asked, request.account)
    if status < 400:
        context.trail.event(project, act, by, asked=asked)
    else:
        context.trail.refused(project, act, by, status=status, asked=asked, proven=False)


async def signing(handler: Handler, context: Context, request: Request) -> Answer:
    """The answer of an endpoint that is about logins, recorded; as is that it was refused."""
    try:
        answer = await handler(context, request)
    except FhirError as error:
        signed(context, request, error.status)
        raise
    signed(context, request, answer.status)
    return answer


async def administered(handler: Handler, context: Context, request: Request) -> Answer:
    """The answer of an endpoint for what no search of resources finds (accounts, clients, policies
    …), recorded before it is sent; as is that there was none. What it has changed is by itself.

    Raises ``StoreError`` instead of an answer that cannot be recorded.
    """
    # A handler may go on with another path.
    path = request.path
    try:
        answer = await handler(context, request)
    except FhirError as error:
        if error.status == 403 and not request.caller.client_id:
            request.caller = await context.access.asking(request.headers)
        _administered(context, request, path, error.status)
        raise
    except StoreBusy:
        raise
    except StoreError:
        _administered(context, request, path, 503)
        raise
    except Exception:
        _administered(context, request, path, 500)
        raise
    _administered(context, request, path, answer.status)
    return answer


def _administered(context: Context, request: Request, path: str, status: int) -> None:
    if request.is_recorded:
        return
    asked = path.removeprefix("fhir/R4/")[:_LONGEST]
    is_fhir = path.startswith("fhir/R4/")
    act = _OF_METHODS[request.method]
    query = request.query
    if is_fhir and act == "read" and "/" not in asked:
        act = "search"
    elif asked.endswith("/_search"):
        act = "search"
        form = request.body[:_LONGEST].decode(errors="replace")
        query = f"{query}&{form}" if query else form
    elif "/$" in asked:
        act = "update"
    by, query = who(request), query[:_LONGEST]
    if status < 400:
        context.trail.event(context.project, act, by, status=status, asked=asked, query=query)
    else:
        context.trail.refused(context.project, act, by, status=status, asked=asked, query=query)


def _end(witness: Witness, request: Request, status: int) -> None:
    act = request.interaction
    if act in _UNTOLD and (act in _BARE or (status < 400 and not witness.wrote)):
        return
    witness.act = act
    witness.end(status)


def _request_id(given: bytes) -> str:
    return given.decode() if _ID.fullmatch(given) else ""
