"""Binary (FHIR R4 §2.42): content of any type, in and out as it is or as a resource in JSON.

The bytes are kept apart from the resource: in a store its JSON has no ``data``.
"""

from __future__ import annotations

from typing import Any

from threadwell.api.answers import once, version_headers
from threadwell.api.answers import resource as resource_answer
from threadwell.api.context import Context
from threadwell.api.etags import check_read, not_modified
from threadwell.api.exchange import Answer, Request
from threadwell.api.negotiation import FHIR_JSON, check_json, content_type_of, wants_resource
from threadwell.api.params import parse_params
from threadwell.api.ranges import in_range
from threadwell.api.raw import raw
from threadwell.api.rest import create as creating
from threadwell.api.rest import elements
from threadwell.api.rest import update as updating
from threadwell.api.rest.accept import Accepted, accept
from threadwell.api.rest.read import existing
from threadwell.fhir.content import with_data
from threadwell.fhir.json import BadJson, decode
from threadwell.fhir.resource import Resource
from threadwell.messages import OCTETS
from threadwell.stores.aside import aside
from threadwell.stores.contract import Stored


async def create(context: Context, request: Request) -> Answer:
    """201 with the new Binary, as ``rest.create``. For Medplum's clients its ``url`` opens the
    bytes without a token.
    """
    accepted = await _accept(context, request)
    accepted.resource.pop("id", None)
    return await creating.store_new(context, request, accepted)


async def update(context: Context, request: Request) -> Answer:
    """A new version with the content that was sent, as ``rest.update``."""

    async def accepting(before: Stored | None) -> Accepted:
        accepted = await _accept(context, request, before)
        updating.check_id(accepted.resource, request.id)
        return accepted

    return await updating.store_version(context, request, accepting)


async def read(context: Context, request: Request) -> Answer:
    """The bytes under their own content type, or the resource where FHIR's JSON is asked for."""
    stored = await context.view.read(context.project, "Binary", request.id)
    return await _answer(context, request, existing(stored))


async def vread(context: Context, request: Request) -> Answer:
    """As ``read``, of one version."""
    stored = await context.view.read_version(context.project, "Binary", request.id, request.version)
    return await _answer(context, request, existing(stored))


async def _answer(context: Context, request: Request, stored: Stored) -> Answer:
    check_read(request, stored)
    if context.view.hides("Binary"):
        return once(await _shown(context, request, stored))
    if not_modified(request, stored.version_id, stored.updated):
        return Answer(304, version_headers(stored), b"")
    return await _shown(context, request, stored)


async def _shown(context: Context, request: Request, stored: Stored) -> Answer:
    content = await context.view.content(context.project, stored.id, stored.version_id) or b""
    if not wants_resource(request, decode(stored.body).get("contentType", "")):
        answer = raw(stored, content)
        whole = answer._replace(headers=[*answer.headers, *version_headers(stored)[1:]])
        return in_range(request, whole)
    answer = await resource_answer(context, request, stored)
    body = with_data(answer.body, content)
    if names := elements.wanted("Binary", parse_params(request.query)):
        (body,) = await elements.subsets([body], names)
    return answer._replace(body=body)


async def _accept(context: Context, request: Request, before: Stored | None = None) -> Accepted:
    kind = content_type_of(request.headers)
    if kind is not None and kind.name in FHIR_JSON:
        value = await aside(len(request.body), lambda: _json(request.body))
        if isinstance(value, dict) and value.get("resourceType") == "Binary":
            check_json(request.headers)
            size = len(request.body)
            return await accept(context, value, "Binary", size=size, before=before)
    resource: Resource = {"resourceType": "Binary", "contentType": str(kind or OCTETS)}
    if request.id:
        resource["id"] = request.id
    security = request.headers.get(b"x-security-context")
    if security:
        resource["securityContext"] = {"reference": security.decode("latin-1")}
    accepted = await accept(context, resource, "Binary", size=0, before=before)
    return accepted._replace(content=request.body)


def _json(body: bytes) -> Any:
    try:
        return decode(body)
    except BadJson:
        return None
