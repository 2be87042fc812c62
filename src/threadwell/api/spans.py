"""Traces for OpenTelemetry, where its API is installed (``pip install threadwell[otel]``).

A span tells the interaction, the resource type and the status; never an id, a path or a search.
Without the package, or without a tracer provider when the server starts, nothing of this runs.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, cast

from threadwell.api.exchange import Answer, Request
from threadwell.stores.contract import ChangeSet, Store

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_PASSED_ON = ("traceparent", "tracestate")


def open_spans() -> Spans | None:
    """What makes spans; ``None`` where OpenTelemetry's API is not installed or nobody listens."""
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    # Until somebody sets a provider there is one that makes spans for nobody, at 15 µs each.
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return None
    return Spans(trace.get_tracer("threadwell"))


class Spans:
    """Spans around requests and commits."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    async def around(self, request: Request, answering: Awaitable[Answer]) -> Answer:
        """The answer, within a span that continues the trace of ``traceparent``."""
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind, StatusCode

        carrier = {
            name: request.headers[name.encode()].decode("latin-1")
            for name in _PASSED_ON
            if name.encode() in request.headers
        }
        with self._tracer.start_as_current_span(
            "request",
            extract(carrier),
            SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            answer = await answering
            span.update_name(f"{request.interaction} {request.type}".rstrip())
            span.set_attribute("fhir.interaction", request.interaction)
            span.set_attribute("http.request.method", request.method)
            span.set_attribute("http.response.status_code", answer.status)
            if request.type:
                span.set_attribute("fhir.resource_type", request.type)
            if answer.status >= 500:
                span.set_status(StatusCode.ERROR)
            return answer

    def traced(self, store: Store) -> Store:
        """The store, with a span around each of its commits."""
        return cast(Store, _Traced(store, self._tracer))


class _Traced:
    def __init__(self, store: Store, tracer: Tracer) -> None:
        self._store = store
        self._tracer = tracer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        with self._tracer.start_as_current_span(
            "commit", record_exception=False, set_status_on_exception=False
        ) as span:
            span.set_attribute("threadwell.writes", len(change_set.writes))
            await self._store.commit(project, change_set)
