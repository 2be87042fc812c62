"""One FHIR request to the API's own handlers, without a socket or a login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadwell.api.context import Context
from threadwell.api.exchange import Caller, Request
from threadwell.api.rest.routes import perform
from threadwell.facade.errors import OperationOutcomeError
from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import FhirError, outcome

#: What the command line and Python programs write under is no client of the server.
_CALLER = Caller("", admin=True)
_CONTENT_TYPES = {"PATCH": b"application/json-patch+json"}


async def send(
    context: Context,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """The parsed body of the answer, ``None`` where it has none.

    ``path`` is ``Type/id`` or ``Type?search``, below the FHIR base; the base itself, or
    ``fhir/R4/``, may stand before it. Raises ``OperationOutcomeError`` for a status of 400 or more.
    """
    relative, query = _below(path, context.fhir)
    sent = {b"accept": b"application/fhir+json"}
    if body is not None:
        sent[b"content-type"] = _CONTENT_TYPES.get(method, b"application/fhir+json")
    sent.update((name.lower().encode(), value.encode()) for name, value in (headers or {}).items())
    content = encode(body) if body is not None else b""
    request = Request(method, relative, query, sent, content, _CALLER, way="python")
    try:
        reply = await perform(context, request)
    except FhirError as error:
        told = outcome(error.issues, error.id)
        raise OperationOutcomeError(error.status, told, f"{method} {relative}") from None
    value = decode(reply.body) if reply.body else None
    if reply.status >= 400:
        raise OperationOutcomeError(reply.status, value or {}, f"{method} {relative}")
    return value


def _below(path: str, base: str) -> tuple[str, str]:
    relative, _, query = path.removeprefix(base).partition("?")
    return relative.strip("/").removeprefix("fhir/R4").strip("/"), query
