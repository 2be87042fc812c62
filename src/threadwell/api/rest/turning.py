"""``$close`` and ``$reopen`` of a thread, ``$add-participant`` and ``$remove-participant``.

Threadwell's own operations; ``guide/operations/`` defines them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest.acting import acting, seat_of
from threadwell.api.rest.parameters import PATH
from threadwell.api.rest.refusing import refusing
from threadwell.api.rest.said import named_parameters, referred, words
from threadwell.api.rest.unsent import TYPE
from threadwell.encounters.codes import BASE
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import invalid
from threadwell.intake.thread_acts.turning import (
    MEMBERS,
    ThreadActed,
    add_participant,
    close_thread,
    remove_participant,
    reopen_thread,
)

CLOSE, REOPEN = "$close-thread", "$reopen-thread"
ADD, REMOVE = "$add-participant", "$remove-participant"
DEFINITIONS = {
    name: f"{BASE}OperationDefinition/{name[1:]}" for name in (CLOSE, REOPEN, ADD, REMOVE)
}
_REASON = "reason"


async def close(context: Context, request: Request) -> Answer:
    """200 with Parameters that tell what the thread is now, also where it was so before.

    404 and 410 where there is no such Communication, 422 where it cannot be done, 409 where others
    keep writing to it. So of the others.
    """
    return await _act(context, request, CLOSE, close_thread)


async def reopen(context: Context, request: Request) -> Answer:
    """As ``close``."""
    return await _act(context, request, REOPEN, reopen_thread)


async def add(context: Context, request: Request) -> Answer:
    """As ``close``."""
    return await _act(context, request, ADD, add_participant, whom=True)


async def remove(context: Context, request: Request) -> Answer:
    """As ``close``."""
    return await _act(context, request, REMOVE, remove_participant, whom=True)


async def _act(
    context: Context,
    request: Request,
    operation: str,
    act: Callable[..., Awaitable[ThreadActed]],
    *,
    whom: bool = False,
) -> Answer:
    why = who = ""
    for key, text in parse_params(request.query):
        if key != _REASON:
            raise invalid(f"In the URL {operation} takes only {_REASON}: {key[:64]} is unknown")
        why = text.strip()
    for path, name, parameter in await named_parameters(request):
        if name == _REASON:
            why = words(parameter, path)
        elif whom and name == "participant":
            who = referred(context, parameter, MEMBERS, path)
        else:
            raise invalid(f"Unknown parameter of {operation}: {name[:64]}", path)
    if whom and not who:
        raise invalid("Say who: participant", PATH)
    store = await acting(context, request)
    with refusing():
        seat = await seat_of(context, request, store)
        to = (who,) if whom else ()
        done = await act(seat, f"{TYPE}/{request.id}", *to, why=why)
    told: list[dict[str, object]] = [
        {"name": "thread", "valueReference": {"reference": done.thread}},
        {"name": "status", "valueCode": done.status},
    ]
    told += [
        {"name": "participant", "valueReference": {"reference": one}} for one in done.participants
    ]
    if done.act:
        told.append({"name": "act", "valueReference": {"reference": done.act}})
    return Answer(200, [JSON, PRIVATE], encode({"resourceType": "Parameters", "parameter": told}))
