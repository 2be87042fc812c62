"""Heads of requests as no good client sends them, to a real server."""

from __future__ import annotations

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
