"""``$expunge``: a resource is removed for good, or all of a patient; as Medplum has it.

``POST Type/id/$expunge``, and ``POST Patient/id/$expunge?everything=true``. For administrators.
"""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, OK, PRIVATE, forbidden, success, tracing
from threadwell.api.params import parse_params
from threadwell.api.rest.accept import parse_json
from threadwell.api.rest.said import named_parameters, truth
from threadwell.bulk.expunging import Expunged, Expunging, NotThere
from threadwell.encounters.codes import BASE
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue, invalid, not_found
from threadwell.stores.contract import Conflict, Key

NAME = "$expunge"
DEFINITION = f"{BASE}OperationDefinition/{NAME[1:]}"
_EVERYTHING = "everything"
#: Resources that an answer names of those that are left.
_MOST_LEFT = 1_000


async def expunge(context: Context, request: Request) -> Answer:
    """200 once nothing of it is left: it was never there, for whoever asks from then on.

    403 for who is no administrator, whether it is there or not; 404 for what is not there, 400 for
    everything of what is no Patient, 409 where others keep writing to it.
    """
    caller = request.caller
    if not caller.admin or caller.policy is not None or caller.through:
        raise forbidden()
    everything = await _everything(request)
    if everything and request.type != "Patient":
        raise invalid(f"{_EVERYTHING} is for a Patient: {request.type} has no such compartment")
    store = await context.view.acting(None)
    work = Expunging(store, context.project, context.clock, caller.author, context.trail.drain)
    try:
        if everything:
            done = await work.all_of(request.id)
        else:
            done = await work.one(Key(request.type, request.id))
    except NotThere:
        raise not_found() from None
    except Conflict:
        raise FhirError(
            409, [Issue("conflict", "Conflict: please try again")], "conflict"
        ) from None
    return Answer(200, [JSON, PRIVATE], encode(_told(request, done)))


async def _everything(request: Request) -> bool:
    found: list[bool] = []
    for key, text in parse_params(request.query):
        if key != _EVERYTHING:
            raise invalid(f"Unknown parameter of {NAME}: {key[:64]}")
        if text not in ("true", "false"):
            raise invalid(f"{_EVERYTHING} must be true or false")
        found.append(text == "true")
    plain = await parse_json(request) if request.body else {}
    if isinstance(plain, dict) and "resourceType" not in plain:
        # Medplum's clients say it in JSON of their own.
        for key, value in plain.items():
            if key != _EVERYTHING or not isinstance(value, bool):
                raise invalid(f"In JSON that is no Parameters {NAME} takes {_EVERYTHING} alone")
            found.append(value)
        return any(found)
    for path, name, parameter in await named_parameters(request):
        if name != _EVERYTHING:
            raise invalid(f"Unknown parameter of {NAME}: {name[:64]}", path)
        found.append(truth(parameter, path))
    return any(found)


def _told(request: Request, done: Expunged) -> dict[str, object]:
    said = success(OK, tracing(request.headers))
    removed = ", ".join(f"{count} {type_}" for type_, count in sorted(done.removed.items()))
    said["issue"][0]["diagnostics"] = f"Removed: {removed}"
    said["issue"] += [
        {
            "severity": "warning",
            "code": "incomplete",
            "details": {"text": "Left: it is not about this patient alone, and names them"},
            "diagnostics": name,
        }
        for name in done.left[:_MOST_LEFT]
    ]
    return said
