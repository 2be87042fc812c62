"""Mutations: each is the create, update or delete that a client would ask for by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadwell.api.context import Context, Handler
from threadwell.api.exchange import Request
from threadwell.api.graphql.steps import Change, Verb
from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource

#: Headers of the query's own request that hold for what it writes.
_INHERITED = (b"x-medplum", b"x-trace-id", b"traceparent")


class Writing:
    """Writes what a query says by ``perform``, as requests of their own of the same caller."""

    def __init__(self, context: Context, request: Request, perform: Handler) -> None:
        self._context = context
        self._request = request
        self._perform = perform

    async def write(self, change: Change, arguments: Mapping[str, Any]) -> Resource | None:
        """What was written, as it may be seen; ``None`` where it was deleted."""
        given, id_ = arguments.get("res"), arguments.get("id")
        body = b""
        if change.verb is not Verb.DELETE:
            if not isinstance(given, dict) or given.get("resourceType", change.type) != change.type:
                raise invalid(f"res must be a {change.type}")
            body = encode({"resourceType": change.type, **given})
        method, path = {
            Verb.CREATE: ("POST", change.type),
            Verb.UPDATE: ("PUT", f"{change.type}/{id_}"),
            Verb.DELETE: ("DELETE", f"{change.type}/{id_}"),
        }[change.verb]
        own = self._request.headers
        headers = {
            **{name: own[name] for name in _INHERITED if name in own},
            b"content-type": b"application/fhir+json",
            b"accept": b"application/fhir+json",
        }
        request = Request(method, path, "", headers, body, self._request.caller)
        answer = await self._perform(self._context, request)
        if change.verb is Verb.DELETE:
            return None
        written = decode(answer.body)
        if answer.status >= 400 or written.get("resourceType") != change.type:
            raise FhirError(answer.status, [Issue("processing", "It could not be written")])
        found: Resource = written
        return found
