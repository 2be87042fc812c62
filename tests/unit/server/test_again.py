"""Which requests are read by what is known of the one before, and which are for the parser."""

from __future__ import annotations

import pytest

from threadwell.server.again import MOST_KEPT, learnt

HEADERS = [(b"host", b"a.example.org")]
REST = b"\r\nHost: a.example.org\r\n\r\n"
FIRST = b"GET /fhir/R4/Patient HTTP/1.1" + REST


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        (b"GET / HTTP/1.1", ("/", b"/", b"")),
        (b"GET /a?b=c&d HTTP/1.1", ("/a", b"/a", b"b=c&d")),
        (b"GET /a%20b?c?d HTTP/1.1", ("/a b", b"/a%20b", b"c?d")),
        (b"GET /a/$b;c HTTP/1.1", ("/a/$b;c", b"/a/$b;c", b"")),
        (b"GET /a?code=x|y HTTP/1.1", ("/a", b"/a", b"code=x|y")),
        (b"GET //a HTTP/1.1", None),
        (b"GET /a#b HTTP/1.1", None),
        (b"GET a HTTP/1.1", None),
        (b"GET http://b.example.org/a HTTP/1.1", None),
        (b"GET /a HTTP/1.0", None),
        (b"HEAD /a HTTP/1.1", None),
        (b"POST /a HTTP/1.1", None),
        (b"GET  /a HTTP/1.1", None),
        (b"GET /a\tb HTTP/1.1", None),
        (b"GET /\xc3\xa4 HTTP/1.1", None),
        (b"GET /a HTTP/1.1\r\nX: y", None),
        (b"GET /a HTTP/1.1\n", None),
        (b"", None),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1", None),
    ],
)
def test_the_first_line_tells_what_is_asked(
    line: bytes, asked: tuple[str, bytes, bytes] | None
) -> None:
    known = learnt(FIRST, HEADERS)
    assert known is not None
    assert known.headers == HEADERS
    assert known.asked(line + REST) == asked


@pytest.mark.parametrize(
    ("data", "more"),
    [
        (FIRST + FIRST, []),
        (FIRST[:-2], []),
        (FIRST + b"x", []),
        (FIRST.replace(b"GET", b"POST"), []),
        (FIRST.replace(b"1.1", b"1.0"), []),
        (FIRST, [(b"content-length", b"0")]),
        (FIRST, [(b"transfer-encoding", b"chunked")]),
        (FIRST, [(b"connection", b"close")]),
        (FIRST, [(b"upgrade", b"websocket")]),
        (FIRST, [(b"expect", b"100-continue")]),
        (FIRST[:-2] + b"X: " + b"x" * MOST_KEPT + b"\r\n\r\n", []),
    ],
)
def test_of_other_requests_nothing_is_kept(data: bytes, more: list[tuple[bytes, bytes]]) -> None:
    assert learnt(data, [*HEADERS, *more]) is None
    assert learnt(FIRST, [*HEADERS, (b"connection", b"Keep-Alive")]) is not None
