"""history of one resource (FHIR R4 §3.1.0.13)."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.etags import etag
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, failure, success, tracing
from threadwell.api.params import parse_params
from threadwell.api.rest.bundles import bundle, bundled
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import gone, invalid, not_found
from threadwell.fhir.search.parse import DEFAULT_COUNT, MAX_COUNT, natural
from threadwell.fhir.stamp import instant
from threadwell.stores.contract import Stored


async def history(context: Context, request: Request) -> Answer:
    """The versions, newest first; a deletion is an entry without a resource. 404 if never there."""
    given = dict(parse_params(request.query))
    unknown = given.keys() - {"_count", "_offset"}
    if unknown:
        raise invalid(f"Unknown history parameter: {min(unknown)}")
    count = min(natural("_count", given.get("_count", str(DEFAULT_COUNT))), MAX_COUNT)
    offset = natural("_offset", given.get("_offset", "0"))
    versions, total = await context.store.history(
        context.project, request.type, request.id, count, offset
    )
    if not total:
        raise not_found()
    shown = await bundled(context, request, versions)
    marks = tracing(request.headers)
    ok, deleted = encode(success(OK, marks)), encode(failure(gone(), marks))
    entries = [
        _entry(context, version, body, deleted if version.deleted else ok, total - offset - at)
        for at, (version, body) in enumerate(zip(versions, shown, strict=True))
    ]
    base = f"{context.fhir}/{request.type}/{request.id}/_history?_count={count}"
    links = [("self", f"{base}&_offset={offset}" if offset else base)]
    if offset + len(versions) < total and versions:
        links.append(("next", f"{base}&_offset={offset + count}"))
    if offset:
        links.append(("previous", f"{base}&_offset={max(0, offset - count)}"))
    return bundle("history", entries, total=total, links=links)


def _entry(context: Context, version: Stored, body: bytes, outcome: bytes, number: int) -> bytes:
    path = f"{version.type}/{version.id}"
    method = "DELETE" if version.deleted else "POST" if number == 1 else "PUT"
    request = {"method": method, "url": version.type if method == "POST" else path}
    response = {
        "status": "410" if version.deleted else "200",
        "etag": etag(version.version_id).decode(),
        "lastModified": instant(version.updated),
    }
    return b'{"fullUrl":"%s",%s"request":%s,"response":%s,"outcome":%s}}' % (
        f"{context.fhir}/{path}".encode(),
        b'"resource":%s,' % body if body else b"",
        encode(request),
        encode(response)[:-1],
        outcome,
    )
