"""``$retract`` and ``$correct``: a message is taken back, and another one goes in its place.

Threadwell's own operations; ``guide/operations/`` defines them.
"""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest.acting import acting, seat_of
from threadwell.api.rest.read import existing
from threadwell.api.rest.refusing import refusing
from threadwell.api.rest.replies import Asked, asked_of, written_by
from threadwell.api.rest.said import named_parameters, words
from threadwell.api.rest.unsent import TYPE
from threadwell.encounters.codes import BASE
from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import invalid
from threadwell.intake.thread_acts.replacing import correct_message
from threadwell.intake.thread_acts.retracting import retract
from threadwell.stores.contract import Stored

RETRACT, CORRECT = "$retract", "$correct"
DEFINITIONS = {name: f"{BASE}OperationDefinition/{name[1:]}" for name in (RETRACT, CORRECT)}

_REASON = "reason"


async def retract_(context: Context, request: Request) -> Answer:
    """200 with Parameters that name the message, also where somebody had taken it back before.

    404 and 410 where there is no such Communication, 422 where it is no message, 409 where others
    keep writing to its thread.
    """
    why = ""
    for key, text in parse_params(request.query):
        if key != _REASON:
            raise invalid(f"In the URL {RETRACT} takes only {_REASON}: {key[:64]} is unknown")
        why = text.strip()
    for path, name, parameter in await named_parameters(request):
        if name != _REASON:
            raise invalid(f"Unknown parameter of {RETRACT}: {name[:64]}", path)
        why = words(parameter, path)
    store = await acting(context, request)
    with refusing():
        seat = await seat_of(context, request, store)
        done = await retract(seat, f"{TYPE}/{request.id}", why=why)
    return _told(done.message, done.thread, unsent=done.unsent)


async def correct(context: Context, request: Request) -> Answer:
    """200 with Parameters that name the new message and the thread header that has it.

    404 and 410 where there is no such Communication, 422 where it is none of the practice's or
    nobody can reply in its thread, 409 where others keep writing to that.
    """
    for key, _ in parse_params(request.query):
        raise invalid(f"In the URL {CORRECT} takes nothing: {key[:64]} is for the body")
    asked: Asked = await asked_of(context, request, CORRECT)
    message = existing(await context.view.read(context.project, TYPE, request.id))
    store = await acting(context, request, written_by(asked.sender, _thread(message)))
    with refusing():
        done = await correct_message(
            await seat_of(context, request, store),
            f"{TYPE}/{request.id}",
            asked.text,
            context.channels(),
            sender=asked.sender,
            files=asked.files,
            key=asked.key,
            why=asked.why,
        )
    return _told(done.message, done.thread)


def _thread(message: Stored) -> str:
    """The header of a message's thread, ``""`` where it has none."""
    header = (decode(message.body).get("partOf") or [{}])[0]
    return str(header.get("reference", ""))


def _told(message: str, thread: str, *, unsent: bool | None = None) -> Answer:
    told: list[dict[str, object]] = [
        {"name": "message", "valueReference": {"reference": message}},
        {"name": "thread", "valueReference": {"reference": thread}},
    ]
    if unsent is not None:
        told.append({"name": "unsent", "valueBoolean": unsent})
    return Answer(200, [JSON, PRIVATE], encode({"resourceType": "Parameters", "parameter": told}))
