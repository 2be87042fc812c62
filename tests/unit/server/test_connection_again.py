"""A connection hands on the same requests whether it knows the one before again or not."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn import Config
from uvicorn.server import ServerState

from threadwell.api.load.meter import Meter
from threadwell.server.connection import Connection

LINES = [
    *(b"GET / HTTP/1.1", b"GET /a HTTP/1.1", b"GET /b?q=1|2 HTTP/1.1", b"GET /%41?x=%20 HTTP/1.1"),
    *(b"GET /%ff?? HTTP/1.1", b"GET /:80/x HTTP/1.1", b"GET /a/./b;c=@ HTTP/1.1"),
    *(b"POST /p HTTP/1.1", b"HEAD /h HTTP/1.1", b"GET //x HTTP/1.1", b"GET /a HTTP/1.0"),
    *(b"GET /a#f HTTP/1.1", b"GET http://z/a HTTP/1.1", b"\r\nGET /a HTTP/1.1"),
]
HOSTS = [b"Host: a\r\n", b"Host: b\r\n", b"host: a\r\n"]
#: More of a head, and the body that it announces.
MORE = [
    *((b"", b""), (b"Authorization: x\r\n", b""), (b"Authorization: y\r\n", b"")),
    *((b"Connection: Keep-Alive\r\n", b""), (b"Connection: close\r\n", b"")),
    *((b"X: a\r\n b\r\n", b""), (b"Cookie: a\r\nCookie: b\r\n", b"")),
    *((b"Content-Length: 3\r\n", b"GET"), (b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
]


class _Wire(asyncio.Transport):
    """What is written to nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.out = b""
        self.is_over = False

    def write(self, data: Any) -> None:
        self.out += bytes(data)

    def close(self) -> None:
        self.is_over = True

    def is_closing(self) -> bool:
        return self.is_over

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("192.0.2.1", 5), "sockname": ("192.0.2.2", 80)}.get(name, default)

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """Nobody reads."""

    resume_reading = pause_reading


async def _handed_on(parts: list[bytes], *, knows: bool) -> tuple[list[Any], bytes, bool]:
    """What the app was given, each with its body, and what was answered."""
    asked: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        told = {name: scope[name] for name in ("method", "path", "raw_path", "query_string")}
        asked.append((told, list(scope["headers"]), scope["http_version"], body))
        length = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": b"%d" % (len(asked) % 10)})

    config = Config(app=app, log_config=None, access_log=False, lifespan="off")
    config.load()
    made = Connection(config, ServerState(), {}, meter=Meter(), max_connections=9)
    wire = _Wire()
    made.connection_made(wire)
    for part in parts:
        if wire.is_over:
            break
        if not knows:
            made._learnt = None
        made.data_received(part)
        for _ in range(9 * (len(part) % 4)):
            await asyncio.sleep(0)
    for _ in range(60):
        await asyncio.sleep(0)
    made._unset_keepalive_if_required()
    return asked, wire.out, wire.is_over


@st.composite
def _parts(draw: st.DrawFn) -> list[bytes]:
    """Requests that often come again, at once, in two parts, or with the one before."""
    requests: list[bytes] = []
    parts: list[bytes] = []
    for _ in range(draw(st.integers(2, 6))):
        if not requests or draw(st.booleans()):
            head, body = draw(st.sampled_from(MORE))
            line, host = draw(st.sampled_from(LINES)), draw(st.sampled_from(HOSTS))
            requests.append(b"%b\r\n%b%b\r\n%b" % (line, host, head, body))
        one = requests[-1]
        match draw(st.sampled_from(["whole", "whole", "whole", "split", "joined"])):
            case "split":
                at = draw(st.integers(1, len(one) - 1))
                parts += [one[:at], one[at:]]
            case "joined" if parts:
                parts[-1] += one
            case _:
                parts.append(one)
    return parts


@settings(max_examples=60)
@given(_parts())
def test_what_is_known_again_is_what_was_sent(parts: list[bytes]) -> None:
    known, anew = (asyncio.run(_handed_on(parts, knows=knows)) for knows in (True, False))
    assert known == anew


def test_whoever_asks_for_the_body_of_one_that_is_known_is_told_that_there_is_none() -> None:
    one = b"GET /abc HTTP/1.1\r\nHost: a\r\n\r\n"
    parts = [one.replace(b"abc", path) for path in (b"abc", b"abcd", b"ef")]
    asked, _, _ = asyncio.run(_handed_on(parts, knows=True))
    assert [(told["path"], body) for told, _, _, body in asked] == [
        ("/abc", b""),
        ("/abcd", b""),
        ("/ef", b""),
    ]
