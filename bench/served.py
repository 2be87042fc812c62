"""An application, served over HTTP by a process of its own as by ``threadwell serve``.

It is asked over one connection, one request after the other. What a request takes is told by the
clock, as the client sees it, and in CPU of the server, which says the same on a busy machine. All
servers have one core, and who asks has the others: else what each takes says which core it had.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast

import uvicorn

from bench.spent import cpu_ns
from threadwell.api.load.meter import Meter
from threadwell.server.connection import Connection
from threadwell.server.loop import loop_factory

#: Which cores there are for this process and those that it starts.
_CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
#: Makes the application, in the process that serves it.
Make = Callable[[], Awaitable[Any]]


class Took(NamedTuple):
    """Microseconds of a request, the middle of several: of CPU of the server, and by the clock."""

    cpu: float
    clock: float


@dataclass(frozen=True)
class Served:
    """A connection to a server, and its process."""

    pid: int
    connection: socket.socket

    def took(self, requests: Sequence[bytes], times: int) -> Took:
        """Ask these in turn, so many times in all, and tell what one took."""
        spent, began = cpu_ns(self.pid), time.perf_counter_ns()
        for number in range(times):
            self.ask(requests[number % len(requests)])
        clock, cpu = time.perf_counter_ns() - began, cpu_ns(self.pid) - spent
        return Took(cpu / times / 1000, clock / times / 1000)

    def ask(self, request: bytes) -> bytes:
        """The body of an answer; ``SystemExit`` for one that is none of success."""
        self.connection.sendall(request)
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self._more(request)
        head = got[:end].lower()
        if not head.startswith(b"http/1.1 2"):
            raise SystemExit(f"{request[:300]!r} got {head[:60]!r}")
        length = int(head[head.index(b"content-length: ") + 16 :].partition(b"\r")[0])
        while len(got) < end + 4 + length:
            got += self._more(request)
        return got[end + 4 :]

    def _more(self, request: bytes) -> bytes:
        if not (part := self.connection.recv(1 << 18)):
            raise SystemExit(f"no answer to {request[:300]!r}")
        return part


@contextmanager
def served(make: Make) -> Iterator[Served]:
    """The application that ``make`` makes, until the end."""
    spawning = multiprocessing.get_context("spawn")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = spawning.Process(target=_serve, args=(make, listener), daemon=True)
        process.start()
        with socket.create_connection(listener.getsockname()) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            assert process.pid
            before = _parted(process.pid)
            try:
                yield Served(process.pid, connection)
            finally:
                if before:
                    os.sched_setaffinity(0, before)
                process.terminate()
                process.join()


def _parted(server: int) -> set[int]:
    """Part the cores between a server and this process; those that this one had (Linux)."""
    if len(_CORES) < 2:
        return set()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(server, {max(_CORES)})
    os.sched_setaffinity(0, _CORES - {max(_CORES)})
    return before


def _serve(make: Make, listener: socket.socket) -> None:
    async def serve() -> None:
        app = await make()
        gc.freeze()
        gc.set_threshold(50_000, 10, 10)
        config = uvicorn.Config(
            app,
            http=cast(Any, partial(Connection, meter=Meter(), max_connections=10)),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        await uvicorn.Server(config).serve(sockets=[listener])

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve())
