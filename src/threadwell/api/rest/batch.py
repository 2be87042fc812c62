"""Bundles of requests (FHIR R4 §3.1.0.11): a batch here, a transaction by its own module."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby

from threadwell.api import watched
from threadwell.api.context import Context, Handler
from threadwell.api.exchange import Answer, Request
from threadwell.api.failing import answered
from threadwell.api.outcomes import refusal, tracing
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.api.rest.batch_links import BatchLinks, may_link
from threadwell.api.rest.bundles import bundle
from threadwell.api.rest.entries import (
    Entry,
    good_outcomes,
    parse_entries,
    response,
    well_formed,
)
from threadwell.api.rest.room import Room, too_costly
from threadwell.api.rest.transaction import transaction
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, invalid
from threadwell.stores.aside import Pauses

#: Entries of a batch under way at once.
_AT_ONCE = 32


async def perform_bundle(context: Context, request: Request, perform: Handler) -> Answer:
    """``POST`` to the base: the bundle of responses, in the order of the entries.

    ``perform`` answers the request of one entry.
    """
    size = len(request.body)
    async with context.load.bundles.of(size).turn(size):
        return await _perform(context, request, perform)


async def _perform(context: Context, request: Request, perform: Handler) -> Answer:
    given = of_type(await parse_json(request), "Bundle")
    kind = given.get("type")
    if kind not in ("batch", "transaction"):
        raise invalid("The type must be batch or transaction", "Bundle.type")
    entries = parse_entries(context, request, given)
    request.interaction = kind
    watched.begins(context, request)
    if kind == "transaction":
        answers = await transaction(context, request, well_formed(entries), perform)
    else:
        answers = await _Batch(context, request, perform).answers(entries)
    good = good_outcomes(tracing(request.headers))
    pauses = Pauses()
    responses: list[bytes] = []
    for answer in answers:
        responses.append(response(context, answer, good))
        await pauses.pause()
    return bundle(f"{kind}-response", responses)


class _Batch:
    """``outer`` is the request that brought the entries."""

    def __init__(self, context: Context, outer: Request, perform: Handler) -> None:
        self._context = context
        self._outer = outer
        self._perform = perform
        self._room = Room()

    async def answers(self, entries: Sequence[Entry | FhirError]) -> list[Answer]:
        """The answer to each entry, whatever becomes of the others.

        An entry that is malformed is answered with its error.
        """
        if may_link(self._outer.body, entries):
            return await self._linked(entries)
        return await self._in_turn(entries)

    async def _linked(self, entries: Sequence[Entry | FhirError]) -> list[Answer]:
        links = BatchLinks(entries)
        waits = [links.waits_for(entry) - {at} for at, entry in enumerate(entries)]
        left = [len(others) for others in waits]
        followers: dict[int, list[int]] = {}
        for at, others in enumerate(waits):
            for other in others:
                followers.setdefault(other, []).append(at)
        answers: dict[int, Answer] = {}

        async def take(turn: Sequence[int]) -> None:
            led = [_led(links, entries[at], answers) for at in turn]
            answers.update(zip(turn, await self._in_turn(led), strict=True))

        turn = [at for at, count in enumerate(left) if not count]
        while turn:
            await take(turn)
            freed = [follower for at in turn for follower in followers.get(at, ())]
            for follower in freed:
                left[follower] -= 1
            turn = sorted({follower for follower in freed if not left[follower]})
        # Those that wait for each other: their links lead nowhere.
        await take([at for at in range(len(entries)) if at not in answers])
        return [answers[at] for at in range(len(entries))]

    async def _in_turn(self, entries: Sequence[Entry | FhirError]) -> list[Answer]:
        answers: list[Answer] = []
        pauses = Pauses()
        for method, run in groupby(entries, key=_method):
            # Requests of which none waits for another go together, and so share a commit.
            size = _AT_ONCE if method in ("GET", "HEAD", "POST") else 1
            waiting = list(run)
            for at in range(0, len(waiting), size):
                part = waiting[at : at + size]
                answers += await asyncio.gather(*map(self._answer, part))
                await pauses.pause()
        return answers

    async def _answer(self, entry: Entry | FhirError) -> Answer:
        if isinstance(entry, FhirError):
            return refusal(entry, self._outer.headers)
        request = entry.request
        if entry.resource is not None:
            request.body = encode(entry.resource)
        answer = await answered(self._context, request, self._perform)
        request.body = b""
        if not entry.reads:
            return self._room.written(answer)
        return answer if self._room.has(answer) else refusal(too_costly(), request.headers)


def _method(entry: Entry | FhirError) -> str:
    return entry.request.method if isinstance(entry, Entry) else ""


def _led(
    links: BatchLinks, entry: Entry | FhirError, answers: dict[int, Answer]
) -> Entry | FhirError:
    if not isinstance(entry, Entry):
        return entry
    try:
        return links.led(entry, answers)
    except FhirError as error:
        return error
