"""How soon those who subscribe over WebSockets are told of a change: many sockets at one server."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any, cast

import httpx
import uvloop

import postgres
from bench.faults.server import Options, Server, serving
from bench.listeners import busy

_CHANGES = 50
_EVERY = 0.2
_SECONDS = 60.0
#: Subscriptions that are set up, and sockets that are opened, at a time.
_TOGETHER = 20
_TOLD = re.compile(rb'"id":"([0-9a-f-]{36})","meta"')
_KEY = base64.b64encode(bytes(16)).decode()


def main(arguments: list[str]) -> None:
    """Print it for one socket and for many, beside a bare server that tells as many as much."""
    parser = argparse.ArgumentParser(prog="bench events")
    parser.add_argument("--listeners", type=int, default=1_000, help="sockets that are told")
    parser.add_argument("--store", choices=("sqlite", "postgresql"), help="one store and not both")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        if given.store != "postgresql":
            _tell("SQLite", given.listeners, lambda what: str(Path(folder) / f"{what}.db"))
    if given.store == "sqlite":
        return
    binaries = postgres.find_binaries()
    if binaries is None:
        print("left out: no PostgreSQL is here")
        return
    server = postgres.start_server(binaries, durable=True)
    try:
        _tell("PostgreSQL", given.listeners, lambda what: f"{server.url()}&schema=events_{what}")
    finally:
        server.remove()


def _tell(kind: str, listeners: int, url: Callable[[str], str]) -> None:
    print(kind)
    print(f"{'':40}{'median ms':>12}{'p99 ms':>9}  of a bare server, CPU ms of the server a change")
    for count in (1, listeners):
        with serving(Options(_SECONDS, 1, url(f"of{count}"))) as server:
            waits, used = uvloop.run(_told(server, count))
        bare = _bare(count, 2000)
        late = quantiles(waits, n=100)[98]
        print(
            f"{f'told, {count:,} listening':40}{median(waits) * 1000:12.2f}{late * 1000:9.2f}",
            end="",
        )
        print(f"{median(waits) / median(bare):9.1f}{used * 1000:9.1f}", flush=True)


class _Ear(asyncio.Protocol):
    """A client of one socket, and when it was told of each change."""

    def __init__(self, head: bytes, first: bytes) -> None:
        self._head, self._first = head, first
        self._rest = b""
        self.times: dict[bytes, float] = {}
        self.listening = asyncio.get_running_loop().create_future()
        self.told_all = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._head)

    def connection_lost(self, exc: Exception | None) -> None:
        for waited in (self.listening, self.told_all):
            if not waited.done():
                waited.set_exception(exc or ConnectionError("the server has closed the socket"))

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        text = self._rest + data
        if self._first and b"\r\n\r\n" in text:
            if not text.startswith(b"HTTP/1.1 101"):
                self.listening.set_exception(RuntimeError(text.decode()))
                return
            self._transport.write(_masked(self._first))
            self._first, text = b"", text.partition(b"\r\n\r\n")[2]
        if not self.listening.done() and b'"handshake"' in text:
            self.listening.set_result(None)
        for id_ in _TOLD.findall(text):
            self.times.setdefault(id_, now)
        # A frame may end within the next piece.
        self._rest = text[-64:] if self.listening.done() else text
        if len(self.times) == _CHANGES and not self.told_all.done():
            self.told_all.set_result(None)


async def _told(server: Server, count: int) -> tuple[list[float], float]:
    """Seconds from the sending of a change until each is told, and CPU seconds for each change."""
    headers = {"authorization": server.authorization}
    async with httpx.AsyncClient(
        base_url=f"{server.url}fhir/R4/", headers=headers, timeout=60
    ) as http:
        turns = asyncio.Semaphore(_TOGETHER)

        async def listen() -> _Ear:
            async with turns:
                made = await http.post("Subscription", json=_SUBSCRIPTION)
                made.raise_for_status()
                token = await http.get(f"Subscription/{made.json()['id']}/$get-ws-binding-token")
                token.raise_for_status()
                bind = {"type": "bind-with-token", "payload": {"token": _value(token.json())}}
                return await _connected(server.port, json.dumps(bind).encode())

        ears = await asyncio.gather(*(listen() for _ in range(count)))
        written: dict[bytes, float] = {}
        before = await asyncio.to_thread(busy, server)
        for _ in range(_CHANGES):
            await asyncio.sleep(_EVERY)
            began = time.perf_counter()
            made = await http.post("Communication", json=_MESSAGE)
            made.raise_for_status()
            written[made.json()["id"].encode()] = began
        await asyncio.wait([ear.told_all for ear in ears], timeout=_SECONDS)
        lost = sum(_CHANGES - len(ear.times) for ear in ears)
        if lost:
            raise SystemExit(f"{lost} of {_CHANGES * count} were not told")
        used = await asyncio.to_thread(busy, server) - before
    waits = [ear.times[id_] - began for id_, began in written.items() for ear in ears]
    return waits, used / _CHANGES


_SUBSCRIPTION = {
    "resourceType": "Subscription",
    "status": "active",
    "reason": "To hear",
    "criteria": "Communication?status=completed",
    "channel": {"type": "websocket"},
}
_MESSAGE = {"resourceType": "Communication", "status": "completed"}


def _value(parameters: Any) -> str:
    return str(
        next(one["valueString"] for one in parameters["parameter"] if one["name"] == "token")
    )


async def _connected(port: int, first: bytes, path: str = "/ws/subscriptions-r4") -> _Ear:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        f"Sec-WebSocket-Key: {_KEY}",
    ]
    head = "\r\n".join([*lines, "", ""]).encode()
    loop = asyncio.get_running_loop()
    _, ear = await loop.create_connection(lambda: _Ear(head, first), "127.0.0.1", port)
    async with asyncio.timeout(_SECONDS):
        await ear.listening
    return ear


def _masked(text: bytes) -> bytes:
    """A frame of text as a client sends it (RFC 6455 §5.2), masked by zeros."""
    length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2)
    return b"\x81" + length + bytes(4) + text


def _bare(count: int, size: int) -> list[float]:
    """Seconds until as many sockets have got as much from a server that does nothing else."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve_bare, args=(theirs, size))
    process.start()
    try:
        port = ours.recv()
        return uvloop.run(_told_barely(port, count, ours))
    finally:
        process.kill()
        process.join()


