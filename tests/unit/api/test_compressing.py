"""Answers that are compressed for those who ask."""

from __future__ import annotations

import zlib

import pytest
import zstandard

from threadwell.api.compressing import coding_of

LONG = [{"family": f"Long{n}"} for n in range(200)]


def plain(coding: str, body: bytes) -> bytes:
    match coding:
        case "gzip":
            return zlib.decompress(body, wbits=31)
        case "zstd":
            return zstandard.ZstdDecompressor().decompress(body)
        case _:
            return body


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", ""),
        ("identity", ""),
        ("br, deflate", ""),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.1, gzip;q=0.8", "gzip"),
        ("zstd;q=0, gzip;q=0", ""),
        ("*", "zstd"),
        ("*;q=0", ""),
        ("zstd;q=0, *", "gzip"),
        ("identity;q=1, gzip;q=0.5", ""),
        ("gzip;q=often", ""),
        ("gzip; q=0.3 , identity; q=0.1", "gzip"),
    ],
)
def test_the_coding_that_is_liked_best(accepted: str, coding: str) -> None:
    assert coding_of(accepted.encode()).decode() == coding


def raw(api, method: str, path: str, **headers: str):
    """The answer as it was sent."""
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict) -> None:
        sent.append(message)

    named = {"authorization": api.basic, **{k.replace("_", "-"): v for k, v in headers.items()}}
    scope = {
        "type": "http",
        "method": method,
        "path": f"/fhir/R4/{path}",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    api.run(api.app(scope, receive, send))
    found: dict[str, str] = {}
    for name, value in sent[0]["headers"]:
        key = name.decode()
        found[key] = f"{found[key]}, {value.decode()}" if key in found else value.decode()
    return sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("coding", ["gzip", "zstd", ""])
def test_a_long_answer_says_the_same_in_fewer_bytes(new_api, coding: str) -> None:
    api = new_api()
    made = f"Patient/{api.make(name=LONG)['id']}"
    _, whole, body = raw(api, "GET", made)
    status, headers, packed = raw(
        api, "GET", made, accept_encoding=coding or "identity", origin="https://a.example"
    )
    assert status == 200
    assert headers.get("content-encoding", "") == coding
    assert int(headers["content-length"]) == len(packed)
    assert plain(coding, packed) == body
    assert not coding or len(packed) < len(body) / 4
    assert headers["etag"] == whole["etag"]
    assert whole["vary"] == "Accept-Encoding"
    assert set(headers["vary"].split(", ")) == {"Accept-Encoding", "Origin"}
    told, _, nothing = raw(api, "GET", made, accept_encoding=coding, if_none_match=headers["etag"])
    assert (told, nothing) == (304, b"")
    _, head, nothing = raw(api, "HEAD", made, accept_encoding=coding)
    assert (head["vary"], int(head["content-length"]), nothing) == (
        "Accept-Encoding",
        len(body),
        b"",
    )


def test_what_is_short_or_has_ranges_is_sent_as_it_is(new_api) -> None:
    api = new_api()
    short = f"Patient/{api.make()['id']}"
    text = api.call("POST", "Binary", b"a" * 9_000, content_type="text/plain").json()["id"]
    for path in (short, f"Binary/{text}"):
        status, headers, _ = raw(api, "GET", path, accept_encoding="gzip, zstd", accept="*/*")
        assert status == 200
        assert "content-encoding" not in headers


def test_a_very_long_answer_is_compressed_aside(new_api) -> None:
    api = new_api()
    made = f"Patient/{api.make(name=LONG * 40)['id']}"
    _, headers, packed = raw(api, "GET", made, accept_encoding="zstd")
    assert headers["content-encoding"] == "zstd"
    assert plain("zstd", packed) == raw(api, "GET", made)[2]
