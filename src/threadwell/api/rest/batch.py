"""Bundles of requests (FHIR R4 §3.1.0.11): a batch here, a transaction by its own module."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby

from threadwell.api.context import Context, Handler
from threadwell.api.exchange import Answer, Request
from threadwell.api.load.gate import unserved
from threadwell.api.outcomes import refusal, tracing
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.api.rest.bundles import bundle
from threadwell.api.rest.entries import (
    Entry,
    good_outcomes,
    parse_entries,
    response,
    well_formed,
)
from threadwell.api.rest.transaction import transaction
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, invalid
from threadwell.stores.contract import StoreError

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
    if kind == "transaction":
        answers = await transaction(context, request, well_formed(entries), perform)
    else:
        answers = await batch(context, request, entries, perform)
    good = good_outcomes(tracing(request.headers))
    responses = [response(context, answer, good) for answer in answers]
    return bundle(f"{kind}-response", responses)


async def batch(
    context: Context, outer: Request, entries: Sequence[Entry | FhirError], perform: Handler
) -> list[Answer]:
    """The answer to each entry, whatever becomes of the others.

    ``outer`` is the request that brought them. An entry that is malformed is answered with its
    error.
    """
    answers: list[Answer] = []
    for method, run in groupby(entries, key=_method):
        # Requests of which none waits for another go together, and so share a commit.
        size = _AT_ONCE if method in ("GET", "HEAD", "POST") else 1
        waiting = list(run)
        for at in range(0, len(waiting), size):
            part = waiting[at : at + size]
            answers += await asyncio.gather(
                *(_answer(context, outer, entry, perform) for entry in part)
            )
    return answers


def _method(entry: Entry | FhirError) -> str:
    return entry.request.method if isinstance(entry, Entry) else ""


async def _answer(
    context: Context, outer: Request, entry: Entry | FhirError, perform: Handler
) -> Answer:
    if isinstance(entry, FhirError):
        return refusal(entry, outer.headers)
    request = entry.request
    if entry.resource is not None:
        request.body = encode(entry.resource)
    try:
        return await perform(context, request)
    except FhirError as error:
        return refusal(error, request.headers)
    except StoreError as error:
        # The entries before may have been committed, and their answers must not be lost.
        return unserved(context.load, error, request)
