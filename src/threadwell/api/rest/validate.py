"""``$validate`` (FHIR R4 §3.2.0.5): would this resource be accepted?"""

from __future__ import annotations

from typing import Any

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, outcome_answer
from threadwell.api.rest.accept import accept, parse_json
from threadwell.fhir.outcome import invalid


async def validate(context: Context, request: Request) -> Answer:
    """200 with outcome "ok", or 400 with every mistake. Nothing is stored."""
    await accept(context, _resource(parse_json(request)), request.type)
    return outcome_answer(200, OK, request.headers)


def _resource(value: Any) -> Any:
    # The body is the resource, or Parameters that hold it (§3.2.0.5.1).
    if not isinstance(value, dict) or value.get("resourceType") != "Parameters":
        return value
    parameters = value.get("parameter")
    for parameter in parameters if isinstance(parameters, list) else []:
        if isinstance(parameter, dict) and parameter.get("name") == "resource":
            return parameter.get("resource")
    raise invalid("The Parameters have no resource", "Parameters.parameter")
