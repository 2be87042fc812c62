"""The entries of a batch or transaction (FHIR R4 §3.1.0.11), parsed, and their responses."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from threadwell.api.context import Context
from threadwell.api.etags import as_instant, is_instant
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import CREATED, NOT_MODIFIED, OK, Tracing, success
from threadwell.api.rest.room import MAX_ENTRIES
from threadwell.fhir.json import BadJson, decode, encode, parse
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.patch import check_operations
from threadwell.fhir.path_patch import path_operations
from threadwell.fhir.resource import Resource

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
#: Members of ``entry.request`` that stand for headers of the request.
_HEADERS = {
    "ifMatch": b"if-match",
    "ifNoneMatch": b"if-none-match",
    "ifModifiedSince": b"if-modified-since",
    "ifNoneExist": b"if-none-exist",
}
#: Headers of the bundle's own request that hold for each entry.
_INHERITED = (b"x-medplum", b"prefer", b"x-trace-id", b"traceparent")
#: Operations that change something.
_CHANGING = frozenset(
    {
        "$about", "$open-session", "$close", "$reopen", "$reply", "$same-message",
        "$split-by-patient", "$graphql",
    }
)  # fmt: skip
_OUTCOME = b'{"resourceType":"OperationOutcome"'


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. ``resource`` is what it brings: a resource, or what a patch is to do.

    ``request`` is the request that it stands for, without a body.
    """

    index: int
    full_url: str
    request: Request
    resource: Any

    @property
    def reads(self) -> bool:
        """Does it change nothing? So it is with most operations, by POST as by GET."""
        last = self.request.path.rpartition("/")[2]
        return self.request.method in ("GET", "HEAD") or (
            last.startswith(("$", "_search")) and last not in _CHANGING
        )

    @property
    def changes_by_operation(self) -> bool:
        """Is it an operation that changes something?"""
        return self.request.path.rpartition("/")[2] in _CHANGING

    @property
    def path(self) -> str:
        """Where it is in the bundle, in FHIRPath."""
        return f"Bundle.entry[{self.index}]"


def parse_entries(context: Context, request: Request, bundle: Resource) -> list[Entry | FhirError]:
    """Every entry of the bundle in its order, or the error that says what is malformed in it.

    Raises 400 where there is no list of entries, or too long a one.
    """
    given = bundle.get("entry", [])
    if not isinstance(given, list):
        raise FhirError(400, [Issue("structure", "entry must be an array", "Bundle.entry")])
    if len(given) > MAX_ENTRIES:
        text = f"A bundle has at most {MAX_ENTRIES:,} entries"
        raise FhirError(400, [Issue("too-costly", text, "Bundle.entry")])
    return [_parsed(context, request, index, one) for index, one in enumerate(given)]


def well_formed(entries: Sequence[Entry | FhirError]) -> list[Entry]:
    """The entries; raises 400 that names all that is malformed in any of them."""
    if issues := [issue for one in entries if isinstance(one, FhirError) for issue in one.issues]:
        raise FhirError(400, issues)
    return [one for one in entries if isinstance(one, Entry)]


def _parsed(context: Context, outer: Request, index: int, value: Any) -> Entry | FhirError:
    try:
        return _entry(context, outer, index, value)
    except FhirError as error:
        return error


def _entry(context: Context, outer: Request, index: int, value: Any) -> Entry:
    where = f"Bundle.entry[{index}]"
    asked = value.get("request") if isinstance(value, dict) else None
    if not isinstance(asked, dict):
        raise _missing(f"{where}.request")
    method, url = asked.get("method"), asked.get("url")
    if method not in _METHODS:
        raise invalid("The method must be one of " + ", ".join(_METHODS), f"{where}.request.method")
    if not isinstance(url, str) or not url.removeprefix(context.fhir).strip("/"):
        raise _missing(f"{where}.request.url")
    path, _, query = url.removeprefix(context.fhir).lstrip("/").partition("?")
    path = unquote(path)
    resource = value.get("resource")
    needs_none = path.rpartition("/")[2].startswith(("$", "_search"))
    if resource is None and method in ("POST", "PUT", "PATCH") and not needs_none:
        raise _missing(f"{where}.resource")
    if method == "PATCH":
        resource = operations(resource, f"{where}.resource")
    full_url = value.get("fullUrl", "")
    if not isinstance(full_url, str):
        raise invalid("fullUrl must be a string", f"{where}.fullUrl")
    request = Request(method, path, query, _headers(outer, asked, where), caller=outer.caller)
    request.peer, request.way = outer.peer, outer.way
    return Entry(index, full_url, request, resource)


