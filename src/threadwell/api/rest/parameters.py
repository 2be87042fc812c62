"""What an operation is given: in the URL of a GET, or as Parameters in the body of a POST."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from threadwell.api.exchange import Request
from threadwell.api.params import parse_params
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource

#: Where the parameters of Parameters stand.
PATH = "Parameters.parameter"


async def parse_parameters(request: Request, *known: str) -> list[tuple[str, str]]:
    """(name, value) of each parameter, those of the URL first (FHIR R4 §3.2.0.2).

    Raises 400 for one that is none of ``known``, or has no value of a primitive type.
    """
    pairs = parse_params(request.query)
    if request.method == "POST" and request.body:
        _, more = pairs_of(of_type(await parse_json(request), "Parameters"))
        pairs += more
    for name, _ in pairs:
        if name not in known:
            raise invalid(f"Unknown parameter of {request.path.rpartition('/')[2]}: {name[:64]}")
    return pairs


def pairs_of(
    parameters: Resource, resource: str = "", *, references: bool = False
) -> tuple[Any, list[tuple[str, str]]]:
    """(name, value) of each of the Parameters, but the resource of the one that is called
    ``resource``; that comes first, ``None`` where it is not there. Raises 400 for other values
    than those of primitive types, and, with ``references``, References.
    """
    pairs: list[tuple[str, str]] = []
    found = None
    for path, name, parameter in listed(parameters):
        if resource and name == resource:
            found = parameter.get("resource")
            continue
        value = one_value(parameter, path)
        if references and isinstance(value, dict):
            value = value.get("reference")
        pairs.append((name, primitive(value, path)))
    return found, pairs


def listed(parameters: Resource) -> list[tuple[str, str, Resource]]:
    """Where each parameter of Parameters stands, its name, and itself; raises 400."""
    return named(parameters.get("parameter", []), PATH)


def named(given: Any, where: str) -> list[tuple[str, str, Resource]]:
    """The same of the list of parameters, or of parts, that stands there."""
    if not isinstance(given, list):
        told = f"{where.rpartition('.')[2]} must be an array"
        raise FhirError(400, [Issue("structure", told, where)])
    out: list[tuple[str, str, Resource]] = []
    for at, parameter in enumerate(given):
        path = f"{where}[{at}]"
        name = parameter.get("name") if isinstance(parameter, dict) else None
        if not isinstance(name, str):
            raise FhirError(400, [Issue("structure", "A parameter has a name", path)])
        out.append((path, name, parameter))
    return out


def one_value(parameter: Resource, path: str) -> Any:
    """The value of a parameter, or its resource, of whatever type; raises 400."""
    values = [one for key, one in parameter.items() if key.startswith("value") or key == "resource"]
    if len(values) != 1:
        raise FhirError(400, [Issue("structure", "A parameter has a name and one value", path)])
    return values[0]


def primitive(value: Any, path: str) -> str:
    """A value of a primitive type as a URL would have it; raises 400."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Decimal):
        return str(value)
    raise invalid("The value must be of a primitive type", path)
