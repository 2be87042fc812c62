"""``$same-message`` of a Task: whether a held message is one that is there already.

Threadwell's own operation; ``guide/operations/same-message.json`` defines it.
"""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest.acting import acting, seat_of
from threadwell.api.rest.parameters import PATH
from threadwell.api.rest.read import existing
from threadwell.api.rest.said import named_parameters, truth
from threadwell.encounters.codes import BASE
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.patience import Contended
from threadwell.intake.sameness import BadSameness, say_whether_same

NAME = "$same-message"
#: The url of its OperationDefinition, and the resource type that has it.
DEFINITION = f"{BASE}OperationDefinition/{NAME[1:]}"
TYPE = "Task"

_SAME = "same"


async def same(context: Context, request: Request) -> Answer:
    """200 with the Task as it is then.

    404 and 410 where there is no such Task, 422 where it holds nothing that is suspected to be
    another message, 409 where others keep writing to it.
    """
    said = await _said(request)
    store = await acting(context, request)
    try:
        seat = await seat_of(context, request, store)
        await say_whether_same(seat, f"{TYPE}/{request.id}", same=said)
    except (BadSameness, BadSetting) as error:
        raise FhirError(422, [Issue("business-rule", str(error))]) from None
    except Contended:
        raise FhirError(
            409, [Issue("conflict", "Conflict: please try again")], "conflict"
        ) from None
    stored = existing(await context.view.read(context.project, TYPE, request.id))
    headers = [JSON, PRIVATE, (b"etag", b'W/"%s"' % stored.version_id.encode())]
    return Answer(200, headers, stored.body)


async def _said(request: Request) -> bool:
    """What the parameters say; raises 400."""
    found: list[bool] = []
    for key, text in parse_params(request.query):
        if key != _SAME:
            raise invalid(f"Unknown parameter of {NAME}: {key[:64]}")
        if text not in ("true", "false"):
            raise invalid(f"{_SAME} must be true or false")
        found.append(text == "true")
    for path, name, parameter in await named_parameters(request):
        if name != _SAME:
            raise invalid(f"Unknown parameter of {NAME}: {name[:64]}", path)
        found.append(truth(parameter, path))
    if len(found) != 1:
        raise invalid(f"Say once whether it is the same message: {_SAME}", PATH)
    return found[0]
