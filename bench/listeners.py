"""How soon those who have a page open are told of a message: many listeners at one server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from typing import cast
from urllib.request import HTTPCookieProcessor, Request, build_opener

import uvloop

from bench.faults.server import Server
from bench.spent import cpu_seconds, family

_MESSAGES = 50
_EVERY = 0.2
_SECONDS = 60.0


def heard(
    server: Server, listeners: int, database: int | None = None
) -> tuple[list[float], float, float]:
    """Seconds from the sending of a message until each listener has heard of it.

    And the CPU seconds that the workers take for each message, and those of the database that is
    that process.
    """
    return uvloop.run(_heard(server, cookie_of(server), listeners, database))


def busy(server: Server) -> float:
    """CPU seconds of all workers so far."""
    ticks = 0
    for process in server.workers():
        told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def cookie_of(server: Server, who: str = "") -> str:
    """Somebody who is signed in on the pages, as that person (``Practitioner/…``) if named."""
    command = [sys.executable, "-m", "threadwell", "sign-in", "--store", server.store]
    command += ["--url", server.url, *(["--as", who] if who else [])]
    link = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    jar = CookieJar()
    opener = build_opener(HTTPCookieProcessor(jar))
    url = next(word for word in link if "/sign-in/" in word)
    path = url.partition("/sign-in/")[2]
    where = f"{server.url}sign-in/{path}"
    request = Request(where, data=b"", headers={"Origin": server.url.rstrip("/")})
    opener.open(request, timeout=120).read()
    return "; ".join(f"{one.name}={one.value}" for one in jar)


class _Listener(asyncio.Protocol):
    """One of them, and when it heard of each message first."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self.times: dict[bytes, float] = {}
        self.listening = asyncio.get_running_loop().create_future()
        self.heard_all = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._head)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self.listening.done():
            if data.startswith(b"HTTP/1.1 200"):
                self.listening.set_result(None)
            else:
                self.listening.set_exception(RuntimeError(data.decode()))
        for word in data.split():
            if word.startswith(b"Communication/"):
                self.times.setdefault(word, now)
        if len(self.times) == _MESSAGES and not self.heard_all.done():
            self.heard_all.set_result(None)


async def _heard(
    server: Server, cookie: str, listeners: int, database: int | None
) -> tuple[list[float], float, float]:
    loop = asyncio.get_running_loop()
    host = f"127.0.0.1:{server.port}"
    head = f"GET /news HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode()
    ears = []
    for _ in range(listeners):
        _, ear = await loop.create_connection(lambda: _Listener(head), "127.0.0.1", server.port)
        await ear.listening
        ears.append(ear)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    written: dict[bytes, float] = {}
    body = json.dumps({"resourceType": "Communication", "status": "completed"}).encode()
    lines = [
        "POST /fhir/R4/Communication HTTP/1.1",
        f"Host: {host}",
        f"Authorization: {server.authorization}",
        "Content-Type: application/fhir+json",
        f"Content-Length: {len(body)}",
    ]
    there = _of_database(database)
    before = await asyncio.to_thread(busy, server)
    for _ in range(_MESSAGES):
        await asyncio.sleep(_EVERY)
        began = time.perf_counter()
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 201"):
            raise RuntimeError(answer.decode())
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        resource = json.loads(await reader.readexactly(length))
        written[f"Communication/{resource['id']}".encode()] = began
    writer.close()
    async with asyncio.timeout(_SECONDS):
        await asyncio.gather(*(ear.heard_all for ear in ears))
    used = await asyncio.to_thread(busy, server) - before
    others = _of_database(database) - there
    waits = [ear.times[word] - began for word, began in written.items() for ear in ears]
    return waits, used / _MESSAGES, others / _MESSAGES


def _of_database(database: int | None) -> float:
    return 0.0 if database is None else cpu_seconds(family(database))
