"""What holds for every request: formats, sizes, methods, CORS, tracing, failures."""

from __future__ import annotations

import gzip
import logging
import os
import zlib

import pytest

from threadwell.stores.memory import MemoryStore


def test_metadata_is_for_everyone(api) -> None:
    answer = api.call("GET", "metadata", authorization=None)
    assert answer.status_code == 200
    tag = answer.headers["etag"]
    again = api.call("GET", "metadata", authorization=None, if_none_match=tag)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/healthcheck", "/health/live", "/health/ready"])
def test_health(api, path: str) -> None:
    answer = api.call("GET", path, authorization=None)
    assert (answer.status_code, answer.json()["ok"]) == (200, True)


@pytest.mark.parametrize("path", ["/", "/nonsense", "/fhir", "/fhir/R5/Patient", "/fhir/R4x"])
def test_outside_any_api_is_html(api, path: str) -> None:
    answer = api.call("GET", path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_pages_get_what_is_no_part_of_the_api(new_api) -> None:
    async def pages(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    api = new_api(pages=pages)
    for path in ("/", "/sessions", "/authors", "/fhirside"):
        assert api.call("GET", path, authorization=None).text == path
    assert api.call("GET", "/fhir/R4", authorization=None).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "Patient/1", "GET, HEAD, PUT, PATCH, DELETE"),
        ("DELETE", "Patient/1/_history", "GET, HEAD"),
        ("GET", "Patient/_search", "POST"),
        ("DELETE", "", "GET, HEAD, POST"),
        ("DELETE", "/healthcheck", "GET, HEAD"),
    ],
)
def test_methods(api, method: str, path: str, allow: str) -> None:
    answer = api.call(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert answer.json()["issue"][0]["code"] == "not-supported"


def test_nothing_is_read_from_a_cache_unasked(api) -> None:
    made = api.make()
    for path in (f"Patient/{made['id']}", "Patient", f"Patient/{api.never}", "metadata"):
        assert "no-cache" in api.call("GET", path).headers["cache-control"]


def test_large_bodies(new_api) -> None:
    api = new_api(max_body=1000)
    body = {"resourceType": "Patient", "name": [{"text": "x" * 900}]}
    assert api.call("POST", "Patient", body).status_code == 201
    body["name"][0]["text"] *= 2
    for more in ({}, {"content_length": None, "transfer_encoding": "chunked"}):
        answer = api.call("POST", "Patient", body, **more)
        assert (answer.status_code, answer.json()["id"]) == (413, "content-too-large")
    assert len(api.ids("Patient")) == 1


PLAIN = b'{"resourceType":"Patient"}'
PACKED = gzip.compress(PLAIN)
BODIES = {
    "gzip": ("gzip", PACKED, 201),
    "in capitals": ("GZIP", PACKED, 201),
    "its other name": ("x-gzip", PACKED, 201),
    "none": ("identity", PLAIN, 201),
    "none in capitals": ("Identity", PLAIN, 201),
    "nothing said": ("", PLAIN, 201),
    "the end is missing": ("gzip", PACKED[:-9], 400),
    "two in one": ("gzip", PACKED + PACKED, 400),
    "not packed": ("gzip", PLAIN, 400),
    "nothing": ("gzip", b"", 400),
    "too large unpacked": ("gzip", gzip.compress(b" " * 10_000), 413),
    "too large packed": ("gzip", gzip.compress(os.urandom(5_000)), 413),
    "twice": ("gzip, gzip", gzip.compress(PACKED), 415),
    "deflate": ("deflate", zlib.compress(PLAIN), 415),
    "brotli": ("br", b"x", 415),
}


@pytest.mark.parametrize(("coding", "body", "status"), BODIES.values(), ids=BODIES)
def test_compressed_bodies(new_api, coding: str, body: bytes, status: int) -> None:
    api = new_api(max_body=4_000)
    for more in ({}, {"content_length": None, "transfer_encoding": "chunked"}):
        answer = api.call("POST", "Patient", body, content_encoding=coding, **more)
        assert answer.status_code == status
        assert (answer.headers.get("accept-encoding") == "gzip, identity") is (status == 415)


def test_what_a_body_unpacks_to_is_a_binary(api) -> None:
    file = b"a,b\r\n1,2\r\n" * 100
    packed = gzip.compress(file)
    made = api.call(
        "POST", "Binary", packed, content_type="text/csv", content_encoding="gzip"
    ).json()
    assert api.call("GET", f"Binary/{made['id']}", accept="*/*").content == file


def test_a_preflight_needs_no_token(api) -> None:
    answer = api.call(
        "OPTIONS",
        f"Patient/{api.never}",
        authorization=None,
        origin="https://app.example.org",
        access_control_request_method="PATCH",
        access_control_request_headers="authorization,x-medplum",
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization,x-medplum"
    assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/oauth2/consent"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
def test_what_reads_a_cookie_is_for_no_other_origin(api, method: str, path: str) -> None:
    headers = {"origin": "https://evil.example", "access_control_request_method": "POST"}
    answer = api.call(method, path, authorization=None, **headers)
    assert answer.status_code >= 400
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ["Patient", "Patient/1", "metadata", "/auth/me", "/oauth2/token"])
def test_pages_of_other_origins_may_read_answers(api, path: str) -> None:
    answer = api.call("GET", path, origin="https://app.example.org")
    assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
    assert "Origin" in answer.headers["vary"].split(", ")
    exposed = answer.headers["access-control-expose-headers"]
    for name in ("Content-Location", "ETag", "Last-Modified", "Location"):
        assert name in exposed
    assert "access-control-allow-origin" not in api.call("GET", path).headers


@pytest.mark.parametrize(
    ("headers", "trace"),
    [
        ({"x_trace_id": "a-trace.1"}, "a-trace.1"),
        (
            {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
            "0af7651916cd43dd8448eb211c80319c",
        ),
        ({"traceparent": "nonsense"}, None),
        ({"x_trace_id": "<script>"}, None),
        ({}, None),
    ],
)
def test_outcomes_name_their_request(api, headers: dict, trace: str | None) -> None:
    outcome = api.call("GET", f"Patient/{api.never}", **headers).json()
    (extension,) = outcome["extension"]
    assert extension["url"] == "https://medplum.com/fhir/StructureDefinition/tracing"
    ids = {one["url"]: one["valueId"] for one in extension["extension"]}
    assert ids.keys() == {"requestId", "traceId"}
    assert ids["traceId"] == (trace or ids["requestId"])
    other = api.call("GET", f"Patient/{api.never}", **headers).json()
    assert other["extension"][0]["extension"][0]["valueId"] != ids["requestId"]


class Failing(MemoryStore):
    async def read(self, project: str, type_: str, id_: str):
        raise RuntimeError(f"cannot read the record of Ada Brook at {id_}")


def test_a_failure_is_told_without_what_it_was_about(new_api, caplog) -> None:
    api = new_api(store=Failing())
    with caplog.at_level(logging.INFO, logger="threadwell"):
        answer = api.call("GET", "Patient/secret-id")
    outcome = answer.json()
    request_id = outcome["extension"][0]["extension"][0]["valueId"]
    assert (answer.status_code, outcome["issue"][0]["code"]) == (500, "exception")
    assert request_id in caplog.text
    assert "RuntimeError" in caplog.text
    assert "test_http.py" in caplog.text
    logged = "".join(r.getMessage() for r in caplog.records if r.name.startswith("threadwell"))
    for secret in ("Ada Brook", "secret-id"):
        assert secret not in logged
        assert secret not in answer.text


def test_keys_are_made_once(api, new_api) -> None:
    servers = [new_api(store=api.store) for _ in range(3)]
    keys = {server.call("GET", "/.well-known/jwks.json").text for server in [api, *servers]}
    assert len(keys) == 1


def test_lifespan(api) -> None:
    sent: list[str] = []

    async def live() -> None:
        messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive():
            return next(messages)

        async def send(message) -> None:
            sent.append(message["type"])

        await api.app({"type": "lifespan"}, receive, send)

    api.run(live())
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert api.run(api.store.list_private("key")).keys() == {
        *("events", "refresh", "signing", "storage")
    }


def test_a_client_that_goes_away_is_not_answered(api) -> None:
    async def leave() -> list:
        sent: list = []

        async def receive():
            return {"type": "http.disconnect"}

        async def send(message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/fhir/R4/Patient",
            "query_string": b"",
            "headers": [(b"authorization", api.basic.encode())],
        }
        await api.app(scope, receive, send)
        return sent

    assert api.run(leave()) == []
