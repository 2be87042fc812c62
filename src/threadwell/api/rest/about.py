"""``$about`` of a Communication or an Encounter: a person says whom messages are about.

Threadwell's own operation; ``guide/operations/about.json`` defines it.
"""

from __future__ import annotations

from typing import NamedTuple

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest.acting import acting, seat_of
from threadwell.api.rest.parameters import PATH
from threadwell.api.rest.said import named_parameters, referred, truth
from threadwell.encounters.codes import BASE
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.correcting import BadCorrection, Corrected, correct_attribution
from threadwell.intake.patience import Contended

NAME = "$about"
#: The url of its OperationDefinition.
DEFINITION = f"{BASE}OperationDefinition/about"
#: The resource types that have it.
TYPES = frozenset({"Communication", "Encounter"})

#: The parameters that are references, and to what.
_REFERENCES = {"patient": "Patient", "message": "Communication"}
_NOBODY = "nobody"


async def about(context: Context, request: Request) -> Answer:
    """200 with Parameters that tell the messages, and the Encounters that have them now.

    The client that asks is named as who has said so. 404 and 410 where there is no such resource,
    422 for what cannot be corrected, 409 where others keep writing to it.
    """
    asked = await _asked(context, request)
    store = await acting(context, request)
    try:
        seat = await seat_of(context, request, store)
        subject = f"{request.type}/{request.id}"
        done = await correct_attribution(seat, subject, asked.patients, messages=asked.messages)
    except (BadCorrection, BadSetting) as error:
        raise FhirError(422, [Issue("business-rule", str(error))]) from None
    except Contended:
        raise FhirError(
            409, [Issue("conflict", "Conflict: please try again")], "conflict"
        ) from None
    return Answer(200, [JSON, PRIVATE], encode(_became(done)))


def _became(done: Corrected) -> Resource:
    named = [
        *(("corrected", one) for one in done.messages),
        *(("session", one) for one in done.sessions),
        *(("medical-encounter", one) for one in done.medical),
        ("provenance", done.provenance),
    ]
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, "valueReference": {"reference": to}} for name, to in named],
    }


class _Asked(NamedTuple):
    """No patients: it is about nobody of whom it is known. No messages: about all there are."""

    patients: tuple[str, ...]
    messages: tuple[str, ...]


async def _asked(context: Context, request: Request) -> _Asked:
    """What the parameters ask for; raises 400."""
    found: dict[str, list[str]] = {name: [] for name in _REFERENCES}
    nobody = False
    for key, text in parse_params(request.query):
        # FHIR R4 §3.2.0.2: in the URL only what is primitive.
        if key != _NOBODY:
            raise invalid(f"In the URL $about takes only {_NOBODY}: {key[:64]} is for the body")
        if text not in ("true", "false"):
            raise invalid(f"{_NOBODY} must be true or false")
        nobody = text == "true"
    for path, name, parameter in await named_parameters(request):
        if name in _REFERENCES:
            found[name].append(referred(context, parameter, (_REFERENCES[name],), path))
        elif name == _NOBODY:
            nobody = truth(parameter, path)
        else:
            raise invalid(f"Unknown parameter of $about: {name[:64]}", path)
    if bool(found["patient"]) == nobody:
        raise invalid("Say whom it is about: patient, or nobody = true, and not both", PATH)
    return _Asked(tuple(found["patient"]), tuple(found["message"]))
