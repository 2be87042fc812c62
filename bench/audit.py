"""What it costs that requests are recorded: each kind with and without, in turns.

``python -m bench audit`` asks the application itself, without a socket, and two servers over HTTP
on this machine, which answer as ``threadwell serve`` does: one records, and one does not.
``--postgres`` takes a PostgreSQL of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

import postgres
from bench.load import request
from bench.served import served
from threadwell.api.app import create_app
from threadwell.api.clients import add_client
from threadwell.api.rest import routes
from threadwell.app import channel_labels, open_store
from threadwell.audit.trail import Trail
from threadwell.stores.contract import Store

ROUNDS, EACH = 120, 15
URL = "http://bench"


class _Unrecorded(Trail):
    """A trail that keeps nothing: what is asked and changed is as before there was one."""

    def __init__(self, whole: Store) -> None:
        super().__init__(whole)
        self.store = whole


def main(arguments: list[str]) -> None:
    """Measure on the store that is asked for."""
    parser = argparse.ArgumentParser(prog="bench audit")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        if given.postgres:
            binaries = postgres.find_binaries()
            assert binaries, "PostgreSQL is not installed"
            server = postgres.start_server(binaries, durable=True)
            try:
                asyncio.run(_measure(server.url(), Path(folder), given.rounds))
            finally:
                server.stop()
        else:
            asyncio.run(_measure(f"sqlite:///{folder}/x.db", Path(folder), given.rounds))


async def _measure(url: str, folder: Path, rounds: int) -> None:
    store = open_store(url)
    client = await add_client(store, "bench")
    secret = f"{client.client_id}:{client.client_secret}".encode()
    authorization = f"Basic {base64.b64encode(secret).decode()}"
    headers = {"authorization": authorization}
    trail = Trail(store, folder / "audit")
    apps = {
        "with": create_app(store, base_url=URL, labels=channel_labels, trail=trail),
        "without": create_app(store, base_url=URL, labels=channel_labels, trail=_Unrecorded(store)),
    }
    ids = await _fill(apps["without"], headers)
    kinds: dict[str, tuple[str, str, Any]] = {
        "read": ("GET", f"Communication/{ids[0]}", None),
        "search, 20 matches": ("GET", "Communication?_count=20", None),
        "search, 100 matches": ("GET", "Communication?_count=100", None),
        "create": ("POST", "Communication", _message("Patient/x", 0)),
    }
    print(f"µs; of {rounds} turns what a quarter kept below, as other programs may use the machine")
    columns = ("CPU in process", "CPU of the server, HTTP", "by the clock, HTTP")
    print(f"{'':20}" + "".join(f"{column:>27}" for column in columns))
    print(f"{'':20}" + f"{'without':>10}{'with':>9}{'ratio':>8}" * len(columns))
    with (
        served(partial(_app, url, folder / "served")) as recorded,
        served(partial(_app, url, None)) as unrecorded,
    ):
        over_http = {"with": recorded, "without": unrecorded}
        for name, (method, path, body) in kinds.items():
            content = json.dumps(body).encode() if body else b""
            sent = request(method, f"/fhir/R4/{path}", authorization, content)
            took: dict[str, list[tuple[float, float, float]]] = {"without": [], "with": []}
            for turn in range(rounds + 1):
                for which in sorted(took, reverse=bool(turn % 2)):
                    with _recorded(which == "with"):
                        spent = await _spent(apps[which], headers, method, path, body)
                    told = over_http[which].took([sent], EACH)
                    if turn:
                        took[which].append((spent, *told))
            _tell(name, took)
    await trail.drain()
    for _ in range(rounds):
        for name in list(kinds)[:3]:
            await _spent(apps["with"], headers, *kinds[name])
    started = time.process_time()
    lines = await trail.drain()
    each = (time.process_time() - started) / lines * 1e6
    print(f"chaining, aside: {each:.0f} µs CPU a record of reads, {lines} records")
    trail.close()
    await store.close()


async def _app(url: str, folder: Path | None) -> Any:
    """An application of the store, in a process of its own; without ``folder`` it records nothing.

    It may be another process's store, too.
    """
    store = open_store(url)
    if folder is None:
        routes.perform = routes._perform
    trail = Trail(store, folder) if folder else _Unrecorded(store)
    return create_app(store, base_url=URL, labels=channel_labels, trail=trail)


def _tell(name: str, took: dict[str, list[tuple[float, float, float]]]) -> None:
    line = f"{name:20}"
    for column in range(3):
        without, with_ = (
            statistics.quantiles([one[column] for one in took[which]], n=4)[0]
            for which in ("without", "with")
        )
        line += f"{without:10.0f}{with_:9.0f}{with_ / without:8.2f}"
    print(line, flush=True)


@contextmanager
def _recorded(yes: bool) -> Iterator[None]:
    """Whether requests are recorded meanwhile."""
    real = routes.perform
    if not yes:
        routes.perform = routes._perform
    try:
        yield
    finally:
        routes.perform = real


async def _spent(app: Any, headers: dict[str, str], method: str, path: str, body: Any) -> float:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    content = json.dumps(body).encode() if body else b""
    if body:
        raw.append((b"content-type", b"application/fhir+json"))
        raw.append((b"content-length", str(len(content)).encode()))
    bare, _, query = path.partition("?")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] in (200, 201), message

    started = time.process_time()
    for _ in range(EACH):
        scope = {
            "type": "http",
            "method": method,
            "path": f"/fhir/R4/{bare}",
            "query_string": query.encode(),
            "headers": raw,
            "client": ("127.0.0.1", 1),
            "extensions": {},
        }
        await app(scope, receive, send)
    return (time.process_time() - started) / EACH * 1e6


async def _fill(app: Any, headers: dict[str, str]) -> list[str]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url=f"{URL}/fhir/R4/", headers=headers
    ) as http:
        made = []
        for n in range(200):
            answer = await http.post("Communication", json=_message(f"Patient/p{n % 9}", n))
            made.append(answer.json()["id"])
        return made


def _message(subject: str, n: int) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": subject},
        "sent": f"2030-01-01T00:00:{n % 60:02d}Z",
        "payload": [
            {"contentString": "I took the reading before breakfast, and it was lower. " * 2}
        ],
    }
