"""What a request for an import asks for (the SMART bulk import draft, as Parameters or as JSON)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from threadwell.access.scopes import about_resources
from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.rest.accept import parse_json
from threadwell.api.rest.parameters import listed, named, one_value
from threadwell.bulk.import_job import AskedImport, Input
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource
from threadwell.subscriptions.hook_states import hosts

#: How NDJSON may be called.
_FORMATS = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})
#: Files of one import, and characters of a URL.
_MOST, _LONGEST = 1_000, 4_000
#: Details that change nothing here: what is packed is seen, and parts are as large as is good.
_UNHEEDED = frozenset({"contentEncoding", "maxBatchResourceCount"})


async def parse_import(context: Context, request: Request) -> AskedImport:
    """What is asked for. Raises 400 for what is no such request, 403 for what the caller may not
    write.
    """
    body = await parse_json(request)
    asked = _members(body) if _is_parameters(body) else body
    if not isinstance(asked, dict):
        raise invalid("The body is Parameters, or a JSON object with the same names")
    for name in asked:
        if name not in ("inputFormat", "inputSource", "input", "storageDetail", "resourceType"):
            raise FhirError(
                400, [Issue("not-supported", f"Unknown parameter of $import: {name[:64]}")]
            )
    format_ = asked.get("inputFormat")
    if not isinstance(format_, str) or format_ not in _FORMATS:
        raise invalid("inputFormat is application/fhir+ndjson: there is no other")
    source = asked.get("inputSource", "")
    if not isinstance(source, str) or len(source) > _LONGEST:
        raise invalid("inputSource is a URI")
    _check_storage(asked.get("storageDetail", {}))
    given = asked.get("input")
    given = given if isinstance(given, list) else [given]
    if not 0 < len(given) <= _MOST:
        raise invalid(f"input has one file, and at most {_MOST:,}")
    allowed = await hosts(context.whole, context.project)
    inputs = tuple(_input(one, f"input[{n}]", allowed) for n, one in enumerate(given))
    for type_ in sorted({one.type for one in inputs}):
        context.view.check(type_, "create")
        context.view.check(type_, "update")
    claims = request.caller.claims
    return AskedImport(
        url=f"{context.fhir}/{request.path}",
        source=source,
        who=f"ClientApplication/{request.caller.client_id}",
        client=request.caller.client_id,
        inputs=inputs,
        scopes=tuple(about_resources(claims.scopes)) if claims else (),
        patient=claims.patient if claims else "",
    )


def _is_parameters(body: Any) -> bool:
    return isinstance(body, dict) and body.get("resourceType") == "Parameters"


def _members(parameters: Resource) -> Resource:
    """Parameters as the JSON object that they stand for."""
    found: Resource = {}
    for path, name, parameter in listed(parameters):
        value = _value(parameter, path)
        if name == "input":
            found.setdefault(name, []).append(value)
        elif name in found:
            raise invalid(f"{name[:64]} is there twice", path)
        else:
            found[name] = value
    return found


def _value(parameter: Resource, path: str) -> Any:
    """Its value, or its parts as an object."""
    if "part" in parameter:
        parts = named(parameter["part"], f"{path}.part")
        return {name: _value(part, where) for where, name, part in parts}
    return one_value(parameter, path)


def _check_storage(detail: Any) -> None:
    if not isinstance(detail, dict):
        raise invalid("storageDetail has a type", "storageDetail")
    if detail.get("type", "https") not in ("https", "http"):
        raise invalid("storageDetail is https: there is no other way to the files", "storageDetail")
    for name in detail:
        if name != "type" and name not in _UNHEEDED:
            text = f"{name[:64]} is not offered: sign the URLs instead"
            raise FhirError(400, [Issue("not-supported", text, "storageDetail")])


def _input(one: Any, path: str, allowed: tuple[str, ...]) -> Input:
    value: Resource = one if isinstance(one, dict) else {}
    type_, url = value.get("type"), value.get("url")
    if not isinstance(type_, str) or type_ not in RESOURCE_TYPES:
        raise invalid("type is a resource type of R4", f"{path}.type")
    if not isinstance(url, str) or len(url) > _LONGEST:
        raise invalid("url is the URL of a file", f"{path}.url")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise invalid("url is no URL", f"{path}.url") from None
    is_plain = parts.scheme == "http" and (host in allowed or f"{host}:{port or 80}" in allowed)
    if not host or parts.username is not None or not (parts.scheme == "https" or is_plain):
        raise invalid("url is an https URL, without a name or password", f"{path}.url")
    return Input(type_, url)
