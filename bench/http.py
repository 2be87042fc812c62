"""HTTP requests a second, as ratios: to a bare handler of the same bytes, and to the raw database.

``python -m bench http`` serves a store of 20,000 Communications as ``threadwell serve`` does and
asks it over 32 connections. The bare handler shows what HTTP costs; the raw database shows what
the same rows cost without Threadwell.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import httpx
import uvloop

from bench.faults.server import Options, serving
from bench.load import Rate, load, request
from bench.rows import same_rows

CONNECTIONS = 32
SECONDS = 3.0
THREADS, MESSAGES = 1_000, 19
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
TEXT = "Thank you, I took the reading before breakfast and it was a little lower than last week. "

Make = Callable[[int], bytes]


@dataclass(frozen=True)
class Scenario:
    """One kind of request; ``rows`` measures the database doing the same without Threadwell."""

    name: str
    status: int
    make: Make
    answer: bytes
    rows: Callable[[], float] | None = None


def main(_: list[str]) -> None:
    """Measure and print every scenario."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "threadwell.db"
        with serving(Options(SECONDS, 1, str(store))) as server, server.client() as client:
            world = fill(client)
            print(f"{'':24}{'per second':>11}{'p50 ms':>8}{'p99 ms':>8}  of bare  of raw database")
            for scenario in scenarios(client, store, world, server.authorization):
                report(scenario, uvloop.run(measure(server.port, scenario)), bare(scenario, folder))


