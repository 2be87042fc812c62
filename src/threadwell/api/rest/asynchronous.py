"""Work that goes on after its answer: FHIR's asynchronous pattern (R4 async.html), by which
``$export`` and ``$import`` are begun, looked after, ended, and give out their files.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from threadwell.api.context import Context, Handler
from threadwell.api.etags import http_date
from threadwell.api.exchange import Answer, Header, Request
from threadwell.api.outcomes import JSON, PRIVATE, Headed, Outcome, success, tracing
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue

#: Seconds after which one should ask again.
_AGAIN, _AGAIN_LATER = 1, 60
#: Lines after which it goes on for some time.
_LONG = 100_000
_NO_STORE = (b"cache-control", b"no-store")

Methods = Mapping[str, Handler]


def accepted(context: Context, request: Request, folder: str, id_: str) -> Answer:
    """202, and where to look: below ``folder``."""
    url = f"{context.fhir}/{folder}/{id_}"
    said = success(Outcome("accepted", "Accepted"), tracing(request.headers))
    said["issue"][0]["diagnostics"] = url
    return Answer(202, [JSON, PRIVATE, (b"content-location", url.encode())], encode(said))


def under_way(told: str, lines: int) -> Answer:
    """202: how far it is, and when to ask again."""
    again = _AGAIN if lines < _LONG else 5 * _AGAIN
    headers = [PRIVATE, (b"x-progress", told.encode()), (b"retry-after", b"%d" % again)]
    return Answer(202, headers, b"")


def done(result: Mapping[str, object], expires: int) -> Answer:
    """200 with what has come of it; ``expires`` in milliseconds since 1970 UTC."""
    kind = (b"content-type", b"application/json")
    return Answer(200, [kind, _NO_STORE, _expires(expires)], encode(result))


def ended(request: Request, text: str) -> Answer:
    """202: it ends."""
    said = success(Outcome("accepted", text), tracing(request.headers))
    return Answer(202, [JSON, PRIVATE], encode(said))


def takes_gzip(request: Request) -> bool:
    """Whether a file may be sent as gzip."""
    return b"gzip" in request.headers.get(b"accept-encoding", b"")


def file_of(parts: AsyncIterator[bytes], *, packed: bool, expires: int) -> Answer:
    """200 with a file of NDJSON, a part after the other."""
    headers: list[Header] = [
        (b"content-type", b"application/fhir+ndjson"),
        *(_NO_STORE, (b"vary", b"Accept-Encoding"), _expires(expires)),
        *([(b"content-encoding", b"gzip")] if packed else []),
    ]
    return Answer(200, headers, b"", parts)


def found(request: Request, folder: str, status: Methods, file: Methods) -> Methods | None:
    """What answers at a path below ``folder``; the request has the parts of it then."""
    parts = request.path.split("/")[2:]
    if not parts or not request.path.startswith(f"{folder}/"):
        return None
    request.id = parts[0]
    if len(parts) == 1:
        return status
    if len(parts) == 2:
        request.version = parts[1]
        return file
    return None


def for_clients(request: Request, what: str) -> None:
    """Raise 403 for a person's login: who does the work has the eyes of a client, not theirs."""
    if is_person(request):
        text = f"{what} are for clients that act for themselves"
        raise FhirError(403, [Issue("forbidden", text)], "forbidden")


def is_person(request: Request) -> bool:
    """Whether a person asks, or somebody of whom nobody knows."""
    claims = request.caller.claims
    return claims is None or claims.person


def too_many_under_way(what: str) -> Headed:
    """429: wait until one is done."""
    return _too_many(f"Too many {what} are under way: wait until one is done", _AGAIN * 10)


def too_many_kept(what: str) -> Headed:
    """429: delete some."""
    return _too_many(f"Too many {what} are kept: delete some that you have", _AGAIN_LATER)


def _too_many(text: str, again: int) -> Headed:
    error = Headed(429, [Issue("throttled", text)], "too-many-requests")
    error.headers = [(b"retry-after", b"%d" % again)]
    return error


def _expires(at: int) -> Header:
    return b"expires", http_date(at // 1000)
