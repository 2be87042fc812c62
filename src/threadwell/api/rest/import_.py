"""``$import``: begun, looked after, ended, and the files of what could not be stored.

The mirror image of ``$export``, in the pattern of Bulk Data Access 2.0: an import is its caller's
alone, and of another client's nobody learns that it is there.
"""

from __future__ import annotations

from collections.abc import Mapping

from threadwell.access.scopes import about_resources
from threadwell.api.context import Context, Handler
from threadwell.api.exchange import Answer, Request
from threadwell.api.rest import asynchronous
from threadwell.api.rest.import_asked import parse_import
from threadwell.bulk.import_job import (
    AskedImport,
    ImportJob,
    State,
    begin_import,
    end_import,
    find_asked_import,
    find_import,
    import_jobs,
)
from threadwell.bulk.imports import KEPT_OF_ONE, OF_ALL, OF_ONE
from threadwell.bulk.job import content
from threadwell.fhir.outcome import FhirError, Issue, not_found
from threadwell.fhir.stamp import instant, new_id

NAME = "$import"
#: Where imports are, below the FHIR base.
FOLDER = "bulkdata/import"


async def import_(context: Context, request: Request) -> Answer:
    """202, and where to look."""
    # The duty writes as the client, and not as a login.
    asynchronous.for_clients(request, "Imports")
    asked = await parse_import(context, request)
    await _check_number(context, asked.who)
    id_ = new_id(context.clock())
    await begin_import(context.whole, context.project, id_, asked, context.clock())
    return asynchronous.accepted(context, request, FOLDER, id_)


async def status(context: Context, request: Request) -> Answer:
    """202 while it is done, then 200 with what became of it."""
    asked, job = await _mine(context, request)
    progress = job.progress
    if progress.state is State.FAILED:
        raise FhirError(500, [Issue("exception", progress.error)])
    if progress.state is State.LOADING:
        done, lines = min(progress.at, len(asked.inputs)), progress.lines()
        told = f"{done} of {len(asked.inputs)} files, {lines} lines"
        return asynchronous.under_way(told, lines)
    return asynchronous.done(_result(context, asked, job), progress.expires)


async def end(context: Context, request: Request) -> Answer:
    """Have it end where it is, or remove what is told of it. What was written stays."""
    await _mine(context, request)
    await end_import(context.whole, context.project, request.id)
    return asynchronous.ended(request, "It ends; what was loaded so far stays")


async def file(context: Context, request: Request) -> Answer:
    """A file of what could not be stored, as gzip where that is taken."""
    _, job = await _mine(context, request)
    found = job.progress.files.get(request.version)
    if found is None or job.progress.state is not State.DONE:
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


async def _check_number(context: Context, who: str) -> None:
    """Raise 429 where a client has too many, or all together have."""
    found = await import_jobs(context.whole, context.project)
    working = [job for job in found if job.progress.state is State.LOADING]
    mine = []
    for job in found:
        asked = await find_asked_import(context.whole, context.project, job.id)
        if asked is not None and asked.who == who:
            mine.append(job)
    under_way = [job for job in mine if job.progress.state is State.LOADING]
    if len(working) >= OF_ALL or len(under_way) >= OF_ONE:
        raise asynchronous.too_many_under_way("imports")
    if len(mine) >= KEPT_OF_ONE:
        raise asynchronous.too_many_kept("imports")


async def _mine(context: Context, request: Request) -> tuple[AskedImport, ImportJob]:
    """The import of the request; 404 where it is another client's, or its time is over."""
    asked = await find_asked_import(context.whole, context.project, request.id)
    job = await find_import(context.whole, context.project, request.id)
    claims = request.caller.claims
    if asked is None or job is None or claims is None or claims.person:
        raise not_found()
    login = (f"ClientApplication/{request.caller.client_id}", claims.patient)
    if login != (asked.who, asked.patient) or asked.scopes != tuple(about_resources(claims.scopes)):
        raise not_found()
    progress = job.progress
    is_over = progress.expires and progress.expires <= context.clock()
    if progress.state is State.ENDED or is_over:
        raise not_found()
    return asked, job


def _result(context: Context, asked: AskedImport, job: ImportJob) -> dict[str, object]:
    base = f"{context.fhir}/{FOLDER}/{job.id}"
    counts = zip(asked.inputs, job.progress.counts, strict=True)
    return {
        "transactionTime": instant(job.progress.time),
        "request": asked.url,
        "requiresAccessToken": True,
        "output": [
            {
                "type": one.type,
                "inputUrl": one.url,
                "count": count.new + count.changed + count.same,
                "extension": {
                    "lines": count.lines,
                    "new": count.new,
                    "changed": count.changed,
                    "same": count.same,
                    "errors": count.bad,
                    **({"incomplete": count.why} if count.why else {}),
                },
            }
            for one, count in counts
        ],
        "error": [
            {"type": "OperationOutcome", "url": f"{base}/{name}", "count": file_.lines}
            for name, file_ in job.progress.errors()
        ],
    }