def scenarios(
    client: httpx.Client, store: Path, world: World, authorization: str
) -> Iterator[Scenario]:
    """Each scenario, its request as a client sends it and an answer to measure the handler by."""

    def get(path: str) -> Make:
        sent = request("GET", f"/fhir/R4/{path}", authorization)
        return lambda _: sent

    ids = world.messages
    one = client.get(f"Communication/{ids[0]}").content

    def read(number: int) -> bytes:
        id_ = ids[number * 7919 % len(ids)]
        return request("GET", f"/fhir/R4/Communication/{id_}", authorization)

    yield Scenario("read", 200, read, one, lambda: raw_reads(store, ids))

    thread = get(f"Communication?part-of=Communication/{world.headers[5]}&_sort=sent")
    by_encounter = get(f"Communication?encounter=Encounter/{world.encounter}&part-of:missing=true")
    virtual = get(f"Encounter?class={ACT}|VR")
    for name, make in (
        ("messages of a thread", thread),
        ("thread of a session", by_encounter),
        ("virtual encounters", virtual),
    ):
        path = make(0).split()[1].decode().removeprefix("/fhir/R4/")
        yield Scenario(name, 200, make, client.get(path).content)

    patches = [
        f'[{{"op":"replace","path":"/sent","value":"2024-04-10T10:00:{s:02}Z"}}]' for s in range(60)
    ]

    def patch(number: int) -> bytes:
        path = f"/fhir/R4/Communication/{ids[number % len(ids)]}"
        body = patches[(number + number // len(ids)) % 60].encode()
        return request("PATCH", path, authorization, body, "application/json-patch+json")

    yield Scenario("patch", 200, patch, one)

    body = json.dumps(message(world.headers[0], world.patient, 0)).encode()
    create = request("POST", "/fhir/R4/Communication", authorization, body)
    yield Scenario("create", 201, lambda _: create, one, lambda: raw_creates(store))


async def measure(port: int, scenario: Scenario) -> Rate:
    """The rate of the scenario, after a moment to warm up."""
    make, status = scenario.make, scenario.status
    await load(port, make, status=status, connections=CONNECTIONS, seconds=0.3)
    return await load(port, make, status=status, connections=CONNECTIONS, seconds=SECONDS)


def bare(scenario: Scenario, folder: str) -> Rate:
    """The rate of a handler that only answers the same bytes to requests of the same size."""
    port = free_port()
    file = Path(folder) / "answer.json"
    file.write_bytes(scenario.answer)
    command = [sys.executable, "-m", "bench.bare", str(port), str(file)]
    process = subprocess.Popen(command)
    try:
        wait(f"http://127.0.0.1:{port}/")
        head, _, body = scenario.make(0).partition(b"\r\n\r\n")
        method, _, rest = head.partition(b" ")
        sent = b"%s / %s\r\n\r\n%s" % (method, rest.partition(b" ")[2], body)
        return uvloop.run(
            load(port, lambda _: sent, status=200, connections=CONNECTIONS, seconds=SECONDS)
        )
    finally:
        process.terminate()
        process.wait()


def report(scenario: Scenario, rate: Rate, handler: Rate) -> None:
    """One line of the table."""
    ratio = rate.per_second / handler.per_second
    raw = f"{rate.per_second / scenario.rows():.2f}" if scenario.rows else ""
    numbers = f"{rate.per_second:11,.0f}{rate.p50:8.2f}{rate.p99:8.2f}"
    print(f"{scenario.name:24}{numbers}{ratio:9.2f}  {raw:>15}", flush=True)


def raw_reads(store: Path, ids: list[str]) -> float:
    """Bodies a second that SQLite finds by id, one after the other."""
    database = apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READONLY)
    query = "SELECT body FROM resource WHERE id = ? AND type = 'Communication' AND pid = 1"
    started = time.perf_counter()
    for id_ in ids:
        assert database.execute(query, (id_,)).fetchone()
    return len(ids) / (time.perf_counter() - started)


def raw_creates(store: Path) -> float:
    """Resources a second that SQLite takes, with a commit for as many as there are connections."""
    with same_rows(store) as rows:
        count, taken = rows.put(CONNECTIONS)
    return count / taken


@dataclass(frozen=True)
class World:
    """What the store was filled with, by id."""

    patient: str
    encounter: str
    headers: list[str]
    messages: list[str]


def fill(client: httpx.Client) -> World:
    """A thousand threads of nineteen messages each, of one practice."""
    patient, encounter = create(
        client,
        [
            {"resourceType": "Patient", "name": [{"family": "Brook"}]},
            {
                "resourceType": "Encounter",
                "status": "in-progress",
                "class": {"system": ACT, "code": "VR"},
            },
        ],
    )
    subject = {"reference": f"Patient/{patient}"}
    headers = create(
        client,
        [
            {
                "resourceType": "Communication",
                "status": "in-progress",
                "subject": subject,
                "recipient": [subject],
                **({"encounter": {"reference": f"Encounter/{encounter}"}} if n == 0 else {}),
            }
            for n in range(THREADS)
        ],
    )
    messages = create(
        client, [message(header, patient, n) for n in range(MESSAGES) for header in headers]
    )
    random.Random(1).shuffle(messages)
    return World(patient, encounter, headers, messages)


def message(header: str, patient: str, number: int) -> dict[str, Any]:
    """A message of a thread, about 1 KB as a resource."""
    subject = {"reference": f"Patient/{patient}"}
    return {
        "resourceType": "Communication",
        "status": "completed",
        "partOf": [{"reference": f"Communication/{header}"}],
        "subject": subject,
        "sender": subject,
        "recipient": [subject],
        "sent": f"2024-04-{number % 28 + 1:02}T10:00:00Z",
        "payload": [{"contentString": TEXT * 5}],
    }


def create(client: httpx.Client, resources: list[dict[str, Any]]) -> list[str]:
    """Create the resources by transactions; their ids."""
    ids: list[str] = []
    for at in range(0, len(resources), 500):
        entries = [
            {"request": {"method": "POST", "url": one["resourceType"]}, "resource": one}
            for one in resources[at : at + 500]
        ]
        body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = client.post("", json=body).raise_for_status().json()
        ids += [entry["resource"]["id"] for entry in answer["entry"]]
    return ids


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(url: str) -> None:
    """Until something answers at ``url``."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SystemExit(f"nothing answers at {url}")


if __name__ == "__main__":
    main([])
