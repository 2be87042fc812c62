"""``$about`` of a Communication or an Encounter: a person says whom messages are about.

Threadwell's own operation; ``guide/operations/about.json`` defines it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.api.rest.read import existing
from threadwell.encounters.codes import BASE
from threadwell.encounters.corrected import Agent
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.references import parse_absolute, split_reference
from threadwell.intake.correcting import (
    SOMEBODY,
    BadCorrection,
    Corrected,
    correct_attribution,
)
from threadwell.intake.importing import Contended
from threadwell.intake.practice import kept_settings
from threadwell.intake.settings import BadSetting

NAME = "$about"
#: The url of its OperationDefinition.
DEFINITION = f"{BASE}OperationDefinition/about"
#: The resource types that have it.
TYPES = frozenset({"Communication", "Encounter"})

#: The parameters that are references, and to what.
_REFERENCES = {"patient": "Patient", "message": "Communication"}
_NOBODY = "nobody"
_PATH = "Parameters.parameter"


async def about(context: Context, request: Request) -> Answer:
    """200 with Parameters that tell the messages, and the Encounters that have them now.

    The client that asks is named as who has said so. 404 and 410 where there is no such resource,
    422 for what cannot be corrected, 409 where others keep writing to it.
    """
    asked = await _asked(context, request)
    existing(await context.store.read(context.project, request.type, request.id))
    caller = request.caller
    try:
        done = await correct_attribution(
            context.store,
            context.project,
            f"{request.type}/{request.id}",
            asked.patients,
            await kept_settings(context.store, context.project, context.labels()),
            messages=asked.messages,
            by=Agent(caller.name, caller.client_id) if caller.client_id else SOMEBODY,
            clock=context.clock,
        )
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
    for at, parameter in enumerate(await _parameters(request)):
        path = f"{_PATH}[{at}]"
        name = parameter.get("name") if isinstance(parameter, dict) else None
        if not isinstance(name, str):
            raise FhirError(400, [Issue("structure", "A parameter has a name", path)])
        if name in _REFERENCES:
            found[name].append(_reference(context, parameter, path))
        elif name == _NOBODY:
            nobody = _truth(parameter, path)
        else:
            raise invalid(f"Unknown parameter of $about: {name[:64]}", path)
    if bool(found["patient"]) == nobody:
        raise invalid("Say whom it is about: patient, or nobody = true, and not both", _PATH)
    return _Asked(tuple(found["patient"]), tuple(found["message"]))


async def _parameters(request: Request) -> list[Any]:
    if not request.body:
        return []
    given = of_type(await parse_json(request), "Parameters").get("parameter", [])
    if not isinstance(given, list):
        raise FhirError(400, [Issue("structure", "parameter must be an array", _PATH)])
    return given


def _reference(context: Context, parameter: dict[str, Any], path: str) -> str:
    """``Type/id`` of the resource that the parameter refers to, however that is written."""
    name = parameter["name"]
    value = _only_value(parameter, "valueReference", path)
    text = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(text, str):
        raise invalid(f"{name} must be a Reference with a reference", path)
    absolute = parse_absolute(text)
    if absolute is not None and absolute.base in context.bases:
        type_, id_ = absolute.type, absolute.id
    else:
        type_, id_ = split_reference(text)
    wanted = _REFERENCES[name]
    if type_ != wanted:
        raise invalid(f"{name} must refer to a {wanted} of this server", f"{path}.valueReference")
    return f"{type_}/{id_}"


def _truth(parameter: dict[str, Any], path: str) -> bool:
    value = _only_value(parameter, "valueBoolean", path)
    if not isinstance(value, bool):
        raise invalid(f"{parameter['name']} must be true or false", path)
    return value


def _only_value(parameter: dict[str, Any], member: str, path: str) -> Any:
    """The value of a parameter, ``None`` where it has none of that type or others beside it."""
    values = [name for name in parameter if name.startswith("value") or name == "resource"]
    if values != [member]:
        raise invalid(f"{parameter['name']} has one value, {member}", path)
    return parameter[member]
