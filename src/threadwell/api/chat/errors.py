"""Errors of the chat's API: JSON that says what, in words and as a code, and where."""

from __future__ import annotations

from typing import Any

from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer
from threadwell.api.load.gate import Load
from threadwell.api.outcomes import Headed
from threadwell.fhir.outcome import FhirError
from threadwell.intake.chat.refused import ChatRefused
from threadwell.stores.contract import StoreError

#: The HTTP status and the code of a WebSocket's close, by the code of an error.
STATUS = {
    "invalid": 400,
    "token": 401,
    "origin": 403,
    "not-found": 404,
    "not-allowed": 405,
    "conflict": 409,
    "too-large": 413,
    "unsupported-type": 415,
    "too-many": 429,
    "failed": 500,
    "busy": 503,
}
_CODES = {status: code for code, status in STATUS.items()} | {507: "busy", 422: "invalid"}


def as_refused(error: FhirError) -> ChatRefused:
    """The same, in the words of this API."""
    issue = error.issues[0]
    return ChatRefused(_CODES.get(error.status, "invalid"), issue.text, issue.expression)


def told(error: ChatRefused) -> dict[str, Any]:
    """What an app is told of it."""
    return {"code": error.code, "text": error.text, "where": error.where}


def refused(error: ChatRefused | FhirError) -> Answer:
    """Its answer."""
    headers = list(error.headers) if isinstance(error, Headed) else []
    if isinstance(error, FhirError):
        error = as_refused(error)
    answer = json_answer(STATUS[error.code], {"error": told(error)})
    if error.code == "token":
        headers.append((b"www-authenticate", b'Bearer realm="chat"'))
    return answer._replace(headers=[*answer.headers, *headers])


def of_store(load: Load, error: StoreError) -> FhirError:
    """503 or 507; it is counted, and logged."""
    load.failures.add(error, "", "chat")
    return load.store_failed(error)
