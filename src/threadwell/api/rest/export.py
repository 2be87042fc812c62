"""``$export``: begun, looked after, ended, and its files (Bulk Data Access 2.0 §2.4).

An export is its caller's alone: of another client's nobody learns that it is there.
"""

from __future__ import annotations

from collections.abc import Mapping

from threadwell.access.scopes import about_resources
from threadwell.api.claims import Claims
from threadwell.api.context import Context, Handler
from threadwell.api.etags import http_date
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE, Headed, Outcome, Tracing, success, tracing
from threadwell.api.rest.export_asked import parse_asked
from threadwell.bulk.exports import KEPT_OF_ONE, OF_ALL, OF_ONE
from threadwell.bulk.files import named
from threadwell.bulk.job import (
    UNDER_WAY,
    Asked,
    Job,
    Part,
    Phase,
    begin,
    content,
    end_job,
    find_asked,
    find_job,
    jobs,
)
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue, not_found
from threadwell.fhir.stamp import instant, new_id

NAME = "$export"
#: Where exports are, below the FHIR base.
FOLDER = "bulkdata/export"
#: Seconds after which one should ask again.
_AGAIN = 1
_AGAIN_LATER = 60
_FOR_CLIENTS = "Exports are for clients that act for themselves"
_NDJSON = (b"content-type", b"application/fhir+ndjson")
_NO_STORE = (b"cache-control", b"no-store")


async def export(context: Context, request: Request) -> Answer:
    """202, and where to look: everything, as far as the caller sees it."""
    return await _begin(context, request, "")


async def export_patients(context: Context, request: Request) -> Answer:
    """The same of all that belongs to a patient."""
    return await _begin(context, request, "Patient")


async def export_group(context: Context, request: Request) -> Answer:
    """The same of the patients in a group."""
    return await _begin(context, request, "Group")


