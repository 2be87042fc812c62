"""Many WebSockets that listen, in a process of their own, as cheaply as that can be done.

What is measured is the server: so nothing is read of what arrives but the clock, until all is over.
A thousand listeners of a practice have a thousand computers; here they share one processor with
whatever else runs, and each costs it a ``recv`` for each change.
"""

from __future__ import annotations

import base64
import json
import multiprocessing
import re
import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import NamedTuple

#: What each listens to.
SUBSCRIPTION = {
    "resourceType": "Subscription",
    "status": "active",
    "reason": "To hear",
    "criteria": "Communication?status=completed",
    "channel": {"type": "websocket"},
}
_SECONDS = 60.0
#: Seconds in which nothing is told once all is.
_QUIET = 0.5
_TOLD = re.compile(rb'"id":"([0-9a-f-]{36})","meta"')
_KEY = base64.b64encode(bytes(16)).decode()
_MOST = 1 << 20
#: The first byte of a ping, which is nowhere in a text of ASCII, and of what answers it (RFC 6455
#: §5.5): who answers none is let go.
_PING, _PONG = b"\x89", b"\x8a"


class Heard(NamedTuple):
    """When each ear was told of each change (by its id, in seconds of ``time.perf_counter``), and
    the CPU seconds that hearing took."""

    times: list[dict[bytes, float]]
    used: float


@dataclass(frozen=True)
class Ears:
    """Open sockets that have been answered, and wait for changes."""

    _line: Connection

    def heard(self, count: int) -> Heard:
        """What they have heard, once each has heard of so many changes, or after a minute."""
        self._line.send(count)
        told: Heard = self._line.recv()
        return told


@contextmanager
def listening(port: int, path: str, first: Sequence[str]) -> Iterator[Ears]:
    """As many as there are of ``first``, what each says when it is let in."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_listen, args=(theirs, port, path, first), daemon=True)
    process.start()
    theirs.close()
    try:
        ours.recv()
        yield Ears(ours)
    finally:
        process.kill()
        process.join()


def _listen(line: Connection, port: int, path: str, first: Sequence[str]) -> None:
    ears = [_connected(port, path, one) for one in first]
    epoll = select.epoll()
    take = {}
    ear_of = {ear.fileno(): ear for ear in ears}
    for ear in ears:
        ear.setblocking(False)
        epoll.register(ear, select.EPOLLIN)
        take[ear.fileno()] = ear.recv_into
    epoll.register(line, select.EPOLLIN)
    line.send("listening")
    parts: dict[int, list[tuple[float, bytes]]] = {number: [] for number in take}
    before, clock = time.process_time(), time.perf_counter
    # What is made for each is as large as what came.
    room = memoryview(bytearray(_MOST))
    wanted = ends = None
    heard: list[dict[bytes, float]] = [{} for _ in ears]
    used, last, is_read = 0.0, clock(), False
    while ends is None or (clock() < ends and any(len(one) != wanted for one in heard)):
        for number, _ in epoll.poll(_QUIET):
            if number not in take:
                wanted = line.recv()
                ends = clock() + _SECONDS
                last = clock()
                continue
            size = take[number](room)
            part = room[:size].tobytes()
            parts[number].append((clock(), part))
            if (at := part.find(_PING)) >= 0:
                payload = part[at + 2 : at + 2 + part[at + 1]]
                ear_of[number].send(_PONG + bytes((0x80 | len(payload), *bytes(4))) + payload)
            if not size:
                epoll.unregister(number)
            if ends is not None and _TOLD.search(part):
                last, is_read = clock(), False
        if not is_read:
            used = time.process_time() - before
        if ends is not None and not is_read and clock() > last + _QUIET:
            # What was heard is read only where nothing but heartbeats comes, and costs nobody time.
            heard, is_read = [_read(parts[ear.fileno()]) for ear in ears], True
            before = time.process_time() - used
    if not is_read:
        heard = [_read(parts[ear.fileno()]) for ear in ears]
    line.send(Heard(heard, used))


def _read(parts: list[tuple[float, bytes]]) -> dict[bytes, float]:
    """When the last byte came of what names each change; a frame may come in several parts."""
    text = b"".join(part for _, part in parts)
    ends, at = [], 0
    for when, part in parts:
        at += len(part)
        ends.append((at, when))
    times: dict[bytes, float] = {}
    place = 0
    for match in _TOLD.finditer(text):
        while ends[place][0] < match.end():
            place += 1
        times.setdefault(match[1], ends[place][1])
    return times


def _connected(port: int, path: str, first: str) -> socket.socket:
    ear = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        f"Sec-WebSocket-Key: {_KEY}",
    ]
    ear.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = _until(ear, b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 101"):
        raise SystemExit(answer.decode())
    ear.sendall(_masked(first.encode()))
    _until(ear, b'"handshake"')
    return ear


def _until(ear: socket.socket, what: bytes) -> bytes:
    text = b""
    while what not in text:
        part = ear.recv(_MOST)
        if not part:
            raise SystemExit("the server has closed a socket")
        text += part
    return text


def _masked(text: bytes) -> bytes:
    """A frame of text as a client sends it (RFC 6455 §5.2), masked by zeros."""
    length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2)
    return b"\x81" + length + bytes(4) + text


def bind(token: str) -> str:
    """The frame that binds a Subscription."""
    return json.dumps({"type": "bind-with-token", "payload": {"token": token}})
