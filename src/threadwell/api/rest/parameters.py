"""What an operation is given: in the URL of a GET, or as Parameters in the body of a POST."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from threadwell.api.exchange import Request
from threadwell.api.params import parse_params
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource

_PATH = "Parameters.parameter"


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


def pairs_of(parameters: Resource, resource: str = "") -> tuple[Any, list[tuple[str, str]]]:
    """(name, value) of each of the Parameters, but the resource of the one that is called
    ``resource``; that comes first, ``None`` where it is not there. Raises 400 for other values
    than those of primitive types.
    """
    given = parameters.get("parameter", [])
    if not isinstance(given, list):
        raise FhirError(400, [Issue("structure", "parameter must be an array", _PATH)])
    pairs: list[tuple[str, str]] = []
    found = None
    for at, one in enumerate(given):
        parameter = one if isinstance(one, dict) else {}
        if resource and parameter.get("name") == resource:
            found = parameter.get("resource")
        else:
            pairs.append(_pair(parameter, f"{_PATH}[{at}]"))
    return found, pairs


def _pair(parameter: Resource, path: str) -> tuple[str, str]:
    values = [value for name, value in parameter.items() if name.startswith("value")]
    name = parameter.get("name")
    if not isinstance(name, str) or len(values) != 1:
        raise FhirError(400, [Issue("structure", "A parameter has a name and one value", path)])
    (value,) = values
    if isinstance(value, bool):
        return name, "true" if value else "false"
    if isinstance(value, str | int | float | Decimal):
        return name, str(value)
    raise invalid("The value must be of a primitive type", path)