async def status(context: Context, request: Request) -> Answer:
    """202 while it is made, then 200 with what there is to fetch."""
    asked, job = await _mine(context, request)
    progress = job.progress
    if progress.phase is Phase.FAILED:
        raise FhirError(500, [Issue("exception", progress.error)])
    if progress.phase in UNDER_WAY:
        told = _progress(asked, job)
        headers = [
            PRIVATE,
            (b"x-progress", told.encode()),
            (b"retry-after", b"%d" % (_AGAIN if progress.lines() < 100_000 else 5 * _AGAIN)),
        ]
        return Answer(202, headers, b"")
    headers = [
        (b"content-type", b"application/json"),
        _NO_STORE,
        (b"expires", http_date(progress.expires // 1000)),
    ]
    return Answer(200, headers, encode(_manifest(context, request, asked, job)))


async def end(context: Context, request: Request) -> Answer:
    """Have it end, or remove what it has made."""
    await _mine(context, request)
    await end_job(context.whole, context.project, request.id)
    said = success(Outcome("accepted", "It ends, and its files are removed"), _marks(request))
    return Answer(202, [JSON, PRIVATE], encode(said))


async def file(context: Context, request: Request) -> Answer:
    """One of its files, as gzip where that is taken."""
    _, job = await _mine(context, request)
    found = job.progress.files.get(request.version)
    if found is None or job.progress.phase is not Phase.DONE:
        raise not_found()
    packed = b"gzip" in request.headers.get(b"accept-encoding", b"")
    headers = [
        _NDJSON,
        _NO_STORE,
        (b"vary", b"Accept-Encoding"),
        (b"expires", http_date(job.progress.expires // 1000)),
        *([(b"content-encoding", b"gzip")] if packed else []),
    ]
    args = (context.whole, context.project, job.id, request.version, found)
    return Answer(200, headers, b"", content(*args, packed=packed))


def find(request: Request) -> Mapping[str, Handler] | None:
    """What answers at a path below ``FOLDER``; the request has the parts of it then."""
    parts = request.path.split("/")[2:]
    if not parts or not request.path.startswith(f"{FOLDER}/"):
        return None
    request.id = parts[0]
    if len(parts) == 1:
        return STATUS
    if len(parts) == 2:
        request.version = parts[1]
        return FILE
    return None


STATUS: Mapping[str, Handler] = {"GET": status, "DELETE": end}
FILE: Mapping[str, Handler] = {"GET": file}


async def _begin(context: Context, request: Request, level: str) -> Answer:
    if _is_person(request):
        # The duty looks with the eyes of the client, and not with those of a login.
        raise FhirError(403, [Issue("forbidden", _FOR_CLIENTS)], "forbidden")
    asked = await parse_asked(context, request, level)
    await _check_number(context, asked.who)
    id_ = new_id(context.clock())
    await begin(context.whole, context.project, id_, asked)
    url = f"{context.fhir}/{FOLDER}/{id_}"
    said = success(Outcome("accepted", "Accepted"), _marks(request))
    said["issue"][0]["diagnostics"] = url
    headers = [JSON, PRIVATE, (b"content-location", url.encode())]
    return Answer(202, headers, encode(said))


async def _check_number(context: Context, who: str) -> None:
    """Raise 429 where a client has too many, or all together have."""
    found = await jobs(context.whole, context.project)
    working = [job for job in found if job.progress.phase in UNDER_WAY]
    mine = [job for job in found if await _is_of(context, job, who)]
    if len(working) >= OF_ALL or len(set(_ids(working)) & set(_ids(mine))) >= OF_ONE:
        raise _too_many("Too many exports are under way: wait until one is done", _AGAIN * 10)
    if len(mine) >= KEPT_OF_ONE:
        raise _too_many("Too many exports are kept: delete some that you have", _AGAIN_LATER)


def _ids(found: list[Job]) -> list[str]:
    return [job.id for job in found]


async def _is_of(context: Context, job: Job, who: str) -> bool:
    asked = await find_asked(context.whole, context.project, job.id)
    return asked is not None and asked.who == who


def _too_many(text: str, again: int) -> Headed:
    error = Headed(429, [Issue("throttled", text)], "too-many-requests")
    error.headers = [(b"retry-after", b"%d" % again)]
    return error


async def _mine(context: Context, request: Request) -> tuple[Asked, Job]:
    """The export of the request; 404 where it is another client's, or its time is over."""
    asked = await find_asked(context.whole, context.project, request.id)
    job = await find_job(context.whole, context.project, request.id)
    who = f"ClientApplication/{request.caller.client_id}"
    if asked is None or job is None or asked.who != who:
        raise not_found()
    claims = request.caller.claims
    if claims is None or _is_person(request) or not _same(asked, claims):
        raise not_found()
    progress = job.progress
    is_over = progress.expires and progress.expires <= context.clock()
    if progress.phase is Phase.ENDED or is_over:
        raise not_found()
    # What the caller may see has changed: what was made is not theirs any more.
    if progress.phase is Phase.DONE:
        now = await context.access.mark(who, claims)
        if now != progress.policy:
            raise not_found()
    return asked, job


def _is_person(request: Request) -> bool:
    claims = request.caller.claims
    return claims is not None and claims.person


def _same(asked: Asked, claims: Claims) -> bool:
    """Whether a login has the limits of the one that asked: another may see less than there is."""
    scopes = tuple(about_resources(claims.scopes))
    return (asked.scopes, asked.patient) == (scopes, claims.patient)


def _progress(asked: Asked, job: Job) -> str:
    lines = job.progress.lines()
    if not job.progress.time:
        return "waiting"
    parts = len(asked.types) * max(1, -(-len(asked.patients or ()) // 100))
    share = 100 * job.progress.walk // max(1, parts)
    return f"{min(99, share)}%, {lines} resources"


def _manifest(context: Context, request: Request, asked: Asked, job: Job) -> dict[str, object]:
    base = f"{context.fhir}/{FOLDER}/{request.id}"

    def listed(part: Part) -> list[dict[str, object]]:
        return [
            {"type": one.type, "url": f"{base}/{name}", "count": one.lines}
            for name, one in named(job.progress, part)
        ]

    return {
        "transactionTime": instant(job.progress.time),
        "request": asked.url,
        "requiresAccessToken": True,
        "output": listed(Part.OUTPUT),
        "deleted": listed(Part.DELETED),
        "error": listed(Part.ERROR),
    }


def _marks(request: Request) -> Tracing:
    return tracing(request.headers)
