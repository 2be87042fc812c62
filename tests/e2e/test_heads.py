"""Heads of requests as no good client sends them, to a real server."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import pytest


def answered(base_url: str, *head: bytes) -> bytes:
    """The status line of the answer to a request with those lines."""
    parts = urlsplit(base_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as raw:
        raw.sendall(b"\r\n".join([*head, b"Connection: close", b"", b""]))
        received = b""
        try:
            while part := raw.recv(65536):
                received += part
        except ConnectionError:
            pass
    return received.partition(b"\r\n")[0]


GET = b"GET /healthcheck HTTP/1.1"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ([GET, b"Host: practice.example.org"], 200),
        ([GET, b"host: 127.0.0.1:8103"], 200),
        ([GET, b"Host: [::1]:8103"], 200),
        ([GET, b"Host:"], 200),
        ([b"GET /healthcheck HTTP/1.0"], 200),
        ([GET], 400),
        ([GET, b"Host: a.example.org", b"Host: b.example.org"], 400),
        ([GET, b"Host: a.example.org", b"Host: a.example.org"], 400),
        ([GET, b"Host: a.example.org, b.example.org/x"], 400),
        ([GET, b"Host: a b"], 400),
        ([GET, b"Host: a.example.org:port"], 400),
        ([b"POST /oauth2/token HTTP/1.1", b"Content-Length: 0"], 400),
        ([b"GET /sessions HTTP/1.1"], 400),
    ],
)
def test_a_request_names_its_host_once(server, head: list[bytes], status: int) -> None:
    assert b" %d " % status in answered(server.base_url, *head)


@pytest.mark.parametrize("size", [60_000, 70_000, 150_000, 240_000])
@pytest.mark.parametrize("where", ["one header", "many headers", "url"])
def test_a_head_is_as_large_as_the_limits_say(server, size: int, where: str) -> None:
    head = [GET, b"Host: x"]
    if where == "one header":
        head.append(b"X-More: " + b"x" * size)
    elif where == "many headers":
        head += [b"X-More-%05d: xx" % at for at in range(size // 17)]
    else:
        head[0] = b"GET /healthcheck?" + b"x" * size + b" HTTP/1.1"
    status = answered(server.base_url, *head)
    assert (b" 200 " if size <= 64 * 1024 else b" 431 ") in status


#: What an outcome names its request by.
ONE_OF_MANY = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HOST = b"Host: a.example.org"
HEALTH = b"GET /healthcheck HTTP/1.1"
METADATA = b"GET /fhir/R4/metadata?_elements=kind HTTP/1.1"


def kept(base_url: str, requests: list[list[bytes]]) -> list[bytes]:
    """The answers to requests on one connection, each sent after the answer before it."""
    parts = urlsplit(base_url)
    answers = []
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as raw:
        for lines in requests:
            raw.sendall(b"\r\n".join([*lines, b"", b""]))
            received = b""
            while b"\r\n\r\n" not in received:
                received += raw.recv(65536)
            head, _, body = received.partition(b"\r\n\r\n")
            told = [line for line in head.split(b"\r\n") if line.startswith(b"content-length: ")]
            while told and lines[0][:4] != b"HEAD" and len(body) < int(told[0].partition(b": ")[2]):
                body += raw.recv(65536)
            lasting = [one for one in head.split(b"\r\n") if not one.startswith(b"date: ")]
            answers.append(ONE_OF_MANY.sub(b"", b"\r\n".join(lasting) + body))
    return answers


@pytest.mark.parametrize(
    "requests",
    [
        [[HEALTH, HOST], [METADATA, HOST], [HEALTH, HOST]],
        [[HEALTH, HOST], [b"GET /health%63heck?a=%20 HTTP/1.1", HOST], [METADATA, HOST]],
        [[HEALTH, HOST], [b"GET /nothing/is/here HTTP/1.1", HOST], [HEALTH, HOST]],
        # Read by the parser, in between.
        [[HEALTH, HOST], [b"HEAD /healthcheck HTTP/1.1", HOST], [HEALTH, HOST]],
        [[HEALTH, HOST], [b"GET //healthcheck HTTP/1.1", HOST], [HEALTH, HOST]],
        [[HEALTH, HOST], [b"GET http://a.example.org/healthcheck HTTP/1.1", HOST], [HEALTH, HOST]],
        [[HEALTH, HOST], [HEALTH, HOST, b"Connection: keep-alive"], [HEALTH, HOST]],
        [[HEALTH, HOST, b"Connection: keep-alive"]] * 3,
        [[HEALTH, HOST], [HEALTH, HOST, b"Content-Length: 0"], [HEALTH, HOST]],
        [[HEALTH, HOST], [HEALTH, HOST, b"Authorization: Basic eA=="], [METADATA, HOST]],
        [[b"GET /fhir/R4/Patient HTTP/1.1", HOST]] * 3,
        [[HEALTH, HOST, b"Accept-Encoding: gzip"], [METADATA, HOST, b"Accept-Encoding: gzip"]],
        # Two hosts are refused each time.
        [[HEALTH, HOST], [HEALTH, b"Host: b.example.org"], [HEALTH, HOST]],
    ],
)
def test_a_connection_that_is_kept_answers_as_a_new_one(
    server, requests: list[list[bytes]]
) -> None:
    alone = [kept(server.base_url, [one])[0] for one in requests]
    assert kept(server.base_url, requests) == alone


def test_requests_that_come_in_pieces_or_together_are_answered_in_turn(server) -> None:
    parts = urlsplit(server.base_url)
    one = b"\r\n".join([HEALTH, HOST, b"", b""])
    lacking = b"\r\n".join([b"GET /nothing HTTP/1.1", HOST, b"", b""])
    for pieces in ([one, one[:9], one[9:]], [one, one + lacking], [one + lacking, one]):
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as raw:
            received, expected = b"", b"".join(pieces).count(b"GET ")
            for piece in pieces:
                raw.sendall(piece)
                before = received.count(b"HTTP/1.1 ")
                while piece.endswith(b"\r\n\r\n") and received.count(b"HTTP/1.1 ") < min(
                    expected, before + piece.count(b"\r\n\r\n")
                ):
                    received += raw.recv(65536)
            statuses = [at[:3] for at in received.split(b"HTTP/1.1 ")[1:]]
        lacks = b"".join(pieces).split(b"GET ")[1:]
        assert statuses == [b"404" if b"nothing" in at else b"200" for at in lacks]
