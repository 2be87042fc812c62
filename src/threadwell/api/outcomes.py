"""Outcomes → HTTP answers: the one place where an error becomes a status and a body.

Every outcome carries the ids of its request, so that a person can name it and find it in the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import uuid4

from threadwell.api.exchange import Answer, Header
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue, outcome
from threadwell.fhir.resource import Resource

JSON: Header = (b"content-type", b"application/fhir+json; charset=utf-8")
#: A browser may keep what it read, and must ask each time whether that is still so.
PRIVATE: Header = (b"cache-control", b"private, no-cache")

_TRACING = "https://medplum.com/fhir/StructureDefinition/tracing"
_TRACE_ID = re.compile(rb"[A-Za-z0-9\-.]{1,64}")
_TRACE_PARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class Outcome(NamedTuple):
    """An outcome that is no error, by the id that Medplum's clients know it by."""

    id: str
    text: str


OK = Outcome("ok", "All OK")
CREATED = Outcome("created", "Created")
NOT_MODIFIED = Outcome("not-modified", "Not Modified")


class Tracing(NamedTuple):
    """Names one request (``request``) and the larger piece of work it is part of (``trace``)."""

    request: str
    trace: str

    def as_extension(self) -> Resource:
        """The extension that an outcome carries."""
        ids = [
            {"url": "requestId", "valueId": self.request},
            {"url": "traceId", "valueId": self.trace},
        ]
        return {"url": _TRACING, "extension": ids}


class Headed(FhirError):
    """An error whose answer has ``headers`` of its own."""

    headers: Sequence[Header] = ()


class NotAllowed(Headed):
    """405, with the methods that would be allowed."""

    def __init__(self, methods: Iterable[str]) -> None:
        super().__init__(405, [Issue("not-supported", "Method not allowed")])
        # What can be read can be asked for without its body.
        named = [name for m in methods for name in ((m, "HEAD") if m == "GET" else (m,))]
        self.headers = [(b"allow", ", ".join(named).encode())]


def unauthorized() -> FhirError:
    """401: log in first."""
    return FhirError(401, [Issue("login", "Unauthorized")], "unauthorized")


def forbidden() -> FhirError:
    """403: logged in, and still not allowed to."""
    return FhirError(403, [Issue("forbidden", "Forbidden")], "forbidden")


def tracing(headers: Mapping[bytes, bytes]) -> Tracing:
    """A fresh request id; the trace id of ``X-Trace-Id`` or ``traceparent``, else the same."""
    request = str(uuid4())
    given = headers.get(b"x-trace-id", b"")
    if _TRACE_ID.fullmatch(given):
        return Tracing(request, given.decode())
    parent = _TRACE_PARENT.fullmatch(headers.get(b"traceparent", b""))
    return Tracing(request, parent[1].decode() if parent else request)


def success(what: Outcome, marks: Tracing) -> Resource:
    """The ``OperationOutcome`` of something that went well."""
    return _marked(outcome([Issue("informational", what.text, "", "information")], what.id), marks)


def failure(error: FhirError, marks: Tracing) -> Resource:
    """The ``OperationOutcome`` of an error."""
    return _marked(outcome(error.issues, error.id), marks)


def outcome_answer(status: int, what: Outcome, headers: Mapping[bytes, bytes]) -> Answer:
    """An answer whose body is a good outcome; ``headers`` are the request's."""
    return Answer(status, [JSON, PRIVATE], encode(success(what, tracing(headers))))


def refusal(
    error: FhirError, headers: Mapping[bytes, bytes], marks: Tracing | None = None
) -> Answer:
    """The answer to a request that failed with ``error``; ``headers`` are the request's."""
    answered = [JSON, PRIVATE]
    if error.status == 401:
        answered.append((b"www-authenticate", b'Bearer realm="fhir"'))
    if isinstance(error, Headed):
        answered += error.headers
    return Answer(error.status, answered, encode(failure(error, marks or tracing(headers))))


def crash(marks: Tracing) -> Answer:
    """The answer where the server itself failed; says nothing of how."""
    error = FhirError(500, [Issue("exception", "Internal server error")])
    return Answer(500, [JSON, PRIVATE], encode(failure(error, marks)))


def _marked(resource: Resource, marks: Tracing) -> Resource:
    issue = resource.pop("issue")
    return {**resource, "extension": [marks.as_extension()], "issue": issue}
