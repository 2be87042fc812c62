"""Traces: what a span tells, and what it never does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from threadwell.api.spans import open_spans

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield exporter
    provider.shutdown()


def test_a_request_and_its_commit_are_spans_of_the_caller_s_trace(
    spans: InMemorySpanExporter, new_api
) -> None:
    api = new_api()
    id_ = api.make(name=[{"family": "Zmeskal"}])["id"]
    commit, create = spans.get_finished_spans()
    assert (commit.name, create.name) == ("commit", "create Patient")
    assert commit.parent
    assert commit.parent.span_id == create.context.span_id
    spans.clear()
    answer = api.call("GET", "Patient?name=Zmeskal&nonsense=1", traceparent=PARENT)
    (search,) = spans.get_finished_spans()
    assert f"{search.context.trace_id:032x}" == TRACE
    assert dict(search.attributes or {}) == {
        "fhir.interaction": "search",
        "fhir.resource_type": "Patient",
        "http.request.method": "GET",
        "http.response.status_code": 400,
    }
    assert answer.json()["extension"][0]["extension"][1] == {"url": "traceId", "valueId": TRACE}
    told = "".join(span.to_json() for span in (commit, create, search))
    assert "Zmeskal" not in told
    assert id_ not in told


def test_a_conflict_is_not_spelt_out(spans: InMemorySpanExporter, new_api) -> None:
    api = new_api()
    made = api.make()
    path = f"Patient/{made['id']}"
    answer = api.call("PUT", path, {**made, "active": True}, if_match='W/"another"')
    assert answer.status_code == 412
    assert made["id"] not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_without_a_provider_there_are_no_spans() -> None:
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    assert open_spans() is None


def test_without_the_package_there_are_no_spans(
    monkeypatch: pytest.MonkeyPatch, spans: InMemorySpanExporter, new_api
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry", None)
    assert new_api().make()["id"]
    assert spans.get_finished_spans() == ()
