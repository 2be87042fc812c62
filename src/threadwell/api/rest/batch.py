"""Bundles of requests (FHIR R4 §3.1.0.11): a batch here, a transaction by its own module."""

from __future__ import annotations

import asyncio
from itertools import groupby

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Handler, Request
from threadwell.api.outcomes import refusal, tracing
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.api.rest.bundles import bundle
from threadwell.api.rest.entries import Entry, good_outcomes, parse_entries, response
from threadwell.api.rest.transaction import transaction
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, invalid

#: Entries of a batch under way at once.
_AT_ONCE = 32


async def perform_bundle(context: Context, request: Request, perform: Handler) -> Answer:
    """``POST`` to the base: the bundle of responses, in the order of the entries.

    ``perform`` answers the request of one entry.
    """
    given = of_type(parse_json(request), "Bundle")
    kind = given.get("type")
    if kind not in ("batch", "transaction"):
        raise invalid("The type must be batch or transaction", "Bundle.type")
    entries = parse_entries(context, request, given)
    request.interaction = kind
    answer_all = transaction if kind == "transaction" else batch
    answers = await answer_all(context, request, entries, perform)
    good = good_outcomes(tracing(request.headers))
    responses = [response(context, answer, good) for answer in answers]
    return bundle(f"{kind}-response", responses)


async def batch(
    context: Context, _: Request, entries: list[Entry], perform: Handler
) -> list[Answer]:
    """The answer to each entry, whatever becomes of the others."""
    answers: list[Answer] = []
    for method, run in groupby(entries, key=lambda entry: entry.request.method):
        # Requests of which none waits for another go together, and so share a commit.
        size = _AT_ONCE if method in ("GET", "HEAD", "POST") else 1
        waiting = list(run)
        for at in range(0, len(waiting), size):
            part = waiting[at : at + size]
            answers += await asyncio.gather(*(_answer(context, entry, perform) for entry in part))
    return answers


async def _answer(context: Context, entry: Entry, perform: Handler) -> Answer:
    request = entry.request
    if entry.resource is not None:
        request.body = encode(entry.resource)
    try:
        return await perform(context, request)
    except FhirError as error:
        return refusal(error, request.headers)