async def _told_barely(port: int, count: int, ours: Any) -> list[float]:
    ears = [await _connected(port, b"{}", "/") for _ in range(count)]
    began: dict[bytes, float] = {}
    for number in range(_CHANGES):
        await asyncio.sleep(_EVERY / 4)
        id_ = f"00000000-0000-4000-8000-{number:012x}"
        began[id_.encode()] = time.perf_counter()
        ours.send(id_)
    async with asyncio.timeout(_SECONDS):
        await asyncio.gather(*(ear.told_all for ear in ears))
    return [ear.times[id_] - at for id_, at in began.items() for ear in ears]


def _serve_bare(theirs: Any, size: int) -> None:
    import websockets

    async def serve() -> None:
        opened: set[Any] = set()

        async def handle(socket: Any) -> None:
            opened.add(socket)
            await socket.recv()
            await socket.send('{"type":"handshake"}')
            await socket.wait_closed()

        async with websockets.serve(handle, "127.0.0.1", 0, compression=None) as server:
            theirs.send(next(iter(server.sockets)).getsockname()[1])
            told = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(theirs.fileno(), told.set)
            while True:
                await told.wait()
                told.clear()
                while theirs.poll():
                    text = f'{{"id":"{theirs.recv()}","meta":"{"x" * size}"}}'
                    websockets.broadcast(opened, text)

    uvloop.run(serve())
