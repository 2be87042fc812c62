"""How soon those who subscribe over WebSockets are told of a change: many sockets at one server."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

import httpx
import uvloop

import postgres
from bench.ears import SUBSCRIPTION, bind, listening
from bench.faults.server import Options, Server, serving
from bench.spent import cpu_seconds, family

#: Of so many, one pause of the machine is less than a hundredth.
_CHANGES = 200
_EVERY = 0.1
_SECONDS = 60.0
#: Subscriptions that are set up at a time.
_TOGETHER = 20
#: Bytes of what the bare server tells, which is about what a message without a text is.
_BARE = 1000


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


class _Told(NamedTuple):
    """Seconds from the sending of a change until each was told of it; and CPU seconds for each
    change: of the worker, of the processes beside it, and of the listeners."""

    waits: list[float]
    worker: float
    beside: float
    ears: float


def _tell(kind: str, listeners: int, url: Callable[[str], str]) -> None:
    print(kind)
    columns = ("median ms", "p99 ms", "of bare", "worker", "beside", "listeners")
    print(f"{'':26}{''.join(f'{one:>11}' for one in columns)}  (CPU ms a change)")
    for count in (1, listeners):
        with serving(Options(_SECONDS, 1, url(f"of{count}"))) as server:
            told = uvloop.run(_told(server, count))
        bare = _bare(count)
        _show(f"told, {count:,} listening", told, median(told.waits) / median(bare.waits))
        _show("  by a bare server", bare, 1.0)


def _show(what: str, told: _Told, of_bare: float) -> None:
    late = quantiles(told.waits, n=100)[98]
    spent = "".join(f"{1000 * one:11.1f}" for one in (told.worker, told.beside, told.ears))
    print(
        f"{what:26}{median(told.waits) * 1000:11.2f}{late * 1000:11.2f}{of_bare:11.1f}{spent}",
        flush=True,
    )


async def _told(server: Server, count: int) -> _Told:
    headers = {"authorization": server.authorization}
    async with httpx.AsyncClient(
        base_url=f"{server.url}fhir/R4/", headers=headers, timeout=60
    ) as http:
        turns = asyncio.Semaphore(_TOGETHER)

        async def set_up() -> str:
            async with turns:
                made = await http.post("Subscription", json=SUBSCRIPTION)
                made.raise_for_status()
                token = await http.get(f"Subscription/{made.json()['id']}/$get-ws-binding-token")
                token.raise_for_status()
                return bind(_value(token.json()))

        first = await asyncio.gather(*(set_up() for _ in range(count)))
        written: dict[bytes, float] = {}
        with listening(server.port, "/ws/subscriptions-r4", first) as ears:
            before = _spent(server)
            for _ in range(_CHANGES):
                await asyncio.sleep(_EVERY)
                began = time.perf_counter()
                made = await http.post("Communication", json=_MESSAGE)
                made.raise_for_status()
                written[made.json()["id"].encode()] = began
            heard = await asyncio.to_thread(ears.heard, _CHANGES)
            after = _spent(server)
    lost = sum(_CHANGES - len(times) for times in heard.times)
    if lost:
        raise SystemExit(f"{lost} of {_CHANGES * count} were not told")
    waits = [times[id_] - began for id_, began in written.items() for times in heard.times]
    used = [(one - earlier) / _CHANGES for one, earlier in zip(after, before, strict=True)]
    return _Told(waits, used[0], used[1], heard.used / _CHANGES)


def _spent(server: Server) -> tuple[float, float]:
    """CPU seconds of the workers so far, and of the other processes of the server."""
    workers = server.workers()
    others = [one for one in family(server.process.pid) if one not in workers]
    return cpu_seconds(workers), cpu_seconds(others)


_MESSAGE = {"resourceType": "Communication", "status": "completed"}


def _value(parameters: Any) -> str:
    return str(
        next(one["valueString"] for one in parameters["parameter"] if one["name"] == "token")
    )


def _bare(count: int) -> _Told:
    """The same of a server that does nothing else."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve_bare, args=(theirs,), daemon=True)
    process.start()
    try:
        return _told_barely(ours, count, process.pid or 0)
    finally:
        process.kill()
        process.join()


def _told_barely(server: Connection, count: int, pid: int) -> _Told:
    began: dict[bytes, float] = {}
    with listening(server.recv(), "/", ["{}"] * count) as ears:
        before = cpu_seconds([pid])
        for number in range(_CHANGES):
            time.sleep(_EVERY)
            id_ = f"00000000-0000-4000-8000-{number:012x}"
            began[id_.encode()] = time.perf_counter()
            server.send(id_)
        heard = ears.heard(_CHANGES)
        used = cpu_seconds([pid]) - before
    waits = [times[id_] - at for id_, at in began.items() for times in heard.times]
    return _Told(waits, used / _CHANGES, 0.0, heard.used / _CHANGES)


def _serve_bare(line: Connection) -> None:
    import websockets

    async def serve() -> None:
        opened: set[Any] = set()

        async def handle(socket: Any) -> None:
            opened.add(socket)
            await socket.recv()
            await socket.send('{"type":"handshake"}')
            await socket.wait_closed()

        async with websockets.serve(handle, "127.0.0.1", 0, compression=None) as server:
            line.send(next(iter(server.sockets)).getsockname()[1])
            told = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(line.fileno(), told.set)
            while True:
                await told.wait()
                told.clear()
                while line.poll():
                    text = f'{{"id":"{line.recv()}","meta":"{"x" * _BARE}"}}'
                    websockets.broadcast(opened, text)

    uvloop.run(serve())
