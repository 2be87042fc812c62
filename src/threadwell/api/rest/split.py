"""``$split-by-patient`` of a session: a person makes or corrects its medical encounters.

Threadwell's own operation; ``guide/operations/split-by-patient.json`` defines it.
"""

from __future__ import annotations

from typing import Any

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest.acting import acting, seat_of
from threadwell.api.rest.parameters import PATH
from threadwell.api.rest.said import concept, named_parameters, parts_of, referred
from threadwell.encounters.codes import BASE
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.correcting import BadCorrection
from threadwell.intake.patience import Contended
from threadwell.intake.splitting import Part, Split, split_by_patient

NAME = "$split-by-patient"
#: The url of its OperationDefinition, and the resource type that has it.
DEFINITION = f"{BASE}OperationDefinition/{NAME[1:]}"
TYPE = "Encounter"

#: What else may be referred to in a part, and the types that may be.
_DIAGNOSES = ("Condition", "Procedure")
_PARTICIPANTS = ("Practitioner", "PractitionerRole", "RelatedPerson")


async def split(context: Context, request: Request) -> Answer:
    """200 with Parameters that tell the Encounter of each patient.

    404 and 410 where there is no such Encounter, 422 for a detail of another patient and for what
    cannot be split, 409 where others keep writing to it.
    """
    for key, _ in parse_params(request.query):
        raise invalid(f"In the URL {NAME} takes nothing: {key[:64]} is for the body")
    parts = [_part(context, one, path) for path, one in await _parts(request)]
    if not parts:
        raise invalid("Name the patients: a part for each", PATH)
    store = await acting(context, request)
    try:
        seat = await seat_of(context, request, store)
        done = await split_by_patient(seat, f"{TYPE}/{request.id}", parts)
    except (BadCorrection, BadSetting) as error:
        raise FhirError(422, [Issue("business-rule", str(error))]) from None
    except Contended:
        raise FhirError(
            409, [Issue("conflict", "Conflict: please try again")], "conflict"
        ) from None
    return Answer(200, [JSON, PRIVATE], encode(_told(done)))


def _told(done: Split) -> dict[str, Any]:
    told: list[dict[str, Any]] = [
        {"name": "session", "valueReference": {"reference": done.session}}
    ]
    for patient, encounter in done.encounters.items():
        named = (("patient", patient), ("encounter", encounter))
        part = [{"name": name, "valueReference": {"reference": to}} for name, to in named]
        told.append({"name": "part", "part": part})
    return {"resourceType": "Parameters", "parameter": told}


async def _parts(request: Request) -> list[tuple[str, dict[str, Any]]]:
    out = []
    for path, name, parameter in await named_parameters(request):
        if name != "part":
            raise invalid(f"Unknown parameter of {NAME}: {name[:64]}", path)
        out.append((path, parameter))
    return out


def _part(context: Context, parameter: dict[str, Any], where: str) -> Part:
    """One patient's part; raises 400."""
    lists: dict[str, list[Any]] = {
        name: [] for name in ("patient", "message", "reasonCode", "diagnosis", "participant")
    }
    service: dict[str, Any] | None = None
    for path, name, one in parts_of(parameter, where):
        match name:
            case "patient":
                lists[name].append(referred(context, one, ("Patient",), path))
            case "message":
                lists[name].append(referred(context, one, ("Communication",), path))
            case "diagnosis":
                lists[name].append(referred(context, one, _DIAGNOSES, path))
            case "participant":
                lists[name].append(referred(context, one, _PARTICIPANTS, path))
            case "reasonCode":
                lists[name].append(concept(one, path))
            case "serviceType" if service is None:
                service = concept(one, path)
            case _:
                raise invalid(f"Unknown or second part of {NAME}: {name[:64]}", path)
    if len(lists["patient"]) != 1:
        raise invalid("A part has one patient", where)
    return Part(
        lists["patient"][0],
        tuple(lists["message"]),
        tuple(lists["reasonCode"]),
        tuple(lists["diagnosis"]),
        service,
        tuple(lists["participant"]),
    )
