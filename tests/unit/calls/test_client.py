"""Calls to other servers: where they may go, what they take along, and when they end.

The other server is a socket on this machine, so that it may answer as badly as any.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import pytest

from threadwell.calls import Call, Called, CallFailed, HttpCaller

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
Answer = Callable[[socket.socket, bytes], None]


class Other:
    """A server that reads the head of each request, and answers as ``answer`` does."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | Answer] = {}
        self.heads: list[str] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def allowed(self) -> tuple[str, ...]:
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (part := connection.recv(65536)):
                    return
                head += part
            self.heads.append(head.decode("latin-1"))
            answer = self.answers.get(head.split(b" ")[1].decode("latin-1"), OK)
            try:
                if callable(answer):
                    answer(connection, head)
                else:
                    connection.sendall(answer)
            except OSError:
                return


@pytest.fixture
def other() -> Iterator[Other]:
    made = Other()
    yield made
    made.listening.close()


def call(url: str, **options: Any) -> Called:
    """What comes of one GET, or what ``options`` say."""
    caller = HttpCaller()
    try:
        return asyncio.run(caller.call(Call(options.pop("method", "GET"), url, **options)))
    finally:
        caller.close()


def failure(url: str, **options: Any) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        call(url, **options)
    return caught.value


def moved(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0.0.0.0",
        "localhost",
        "10.0.0.8",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "2130706433",
        "0x7f.1",
    ],
)
def test_no_private_address_unless_it_is_allowed(host: str, other: Other) -> None:
    failed = failure(f"http://{host}:{other.port}/")
    assert not failed.again
    assert not failed.sent
    assert "private network" in str(failed)
    assert other.heads == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_is_allowed_by_its_name(host: str, other: Other) -> None:
    named = (host, f"{host}:{other.port}")
    assert [call(other.url(host=host), hosts=(one,)).body for one in named] == [b"hello"] * 2
    # Another port of it is another server.
    assert not failure(other.url(host=host), hosts=(f"{host}:{other.port - 1}",)).sent


