"""What an access policy costs: usual reads and searches with each role, as ratios to without.

Over a store of 300 threads of 20 messages, in microseconds of CPU: in process, without a socket,
and over HTTP of a server that answers as ``threadwell serve`` does (with PostgreSQL, of the server
alone: the database's own is not in it). Over HTTP there is also what the client sees by the clock.
With and without take turns, and of each counts what a quarter of the turns kept below, as other
programs may use the machine.

python -m bench policies
python -m bench policies --postgres --roles participant,billing
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import postgres
from bench import rates
from bench.faults.server import Server
from bench.load import request
from bench.served import Served, Took, served
from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.access.roles import ROLES, role
from threadwell.api.app import create_app
from threadwell.api.clients import add_client
from threadwell.app import channel_labels, open_store
from threadwell.stores.contract import DEFAULT_PROJECT, Store

THREADS = 300
URL = "http://127.0.0.1:8103"


def main(arguments: list[str]) -> None:
    """Print a line for each role and question."""
    parser = argparse.ArgumentParser(prog="bench policies")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    parser.add_argument("--roles", default=",".join(ROLES))
    parser.add_argument("--times", type=int, default=20, help="requests of a turn")
    parser.add_argument("--turns", type=int, default=40)
    given = parser.parse_args(arguments)
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        if not given.postgres:
            _measure(runner, str(Path(folder) / "threadwell.db"), given)
            return
        binaries = postgres.find_binaries()
        if binaries is None:
            raise SystemExit("no PostgreSQL is here")
        server = postgres.start_server(binaries, shared_buffers="256MB")
        try:
            _measure(runner, server.url(), given)
        finally:
            server.remove()


@dataclass(frozen=True)
class _Bench:
    """A server and its world, asked through ASGI."""

    run: Callable[[Coroutine[Any, Any, Any]], Any]
    app: Any
    store: Store
    world: rates.World
    headers: Mapping[str, Any]
    messages: Mapping[str, Any]

    async def ask(self, method: str, path: str, authorization: bytes, body: bytes = b"") -> bytes:
        path, _, query = path.partition("?")
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"127.0.0.1:8103"), (b"authorization", authorization)]
        if body:
            length = b"%d" % len(body)
            headers += [(b"content-type", b"application/fhir+json"), (b"content-length", length)]
        scope = {
            "type": "http",
            "method": method,
            "path": f"/fhir/R4/{path}".rstrip("/"),
            "query_string": query.encode(),
            "headers": headers,
        }
        await self.app(scope, receive, send)
        if sent[0]["status"] >= 300:
            raise SystemExit(f"{method} {path}?{query}: {sent[0]['status']}")
        return cast(bytes, sent[1].get("body", b""))


def _measure(runner: asyncio.Runner, url: str, given: argparse.Namespace) -> None:
    run: Callable[[Coroutine[Any, Any, Any]], Any] = runner.run
    store = open_store(url)
    app = create_app(store, base_url=URL, labels=channel_labels)
    _, free = run(_client(store, "free"))
    bench = _Bench(run, app, store, rates.World([], [], [], [], []), {}, {})
    rates.THREADS = THREADS
    world = rates.fill(cast(Server, _Filling(bench, free)))
    bench = _Bench(
        run, app, store, world, _all(bench, free, world.threads), _all(bench, free, world.messages)
    )
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    columns = ("CPU in process", "CPU of the server, HTTP", "by the clock, HTTP")
    print(f"{'':50}" + "".join(f"{column:>26}" for column in columns))
    print(f"{'':50}" + f"{'without':>10}{'with':>8}{'ratio':>8}" * len(columns))
    with served(partial(_app, url)) as server:
        for name in given.roles.split(","):
            limited, asked = _role(bench, name)
            for what, paths in asked.items():
                took: dict[bytes, list[tuple[float, float, float]]] = {free: [], limited: []}
                for turn in range(given.turns + 1):
                    for by in sorted(took, reverse=bool(turn % 2)):
                        told = _over_http(server, paths, by, given.times)
                        spent = (_cost(bench, paths, by, given.times), *told)
                        if turn:
                            took[by].append(spent)
                print(f"{name:24}{what:26}" + _line(took[free], took[limited]), flush=True)
    run(store.close())


def _line(free: list[tuple[float, float, float]], limited: list[tuple[float, float, float]]) -> str:
    line = ""
    for one, other in zip(zip(*free, strict=True), zip(*limited, strict=True), strict=True):
        without, with_ = (statistics.quantiles(found, n=4)[0] for found in (one, other))
        line += f"{without:10.0f}{with_:8.0f}{with_ / without:8.2f}"
    return line


async def _app(url: str) -> Any:
    """The application, in a process of its own."""
    return create_app(open_store(url), base_url=URL, labels=channel_labels)


def _over_http(server: Served, paths: list[str], by: bytes, times: int) -> Took:
    sent = [request("GET", f"/fhir/R4/{path}", by.decode()) for path in paths[:times]]
    return server.took(sent, times)


def _cost(bench: _Bench, paths: list[str], by: bytes, times: int) -> float:
    async def ask() -> float:
        started = time.process_time()
        for number in range(times):
            await bench.ask("GET", paths[number % len(paths)], by)
        return (time.process_time() - started) / times * 1e6

    return cast(float, bench.run(ask()))


def _role(bench: _Bench, name: str) -> tuple[bytes, dict[str, list[str]]]:
    """Who has the role, and what they ask."""
    world = bench.world
    patient, practitioner = world.patients[0], world.practitioners[0]
    own = patient if name == "patient" else practitioner
    limited = bench.run(_client(bench.store, name))
    bench.run(_give(bench.store, limited, name, own, patient))
    threads = [
        thread
        for thread, header in bench.headers.items()
        if own in {header["sender"]["reference"], *(r["reference"] for r in header["recipient"])}
    ]
    of_threads = set(threads)
    messages = [
        message
        for message, found in bench.messages.items()
        if found["partOf"][0]["reference"] in of_threads
    ][:100]
    encounters = [
        bench.headers[thread]["encounter"]["reference"]
        for thread in threads
        if "encounter" in bench.headers[thread]
    ]
    who = "sender" if name == "patient" else "recipient"
    asked = {
        "a message": messages,
        "a header": threads,
        "an encounter": encounters,
        "a thread's page": [f"Communication?part-of={t}&_sort=sent&_count=20" for t in threads],
        "one's threads": [f"Communication?{who}={own}&part-of:missing=true&_count=20"],
        "headers of an encounter": [
            f"Communication?encounter={e}&part-of:missing=true" for e in encounters
        ],
        "encounters of class VR": [f"Encounter?class={rates.ACT}%7CVR&_count=20"],
        "messages about a patient": [f"Communication?subject={patient}&_count=20"],
    }
    return limited[1], {what: paths for what, paths in asked.items() if paths}


async def _client(store: Store, name: str) -> tuple[str, bytes]:
    """The id of a new client, and its ``Authorization``."""
    new = await add_client(store, name)
    pair = f"{new.client_id}:{new.client_secret}".encode()
    return new.client_id, b"Basic " + base64.b64encode(pair)


async def _give(store: Store, client: tuple[str, bytes], name: str, own: str, of: str) -> None:
    policy = await keep_policy(store, DEFAULT_PROJECT, role(name))
    grant = Grant(policy["id"], {"patient": of})
    member = Membership(f"ClientApplication/{client[0]}", own, (grant,))
    await keep_membership(store, DEFAULT_PROJECT, member)


def _all(bench: _Bench, by: bytes, paths: list[str]) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        return {path: json.loads(await bench.ask("GET", path, by)) for path in paths}

    return cast(dict[str, Any], bench.run(read()))


class _Filling:
    """What ``rates.fill`` fills: a server whose client posts in process."""

    def __init__(self, bench: _Bench, by: bytes) -> None:
        self._bench = bench
        self._by = by

    def client(self) -> _Filling:
        return self

    def __enter__(self) -> _Filling:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to let go of."""

    def post(self, path: str, json: Any) -> _Posted:
        body = rates.json.dumps(json).encode()
        return _Posted(self._bench.run(self._bench.ask("POST", path, self._by, body)))


@dataclass(frozen=True)
class _Posted:
    body: bytes

    def raise_for_status(self) -> _Posted:
        return self

    def json(self) -> Any:
        return json.loads(self.body)
