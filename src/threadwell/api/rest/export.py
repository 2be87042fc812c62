"""``$export``: begun, looked after, ended, and its files (Bulk Data Access 2.0 §2.4).

An export is its caller's alone: of another client's nobody learns that it is there.
"""

from __future__ import annotations

from collections.abc import Mapping

from threadwell.access.scopes import about_resources
from threadwell.api.claims import Claims
from threadwell.api.context import Context, Handler
from threadwell.api.exchange import Answer, Request
from threadwell.api.rest import asynchronous
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
from threadwell.fhir.outcome import FhirError, Issue, not_found
from threadwell.fhir.stamp import instant, new_id

NAME = "$export"
#: Where exports are, below the FHIR base.
FOLDER = "bulkdata/export"


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
        return asynchronous.under_way(_progress(asked, job), progress.lines())
    return asynchronous.done(_manifest(context, request, asked, job), progress.expires)


async def end(context: Context, request: Request) -> Answer:
    """Have it end, or remove what it has made."""
    await _mine(context, request)
    await end_job(context.whole, context.project, request.id)
    return asynchronous.ended(request, "It ends, and its files are removed")


async def file(context: Context, request: Request) -> Answer:
    """One of its files, as gzip where that is taken."""
    _, job = await _mine(context, request)
    found = job.progress.files.get(request.version)
    if found is None or job.progress.phase is not Phase.DONE:
        raise not_found()
    packed = asynchronous.takes_gzip(request)
    args = (context.whole, context.project, job.id, request.version, found)
    expires = job.progress.expires
    return asynchronous.file_of(content(*args, packed=packed), packed=packed, expires=expires)


def find(request: Request) -> Mapping[str, Handler] | None:
    """What answers at a path below ``FOLDER``; the request has the parts of it then."""
    return asynchronous.found(request, FOLDER, STATUS, FILE)


STATUS: Mapping[str, Handler] = {"GET": status, "DELETE": end}
FILE: Mapping[str, Handler] = {"GET": file}


async def _begin(context: Context, request: Request, level: str) -> Answer:
    # The duty looks with the eyes of the client, and not with those of a login.
    asynchronous.for_clients(request, "Exports")
    asked = await parse_asked(context, request, level)
    await _check_number(context, asked.who)
    id_ = new_id(context.clock())
    await begin(context.whole, context.project, id_, asked)
    return asynchronous.accepted(context, request, FOLDER, id_)


async def _check_number(context: Context, who: str) -> None:
    """Raise 429 where a client has too many, or all together have."""
    found = await jobs(context.whole, context.project)
    working = [job for job in found if job.progress.phase in UNDER_WAY]
    mine = [job for job in found if await _is_of(context, job, who)]
    if len(working) >= OF_ALL or len(set(_ids(working)) & set(_ids(mine))) >= OF_ONE:
        raise asynchronous.too_many_under_way("exports")
    if len(mine) >= KEPT_OF_ONE:
        raise asynchronous.too_many_kept("exports")


def _ids(found: list[Job]) -> list[str]:
    return [job.id for job in found]


async def _is_of(context: Context, job: Job, who: str) -> bool:
    asked = await find_asked(context.whole, context.project, job.id)
    return asked is not None and asked.who == who


async def _mine(context: Context, request: Request) -> tuple[Asked, Job]:
    """The export of the request; 404 where it is another client's, or its time is over."""
    asked = await find_asked(context.whole, context.project, request.id)
    job = await find_job(context.whole, context.project, request.id)
    who = f"ClientApplication/{request.caller.client_id}"
    if asked is None or job is None or asked.who != who:
        raise not_found()
    claims = request.caller.claims
    if claims is None or claims.person or not _same(asked, claims):
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
