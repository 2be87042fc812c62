"""``$versions``: which versions of FHIR are spoken here (FHIR R4 §3.2.0, CapabilityStatement)."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.negotiation import prefers_plain_json
from threadwell.api.outcomes import JSON
from threadwell.api.rest.parameters import parse_parameters
from threadwell.fhir.json import encode

_R4 = "4.0"


async def versions(_: Context, request: Request) -> Answer:
    """200 for anyone: Parameters, or for who asks for plain JSON the form that R4 gives that."""
    await parse_parameters(request)
    if prefers_plain_json(request):
        plain = encode({"versions": [_R4], "default": _R4})
        return Answer(200, [(b"content-type", b"application/json")], plain)
    parameter = [{"name": name, "valueCode": _R4} for name in ("version", "default")]
    return Answer(200, [JSON], encode({"resourceType": "Parameters", "parameter": parameter}))