def operations(resource: Any, where: str) -> Any:
    """What a PATCH entry brings: a FHIRPath Patch, which is Parameters, or the operations of a
    JSON Patch: in a Binary, as they are, or as Medplum has them in Parameters, each with an ``op``.
    """
    value = resource
    if isinstance(resource, dict) and resource.get("resourceType") == "Binary":
        try:
            value = parse(base64.b64decode(str(resource.get("data", "")), validate=True))
        except ValueError:
            raise invalid("The Binary of a patch holds JSON in base64", f"{where}.data") from None
    elif isinstance(resource, dict) and resource.get("resourceType") == "Parameters":
        parameters = resource.get("parameter")
        if not _is_json_patch(parameters):
            path_operations(resource, where)
            return resource
        value = [
            _operation(parameter.get("part"), where)
            for parameter in (parameters if isinstance(parameters, list) else [])
            if isinstance(parameter, dict) and parameter.get("name") == "operation"
        ]
    return check_operations(value, where)


def good_outcomes(marks: Tracing) -> dict[int, bytes]:
    """The serialised outcome of each status that is no error."""
    return {
        status: encode(success(what, marks))
        for status, what in ((200, OK), (201, CREATED), (304, NOT_MODIFIED))
    }


def response(context: Context, answer: Answer, good: Mapping[int, bytes]) -> bytes:
    """The serialised response entry for an answer. ``location`` is ``Type/id``."""
    headers = dict(answer.headers)
    is_outcome = answer.body.startswith(_OUTCOME)
    parts = [b'{"response":{"status":"%d"' % answer.status]
    if location := headers.get(b"location") or headers.get(b"content-location"):
        relative = location.removeprefix(context.fhir.encode() + b"/")
        parts.append(b',"location":"%s"' % relative.partition(b"/_history/")[0])
    if b"etag" in headers:
        parts.append(b',"etag":%s' % encode(headers[b"etag"].decode()))
    if b"last-modified" in headers:
        parts.append(b',"lastModified":"%s"' % as_instant(headers[b"last-modified"]))
    parts.append(b',"outcome":%s}' % (answer.body if is_outcome else good[answer.status]))
    if answer.body and not is_outcome:
        parts.append(b',"resource":%s' % answer.body)
    return b"".join([*parts, b"}"])


def within(entry: Entry, error: FhirError) -> FhirError:
    """The error of one entry as an error of the bundle: its expressions begin at the bundle."""
    issues = []
    for issue in error.issues:
        _, dot, rest = issue.expression.partition(".")
        expression = f"{entry.path}.resource{dot}{rest}" if issue.expression else entry.path
        issues.append(replace(issue, expression=expression))
    return FhirError(error.status, issues, error.id)


def _headers(outer: Request, asked: dict[str, Any], where: str) -> dict[bytes, bytes]:
    headers = {name: outer.headers[name] for name in _INHERITED if name in outer.headers}
    # A Binary within a bundle is JSON, as everything in it.
    headers[b"accept"] = headers[b"content-type"] = b"application/fhir+json"
    if outer.is_medplums and b"accept" in outer.headers:
        headers[b"accept"] = outer.headers[b"accept"]
    for member, header in _HEADERS.items():
        text = asked.get(member)
        if text is None:
            continue
        if not isinstance(text, str):
            raise invalid(f"{member} must be a string", f"{where}.request.{member}")
        if member == "ifModifiedSince" and not is_instant(text):
            raise invalid(f"{member} must be an instant", f"{where}.request.{member}")
        headers[header] = text.encode()
    return headers


def _is_json_patch(parameters: Any) -> bool:
    """Is there an operation that has an ``op``? One of a FHIRPath Patch has a ``type``."""
    return any(
        isinstance(part, dict) and part.get("name") == "op"
        for parameter in (parameters if isinstance(parameters, list) else [])
        if isinstance(parameter, dict) and isinstance(parameter.get("part"), list)
        for part in parameter["part"]
    )


def _operation(parts: Any, where: str) -> dict[str, Any]:
    given = {
        part["name"]: part
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict) and isinstance(part.get("name"), str)
    }
    operation: dict[str, Any] = {}
    for name, member in (("op", "valueCode"), ("path", "valueString"), ("from", "valueString")):
        if name in given:
            operation[name] = given[name].get(member)
    if "value" in given:
        try:
            operation["value"] = decode(str(given["value"].get("valueString")))
        except BadJson:
            raise invalid("The value of a patch operation must be JSON", where) from None
    return operation


def _missing(where: str) -> FhirError:
    return FhirError(400, [Issue("structure", "Missing required property", where)])
