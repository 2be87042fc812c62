"""Stored versions → answers. Bodies are the stored bytes; what is added is spliced into them.

``stamp`` begins every body with ``{"resourceType":…,"id":…,"meta":{``, which is where it goes in.
"""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.api.attachments import ATTACHED, presigned
from threadwell.api.context import Context
from threadwell.api.etags import etag, http_date
from threadwell.api.exchange import Answer, Header, Request
from threadwell.api.headers import preferred_return
from threadwell.api.outcomes import CREATED, JSON, OK, PRIVATE, outcome_answer
from threadwell.audit.witness import CURRENT
from threadwell.fhir.authors import acted_for, writer
from threadwell.fhir.json import encode
from threadwell.stores.contract import Stored, StoreError

#: No cache keeps what comes with it.
ONCE: Header = (b"cache-control", b"no-store")
_META = b'"meta":{'


async def bodies(context: Context, request: Request, versions: Sequence[Stored]) -> list[bytes]:
    """The JSON of each version as ``request`` is to see it; ``b""`` for a deletion.

    Medplum's clients get its form: who wrote it and in which project, and the ``url`` that opens
    a Binary. R4 has neither, and other clients' models refuse them.
    """
    shown = [version.body for version in versions]
    for body in shown:
        if ATTACHED in body:
            shown = await presigned(context, shown)
            break
    if b"x-medplum" not in request.headers and not request.is_medplums:
        return shown
    if request.is_extended:
        shown = [
            _with_origin(context, version, body) if body else body
            for version, body in zip(versions, shown, strict=True)
        ]
    if request.is_medplums and any(version.type == "Binary" for version in versions):
        shown = [
            _with_url(context, version, body) if version.type == "Binary" and body else body
            for version, body in zip(versions, shown, strict=True)
        ]
    return shown


def once(answer: Answer) -> Answer:
    """The answer as one that no cache keeps: a version has one ETag for all, and who asks by it has
    what others may be shown less of.
    """
    others = [header for header in answer.headers if header[0] != b"cache-control"]
    return answer._replace(headers=[*others, ONCE])


async def resource(
    context: Context,
    request: Request,
    stored: Stored,
    status: int = 200,
    caching: Header = PRIVATE,
) -> Answer:
    """The version as the whole of an answer."""
    body = stored.body
    # Most are shown as they are stored, to most.
    if ATTACHED in body or b"x-medplum" in request.headers or stored.type == "Binary":
        (body,) = await bodies(context, request, [stored])
    return Answer(status, version_headers(stored, caching), body)


async def written(context: Context, request: Request, stored: Stored, status: int) -> Answer:
    """The version that a create, update or patch left, as ``Prefer`` wants it (§3.1.0.1.9).

    It is committed by now, so nothing that fails here may make a failure of it: where attachments
    cannot be looked up, they are shown as they are stored.
    """
    wanted = preferred_return(request.headers)
    stored = await context.view.shown(stored)
    if (witness := CURRENT.get()) is not None:
        # It may be what another has written: then it was seen, and what was looked at was not.
        witness.saw(stored)
    if wanted == "minimal":
        answer = Answer(status, version_headers(stored), b"")
    elif wanted == "operationoutcome":
        done = outcome_answer(status, CREATED if status == 201 else OK, request.headers)
        answer = Answer(status, version_headers(stored), done.body)
    else:
        try:
            answer = await resource(context, request, stored, status)
        except StoreError:
            answer = Answer(status, version_headers(stored), stored.body)
    # HAPI's client takes the id and version that an update has from Content-Location.
    where = b"location" if status == 201 else b"content-location"
    answer.headers.append((where, location(context, stored)))
    return answer


def version_headers(stored: Stored, caching: Header = PRIVATE) -> list[Header]:
    """``Content-Type``, ``Cache-Control``, ``ETag`` and ``Last-Modified``."""
    return [
        JSON,
        caching,
        (b"etag", etag(stored.version_id)),
        (b"last-modified", http_date(stored.updated // 1000)),
    ]


def location(context: Context, stored: Stored) -> bytes:
    """The URL of exactly this version (§3.1.0.8)."""
    url = f"{context.fhir}/{stored.type}/{stored.id}/_history/{stored.version_id}"
    return url.encode()


def _with_origin(context: Context, stored: Stored, body: bytes) -> bytes:
    project = context.project
    other = acted_for(stored.author)
    origin = {
        **({"author": {"reference": writer(stored.author)}} if stored.author else {}),
        **({"onBehalfOf": {"reference": other}} if other else {}),
        "project": project,
        "compartment": [{"reference": f"Project/{project}"}],
    }
    at = body.index(_META) + len(_META)
    return b"%s%s,%s" % (body[:at], encode(origin)[1:-1], body[at:])


def _with_url(context: Context, stored: Stored, body: bytes) -> bytes:
    now = context.clock() // 1000
    url = context.signer.url(stored.id, stored.version_id, now, context.watched)
    return b'%s,"url":"%s"}' % (body[:-1], url.encode())
