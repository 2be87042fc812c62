"""Clients that stop reading, or stop sending: memory is bounded, others notice nothing."""

from __future__ import annotations

import asyncio
import socket
import time

from bench.faults.server import Options, Server, serving
from bench.faults.traffic import Seen, writes_and_reads

_STALLED = 200


def run(options: Options) -> None:
    """Other clients' latency without, then with the stalled ones; then until they are cut off."""
    with serving(options) as server:
        quiet = _load(server, options.seconds / 4)
        with server.client() as client:
            large = {"resourceType": "Basic", "code": {"text": "x" * 1_000_000}}
            id_ = client.post("Basic", json=large).raise_for_status().json()["id"]
        before = server.resident()
        stalled = [_stall(server, id_, sends=n % 2 == 0) for n in range(_STALLED)]
        busy = _load(server, options.seconds / 4)
        print(
            f"p99 of others {quiet.late(0.99):.1f} ms alone, {busy.late(0.99):.1f} ms beside "
            f"{_STALLED} stalled; {before:.0f} MiB before, {server.resident():.0f} MiB with them"
        )
        started = time.monotonic()
        while server.metrics()["threadwell_connections"] > 5 and time.monotonic() - started < 60:
            time.sleep(0.5)
        cut = server.metrics().get('threadwell_refused_total{reason="slow"}', 0)
        print(
            f"{cut:.0f} cut off within {time.monotonic() - started:.0f} s, then "
            f"{server.resident():.0f} MiB"
        )
        for connection in stalled:
            connection.close()


def _load(server: Server, seconds: float) -> Seen:
    seen = Seen()
    asyncio.run(writes_and_reads(server, seen, connections=8, seconds=seconds))
    return seen


def _stall(server: Server, id_: str, *, sends: bool) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", server.port))
    head = f"Host: x\r\nAuthorization: {server.authorization}\r\n"
    if sends:
        connection.sendall(f"GET /fhir/R4/Basic/{id_} HTTP/1.1\r\n{head}\r\n".encode() * 20)
    else:
        more = "Content-Length: 100000\r\n\r\n{"
        connection.sendall(f"POST /fhir/R4/Basic HTTP/1.1\r\n{head}{more}".encode())
    return connection
