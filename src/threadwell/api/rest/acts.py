"""``$open-session``, ``$close`` and ``$reopen``: what a person does to a session.

Threadwell's own operations; ``guide/operations/`` defines them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest.acting import acting, seat_of
from threadwell.api.rest.parameters import PATH
from threadwell.api.rest.said import named_parameters, referred, words
from threadwell.encounters.codes import BASE
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.intake.acts import (
    Acted,
    BadAct,
    close_session,
    open_session,
    reopen_session,
    session_of,
)
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.patience import Contended

#: The operations, each with the url of its OperationDefinition.
OPEN, CLOSE, REOPEN = "$open-session", "$close", "$reopen"
DEFINITIONS = {name: f"{BASE}OperationDefinition/{name[1:]}" for name in (OPEN, CLOSE, REOPEN)}
#: The resource type that has them.
TYPE = "Encounter"

_REASON = "reason"


async def open_(context: Context, request: Request) -> Answer:
    """200 with Parameters that name the session that is open now.

    422 where it cannot be told whose messages are meant, 409 where others keep writing.
    """
    asked = await _asked(context, request, opening=True)
    if not asked.patients and not asked.thread:
        raise invalid("Say for whom: patient, or thread", PATH)
    store = await acting(context, request, session_of(next(iter(asked.patients), "")))
    seat = await seat_of(context, request, store)
    return await _answer(open_session(seat, asked.patients, thread=asked.thread, why=asked.why))


async def close(context: Context, request: Request) -> Answer:
    """200 with Parameters that tell what the session is now, also where it was closed before.

    404 and 410 where there is no such Encounter, 422 where it cannot be closed, 409 where others
    keep writing to it.
    """
    return await _on(context, request, close_session)


async def reopen(context: Context, request: Request) -> Answer:
    """200 with Parameters that tell what the session is now, also where it was open before.

    404 and 410 where there is no such Encounter, 422 where it has been billed or cannot be opened,
    409 where others keep writing to it.
    """
    return await _on(context, request, reopen_session)


async def _on(context: Context, request: Request, act: Callable[..., Awaitable[Acted]]) -> Answer:
    asked = await _asked(context, request, opening=False)
    store = await acting(context, request)
    seat = await seat_of(context, request, store)
    return await _answer(act(seat, f"{TYPE}/{request.id}", why=asked.why))


async def _answer(acting: Awaitable[Acted]) -> Answer:
    try:
        done = await acting
    except (BadAct, BadSetting) as error:
        raise FhirError(422, [Issue("business-rule", str(error))]) from None
    except Contended:
        raise FhirError(
            409, [Issue("conflict", "Conflict: please try again")], "conflict"
        ) from None
    told = [
        {"name": "session", "valueReference": {"reference": done.session}},
        {"name": "status", "valueCode": done.status},
    ]
    if done.act:
        told.append({"name": "act", "valueReference": {"reference": done.act}})
    return Answer(200, [JSON, PRIVATE], encode({"resourceType": "Parameters", "parameter": told}))


@dataclass(slots=True)
class _Asked:
    """For whom, in which thread and why, as far as that is said."""

    patients: list[str]
    thread: str = ""
    why: str = ""


async def _asked(context: Context, request: Request, *, opening: bool) -> _Asked:
    """What the parameters ask for; raises 400."""
    asked = _Asked([])
    name_of = request.path.rpartition("/")[2]
    for key, text in parse_params(request.query):
        # FHIR R4 §3.2.0.2: in the URL only what is primitive.
        if key != _REASON:
            raise invalid(f"In the URL {name_of} takes only {_REASON}: {key[:64]} is for the body")
        asked.why = text.strip()
    for path, name, parameter in await named_parameters(request):
        if name == _REASON:
            asked.why = words(parameter, path)
        elif opening and name == "patient":
            asked.patients.append(referred(context, parameter, ("Patient",), path))
        elif opening and name == "thread":
            if asked.thread:
                raise invalid("A session is opened in one thread", path)
            asked.thread = referred(context, parameter, ("Communication",), path)
        else:
            raise invalid(f"Unknown parameter of {name_of}: {name[:64]}", path)
    return asked
