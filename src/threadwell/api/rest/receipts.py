"""``$mark-read``: somebody has read a thread up to a message.

Threadwell's own operation; ``guide/operations/mark-read.json`` defines it.
"""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest.acting import acting
from threadwell.api.rest.parameters import PATH
from threadwell.api.rest.read import existing
from threadwell.api.rest.refusing import refusing
from threadwell.api.rest.said import asking, named_parameters, referred
from threadwell.api.rest.unsent import TYPE
from threadwell.encounters.codes import BASE
from threadwell.encounters.receipts import READERS
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import invalid
from threadwell.intake.receipts.marking import mark_read
from threadwell.stores.contract import Store

NAME = "$mark-read"
DEFINITIONS = {NAME: f"{BASE}OperationDefinition/{NAME[1:]}"}


async def mark(context: Context, request: Request) -> Answer:
    """200 with Parameters that name the thread and the last message that was read.

    Whoever sees a thread may say that they have read it, and who may change it that others have.
    404 and 410 where there is no such Communication, 403 where it is not theirs to say, 422 where
    the message is none of it, 409 where others keep writing to it.
    """
    who = up_to = ""
    for key, _ in parse_params(request.query):
        raise invalid(f"In the URL {NAME} takes nothing: {key[:64]} is for the body")
    for path, name, parameter in await named_parameters(request):
        if name == "reader":
            types = tuple(one.removesuffix("/") for one in READERS)
            who = referred(context, parameter, types, path)
        elif name == "up-to":
            up_to = referred(context, parameter, (TYPE,), path)
        else:
            raise invalid(f"Unknown parameter of {NAME}: {name[:64]}", path)
    if not who:
        raise invalid("Say who has read it: reader", PATH)
    store = await _store(context, request, who)
    with refusing():
        done = await mark_read(
            store,
            context.project,
            f"{TYPE}/{request.id}",
            who,
            up_to,
            seen=context.view,
            author=asking(request).author,
            clock=context.clock,
        )
    told: list[dict[str, object]] = [
        {"name": "thread", "valueReference": {"reference": done.thread}}
    ]
    if done.up_to:
        told.append({"name": "up-to", "valueReference": {"reference": done.up_to}})
    return Answer(200, [JSON, PRIVATE], encode({"resourceType": "Parameters", "parameter": told}))


async def _store(context: Context, request: Request, who: str) -> Store:
    """The store, where the caller may say of ``who`` that they have read what the URL names."""
    if who != request.caller.reference:
        return await acting(context, request)
    existing(await context.view.read(context.project, TYPE, request.id))
    return await context.view.acting(None, request.body)
