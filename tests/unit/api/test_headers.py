"""Headers that come more than once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from threadwell.api.headers import as_mapping


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], {}),
        ([(b"accept", b"a/b"), (b"host", b"x")], {b"accept": b"a/b", b"host": b"x"}),
        ([(b"accept", b"a/b"), (b"accept", b"c/d")], {b"accept": b"a/b, c/d"}),
        ([(b"if-none-match", b'"1"'), (b"x", b"y"), (b"if-none-match", b'"2"')],
         {b"if-none-match": b'"1", "2"', b"x": b"y"}),
    ],
)  # fmt: skip
def test_as_one_mapping(given, expected) -> None:
    assert as_mapping(given) == expected


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ([("accept", "application/fhir+json")], 200),
        ([("accept", "text/html"), ("accept", "application/fhir+json")], 200),
        ([("accept", "text/html"), ("accept", "image/png")], 406),
        ([("authorization", "")], 400),
        ([("authorization", "same")], 200),
        ([("content-type", "application/json"), ("content-type", "text/html")], 400),
        ([("origin", "https://a.example.org"), ("origin", "https://b.example.org")], 400),
    ],
)
def test_what_comes_twice(new_api, more: list[tuple[str, str]], status: int) -> None:
    api = new_api()
    headers = [("authorization", api.basic)]
    headers += [(n, api.basic if v == "same" else v) for n, v in more]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/fhir/R4/Patient",
        "query_string": b"",
        "headers": [(n.encode(), v.encode()) for n, v in headers],
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    asyncio.run(api.app(scope, receive, send))
    assert sent[0]["status"] == status
