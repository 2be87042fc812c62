"""What it costs that requests are recorded: each kind with and without, in turns.

``python -m bench audit`` asks the application itself, without a socket, and then a server over HTTP
on this machine, as ``threadwell serve`` answers. ``--postgres`` takes a PostgreSQL of its own.
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
from pathlib import Path
from typing import Any

import httpx
import uvicorn

import postgres
from threadwell.api.app import create_app
from threadwell.api.clients import add_client
from threadwell.api.rest import routes
from threadwell.app import channel_labels, open_store
from threadwell.audit.trail import Trail
from threadwell.stores.contract import Store

ROUNDS, EACH = 12, 60
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
    headers = {"authorization": f"Basic {base64.b64encode(secret).decode()}"}
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
    print(f"µs of CPU, over HTTP µs by the clock; median of {rounds} in turns")
    print(f"{'':26}{'without':>10}{'with':>10}{'ratio':>8}")
    for name, (method, path, body) in kinds.items():
        took: dict[str, list[float]] = {"with": [], "without": []}
        for turn in range(rounds + 1):
            for which, app in apps.items():
                with _recorded(which == "with"):
                    spent = await _spent(app, headers, method, path, body)
                if turn:
                    took[which].append(spent)
        _tell(name, took)
    await trail.drain()
    for name, (method, path, body) in kinds.items():
        _tell(f"{name}, HTTP", await _over_http(apps, headers, method, path, body, rounds))
    started = time.process_time()
    lines = await trail.drain()
    if lines:
        each = (time.process_time() - started) / lines * 1e6
        print(f"chaining, aside: {each:.0f} µs CPU a record, {lines} records")
    trail.close()
    await store.close()


def _tell(name: str, took: dict[str, list[float]]) -> None:
    without, with_ = (statistics.median(took[which]) for which in ("without", "with"))
    print(f"{name:26}{without:10.0f}{with_:10.0f}{with_ / without:8.2f}")


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


async def _over_http(
    apps: dict[str, Any],
    headers: dict[str, str],
    method: str,
    path: str,
    body: Any,
    rounds: int,
) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {"with": [], "without": []}
    for which, app in apps.items():
        config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]

        def ask(port: int = port, found: list[float] = took[which]) -> None:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}/fhir/R4/", headers=headers
            ) as http:
                for turn in range(rounds + 1):
                    started = time.perf_counter()
                    for _ in range(EACH):
                        http.request(method, path, json=body).raise_for_status()
                    if turn:
                        found.append((time.perf_counter() - started) / EACH * 1e6)

        with _recorded(which == "with"):
            await asyncio.to_thread(ask)
        server.should_exit = True
        await serving
    return took


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