def test_a_name_is_looked_up_once(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a name means cannot change between the look and the connection."""
    asked = []

    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = ("192.0.0.9", port) if len(asked) == 1 else ("127.0.0.1", port)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

    def connect(self: socket.socket, address: Any) -> None:
        raise ConnectionRefusedError(address[0])

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", connect)
    assert str(failure(other.url(host="files.example.org"))).endswith("takes no connections")
    assert asked == ["files.example.org"]


def test_one_private_address_of_a_name_is_one_too_many(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lookup(_host: str, port: int, **_: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("192.0.0.9", "127.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert "private network" in str(failure(other.url(host="files.example.org")))
    assert other.heads == []


def test_a_redirect_leads_to_no_private_address(other: Other) -> None:
    other.answers["/"] = moved(other.url("/secret", "localhost"))
    failed = failure(other.url(), hosts=(f"127.0.0.1:{other.port}",))
    assert "private network" in str(failed)
    assert len(other.heads) == 1


CREDENTIALS = {
    "Authorization": "Basic c2VjcmV0",
    "Cookie": "secret",
    "X-Provider-Token": "secret",
    "Accept": "image/*",
}


@pytest.mark.parametrize(("host", "gets"), [("127.0.0.1", True), ("localhost", False)])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_stay_with_their_host(host: str, gets: bool, status: int, other: Other) -> None:
    other.answers["/a"] = moved(other.url("/b?x=1", host), status)
    assert call(other.url("/a"), hosts=other.allowed, headers=CREDENTIALS).body == b"hello"
    first, second = other.heads
    assert second.startswith("GET /b?x=1 ")
    for head, has in ((first, True), (second, gets)):
        assert [f"{name}: {value}" in head for name, value in CREDENTIALS.items()] == [
            *(has for _ in range(3)),
            True,
        ]


def test_a_relative_redirect_and_one_that_is_not_followed(other: Other) -> None:
    other.answers["/a/b"] = moved("../c")
    assert call(other.url("/a/b"), hosts=other.allowed).body == b"hello"
    posted = call(other.url("/a/b"), hosts=other.allowed, method="POST", body=b"x")
    assert posted.status == 302
    assert [head.split(" HTTP")[0] for head in other.heads] == [
        *("GET /a/b", "GET /c", "POST /a/b")
    ]


def test_redirects_come_to_an_end(other: Other) -> None:
    other.answers["/"] = moved("/")
    failed = failure(other.url(), hosts=other.allowed)
    assert not failed.again
    assert len(other.heads) == 6


@pytest.mark.parametrize(
    "url",
    [
        "ftp://files.example.org/a",
        "file:///etc/passwd",
        "https://",
        "http://name:word@files.example.org/",
        "http://files.example.org:99999/",
        "http://files.example.org/a b",
        "http://files.example.org/a\r\nHost: x",
    ],
)
def test_what_is_no_url_is_not_asked_for(url: str) -> None:
    failed = failure(url)
    assert (failed.again, failed.sent) == (False, False)


def trickle(head: bytes, piece: bytes) -> Answer:
    """Sends something, and then a little more now and then, without end."""

    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        while True:
            time.sleep(0.1)
            connection.sendall(piece)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        trickle(b"", b""),
        trickle(b"", b"H"),
        trickle(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
        trickle(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        trickle(b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
        trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"a"),
        trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
    ids=["nothing", "status", "header", "headers", "open", "length", "chunk size", "chunks"],
)
def test_patience_has_an_end(answer: Answer, other: Other) -> None:
    other.answers["/"] = answer
    # A machine that is busy may need longer than that until it has connected.
    for seconds in (0.7, 5, 30):
        failed = failure(other.url(), hosts=other.allowed, seconds=seconds)
        assert "took too long" in str(failed)
        assert failed.again
        if failed.sent:
            break
    assert failed.sent


def test_patience_has_an_end_before_a_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        failed = failure(f"https://127.0.0.1:{port}/", hosts=("127.0.0.1",), seconds=0.5)
    assert "took too long" in str(failed)
    assert not failed.sent


@pytest.mark.parametrize("looks", [1, 2])
def test_patience_may_end_before_there_is_a_connection(
    looks: int, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where what a call needs takes long on a busy machine: it is over at some later look."""
    times = chain([0.0] * looks, repeat(1000.0))
    monkeypatch.setattr("threadwell.calls.client.monotonic", lambda: next(times))
    failed = failure(other.url(), hosts=other.allowed, seconds=10)
    assert "took too long" in str(failed)
    assert (failed.again, failed.sent) == (True, False)
    assert other.heads == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"a" * 5000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 5000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"100\r\n" + b"a" * 256 + b"\r\n"
        b"1000\r\n" + b"a" * 4096 + b"\r\n0\r\n\r\n",
    ],
    ids=["told", "untold", "chunked"],
)
def test_an_answer_has_a_size(answer: bytes, other: Other) -> None:
    other.answers["/"] = answer
    failed = failure(other.url(), hosts=other.allowed, most=1000)
    assert str(failed) == "it is larger than 1000 bytes"
    assert not failed.again
    assert len(call(other.url(), hosts=other.allowed, most=5000).body) > 4000


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (b"", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", True),
        (b"nonsense\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", True),
    ],
)
def test_what_breaks_off_is_no_answer(answer: bytes, again: bool, other: Other) -> None:
    other.answers["/"] = answer
    failed = failure(other.url(), hosts=other.allowed)
    assert (failed.again, failed.sent) == (again, True)


def test_who_is_not_there_was_never_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    failed = failure(f"http://127.0.0.1:{port}/", hosts=("127.0.0.1",))
    assert (failed.again, failed.sent) == (True, False)


def test_what_fails_names_no_more_than_the_host(other: Other) -> None:
    other.answers["/secret?token=secret"] = b"nonsense\r\n\r\n"
    failed = failure(
        other.url("/secret?token=secret"), hosts=other.allowed, headers=CREDENTIALS, body=b"secret"
    )
    assert "secret" not in str(failed)
    assert "secret" not in repr(Call("GET", "http://a.example.org", CREDENTIALS, b"secret"))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "9"}, 9),
        ({"retry-after": "-1"}, 0),
        ({"retry-after": "9" * 400}, 0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0),
    ],
)
def test_how_long_an_answer_asks_to_wait(said: dict[str, str], seconds: int) -> None:
    assert Called(429, said, b"").pause == seconds
