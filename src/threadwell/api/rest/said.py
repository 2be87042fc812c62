"""What a person says by an operation of ours: its Parameters, and who asks."""

from __future__ import annotations

from typing import Any

from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.api.rest.parameters import listed, named
from threadwell.encounters.corrected import Agent
from threadwell.fhir.outcome import invalid
from threadwell.fhir.search.references import parse_absolute, split_reference
from threadwell.intake.seat import SOMEBODY


def asking(request: Request) -> Agent:
    """Who is named as having said it: the person, or the client that asks."""
    caller = request.caller
    if caller.through:
        return Agent(caller.name, reference=caller.reference, through=caller.through)
    if caller.claims is not None and caller.claims.person:
        return Agent(caller.name, reference=caller.reference)
    return Agent(caller.name, caller.client_id) if caller.client_id else SOMEBODY


async def named_parameters(request: Request) -> list[tuple[str, str, dict[str, Any]]]:
    """Where each parameter of the body stands, its name, and itself; raises 400."""
    if not request.body:
        return []
    return listed(of_type(await parse_json(request), "Parameters"))


def parts_of(parameter: dict[str, Any], where: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The same of each part of a parameter that has parts; raises 400."""
    given = parameter.get("part")
    if not isinstance(given, list) or not given:
        raise invalid(f"{parameter['name']} has parts", where)
    return named(given, f"{where}.part")


def concept(parameter: dict[str, Any], path: str) -> dict[str, Any]:
    """The CodeableConcept that a parameter has; raises 400."""
    value = _only_value(parameter, "valueCodeableConcept", path)
    if not isinstance(value, dict) or not value:
        raise invalid(f"{parameter['name']} must be a CodeableConcept", path)
    return value


def referred(
    context: Context, parameter: dict[str, Any], wanted: tuple[str, ...], path: str
) -> str:
    """``Type/id`` of the resource that the parameter refers to, however that is written.

    It is of one of the types that are ``wanted``; raises 400.
    """
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
    if type_ not in wanted:
        types = " or ".join(wanted)
        raise invalid(f"{name} must refer to a {types} of this server", f"{path}.valueReference")
    return f"{type_}/{id_}"


def attachment(parameter: dict[str, Any], path: str) -> dict[str, Any]:
    """The Attachment that a parameter has; raises 400."""
    value = _only_value(parameter, "valueAttachment", path)
    if not isinstance(value, dict) or not isinstance(value.get("url"), str):
        raise invalid(f"{parameter['name']} must be an Attachment with a url", path)
    return value


def truth(parameter: dict[str, Any], path: str) -> bool:
    """The boolean that a parameter has; raises 400."""
    value = _only_value(parameter, "valueBoolean", path)
    if not isinstance(value, bool):
        raise invalid(f"{parameter['name']} must be true or false", path)
    return value


def words(parameter: dict[str, Any], path: str) -> str:
    """The string that a parameter has; raises 400."""
    value = _only_value(parameter, "valueString", path)
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"{parameter['name']} must be a string", path)
    return value.strip()


def _only_value(parameter: dict[str, Any], member: str, path: str) -> Any:
    """The value of a parameter, ``None`` where it has none of that type or others beside it."""
    values = [name for name in parameter if name.startswith("value") or name == "resource"]
    if values != [member]:
        raise invalid(f"{parameter['name']} has one value, {member}", path)
    return parameter[member]
