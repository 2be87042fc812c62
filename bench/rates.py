"""Requests a second under ``wrk``: to be held against another server's, measured in turns.

``python -m bench rates`` fills a store over HTTP with 1,000 threads of 20 messages, as
``threadwell serve`` keeps it with everything on, and asks it over 32 connections. Beside the clock
stands what a request costs in CPU of server and database: a busy machine says the same of that.
What it costs to chain the audit trail's records of it, later and aside, has a column of its own;
nothing of what was asked before waits to be chained when a kind of requests begins.

python -m bench rates --workers 1 --workers 2
python -m bench rates --postgres --only transaction
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import postgres
from bench.faults.server import Options, Server, serving
from bench.spent import cpu_seconds, family, proportional_mib
from threadwell.app import open_store, trail_folder
from threadwell.audit.audited import PENDING
from threadwell.audit.draining import DRAINED
from threadwell.audit.spool import SUFFIX, lines_in
from threadwell.stores.contract import Store

CONNECTIONS = 32
_GLANCE = 0.2
PATIENTS, PRACTITIONERS, THREADS, MESSAGES = 200, 20, 1_000, 20
#: Requests of a kind that are sent in turns.
VARIANTS = 500
BUNDLE = 100
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
TEXT = "Thank you, I took the reading before breakfast, and it was a little lower than last week. "
OPEN = "part-of:missing=true&status:not=completed,entered-in-error,stopped,unknown"

Resource = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A request below the FHIR base."""

    method: str
    path: str
    body: Any = None
    kind: str = "application/fhir+json"


@dataclass(frozen=True)
class Scenario:
    """A kind of request; one of them is about so many resources as ``each`` says."""

    name: str
    requests: list[Request]
    each: int = 1


def main(arguments: list[str]) -> None:
    """Measure every scenario with every number of workers."""
    parser = argparse.ArgumentParser(prog="bench rates")
    parser.add_argument("--workers", type=int, action="append")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    parser.add_argument("--only", default="", help="a regular expression of scenarios")
    parser.add_argument("--seconds", type=int, default=5)
    given = parser.parse_args(arguments)
    if not shutil.which("wrk"):
        print("left out: wrk is not installed (Debian: apt install wrk)")
        return
    for workers in given.workers or [1, 2]:
        with _store(given.postgres) as (store, database):
            print(f"\n{'PostgreSQL' if given.postgres else 'SQLite'}, {workers} workers")
            measure(Options(given.seconds, workers, store), given.only, database)


def measure(options: Options, only: str, database: int | None = None) -> None:
    """The table of one store and one number of workers; ``database`` is the process of another
    server that has the store.
    """
    with serving(options) as server:
        world = fill(server)
        print(
            f"{'':26}{'a second':>10}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}"
            f"{'of it, database':>17}{'chained for':>13}"
        )
        for scenario in scenarios(world):
            if re.search(only, scenario.name):
                report(server, scenario, int(options.seconds), database)
        mine = family(server.process.pid)
        print(f"{server.resident():,.0f} MiB resident, in all of its processes")
        print(f"{proportional_mib(mine):,.0f} MiB that are theirs (PSS)")


@contextmanager
def _store(is_postgres: bool) -> Iterator[tuple[str, int | None]]:
    """The URL of an empty store, and the process that has it; of a new file, ``""``."""
    if not is_postgres:
        yield "", None
        return
    binaries = postgres.find_binaries()
    if binaries is None:
        raise SystemExit("no PostgreSQL is here")
    server = postgres.start_server(
        binaries, durable=True, shared_buffers="512MB", max_wal_size="4GB"
    )
    try:
        (told,) = server.folder.rglob("postmaster.pid")
        yield server.url(), int(told.read_text().split()[0])
    finally:
        server.remove()


@dataclass(frozen=True)
class World:
    """What the store was filled with, as references."""

    patients: list[str]
    practitioners: list[str]
    encounters: list[str]
    threads: list[str]
    messages: list[str]


def scenarios(world: World) -> Iterator[Scenario]:
    """What clients of a practice ask, reads first."""
    random = Random(1)

    def search(*queries: str) -> list[Request]:
        return [Request("GET", query) for query in queries]

    yield Scenario("read", search(*random.sample(world.messages, VARIANTS)))
    threads = random.sample(world.threads, VARIANTS)
    yield Scenario(
        "a thread's 20 messages",
        search(*(f"Communication?part-of={t}&_sort=sent&_count=20" for t in threads)),
    )
    newest = f"Communication?{OPEN}&_sort=-_lastUpdated&_count=20"
    yield Scenario("open threads", search(newest))
    yield Scenario(
        "headers of an encounter",
        search(*(f"Communication?encounter={e}&part-of:missing=true" for e in world.encounters)),
    )
    yield Scenario("encounters of class VR", search(f"Encounter?class={ACT}%7CVR&_count=20"))
    yield Scenario(
        "threads by recipient",
        search(
            *(
                f"Communication?recipient={p}&part-of:missing=true&_count=20"
                for p in world.practitioners
            )
        ),
    )
    new = [message(random, world, number) for number in range(VARIANTS)]
    yield Scenario("create a message", [Request("POST", "Communication", n) for n in new])
    patches = [
        Request(
            "PATCH",
            header,
            [{"op": "add", "path": "/encounter", "value": {"reference": encounter}}],
            "application/json-patch+json",
        )
        # Every header gets one encounter after another, so that each patch changes it.
        for encounter in random.sample(world.encounters, 4)
        for header in world.threads
    ]
    yield Scenario("patch a header", patches)
    bundles = [
        Request("POST", "", transaction([message(random, world, n) for n in range(BUNDLE)]))
        for _ in range(20)
    ]
    yield Scenario("transactions, in resources", bundles, BUNDLE)


def report(server: Server, scenario: Scenario, seconds: int, database: int | None) -> None:
    """One line of the table; raises ``SystemExit`` if a request was refused."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "requests.lua"
        script.write_text(_lua(server, scenario.requests))
        wrk = ["wrk", "-t1", f"-c{CONNECTIONS}", "-s", str(script)]
        url = f"http://127.0.0.1:{server.port}"
        asked = _ask([*wrk, "-d1s", url], scenario, 0)["requests"]
        _chain(server, database)
        before = _spent(server, database)
        # From where those ended: who patches again what is patched already changes nothing.
        told = _ask([*wrk, f"-d{seconds}s", url], scenario, asked + CONNECTIONS)
    answered = told["requests"] * scenario.each
    after = _spent(server, database)
    mine, others = [(after[at] - before[at]) / answered * 1e6 for at in (0, 1)]
    aside = _chain(server, database)
    chained = (_spent(server, database)[2] - before[2] + aside) / answered * 1e6
    rate = answered / told["seconds"]
    times = f"{told['p50'] / 1000:9.2f}{told['p99'] / 1000:9.2f}"
    costs = f"{mine + others:9.0f}{others:17.0f}{chained:13.0f}"
    print(f"{scenario.name:26}{rate:10,.0f}{times}{costs}", flush=True)


def _ask(wrk: list[str], scenario: Scenario, after: int) -> dict[str, float]:
    """What ``wrk`` tells of requests that follow so many others of the scenario."""
    run = subprocess.run([*wrk, "--", str(int(after))], check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    if told["failed"]:
        raise SystemExit(f"{scenario.name}: {told['failed']} requests failed\n{run.stdout}")
    return told


def _spent(server: Server, database: int | None) -> tuple[float, float, float]:
    """CPU seconds of the server, of the database, and of the process beside the server.

    That one chains what is recorded, and has the duties, of which there are none here.
    """
    others = _database_spent(database)
    every = family(server.process.pid)
    asked = {server.process.pid, *server.workers()}
    mine = cpu_seconds([one for one in every if one in asked])
    return mine, others, cpu_seconds([one for one in every if one not in asked])


def _chain(server: Server, database: int | None) -> float:
    """Wait until all that was asked so far is chained, as the server does every ten seconds.

    Returns:
        The CPU seconds of the database meanwhile.
    """

    async def chain() -> float:
        folder = trail_folder(server.store)
        store = open_store(server.store)
        try:
            there = _database_spent(database)
            while not await _is_chained(store, folder):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(_GLANCE)
            return _database_spent(database) - there
        finally:
            await store.close()

    return asyncio.run(chain())


async def _is_chained(store: Store, folder: Path | None) -> bool:
    """Whether nothing waits to be chained: neither in the store nor in files."""
    if await store.list_private(PENDING, count=1):
        return False
    sizes = _sizes(folder)
    drained = await store.get_private_many(DRAINED, list(sizes))
    return all(int(drained.get(name, b"0")) == size for name, size in sizes.items())


def _sizes(folder: Path | None) -> dict[str, int]:
    """The bytes of lines in the trail's files; what is chained whole may go at any time."""
    found: dict[str, int] = {}
    for one in folder.glob(f"*{SUFFIX}") if folder else ():
        with suppress(FileNotFoundError):
            found[one.name] = len(lines_in(one.read_bytes()))
    return found


def _database_spent(database: int | None) -> float:
    return 0.0 if database is None else cpu_seconds(family(database))


def _lua(server: Server, requests: list[Request]) -> str:
    """A script for ``wrk`` that sends the requests in turns and ends with a line of JSON."""
    made = []
    for request in requests:
        body = "nil" if request.body is None else json.dumps(json.dumps(request.body))
        kind = "nil" if request.body is None else json.dumps(request.kind)
        path = f"/fhir/R4/{request.path}".rstrip("/")
        made.append(f"{{{json.dumps(request.method)}, {json.dumps(path)}, {body}, {kind}}}")
    return f"""
local given = {{{",".join(made)}}}
local made, at = {{}}, 0
function init(args)
  at = tonumber(args[1]) or 0
  for i, r in ipairs(given) do
    local headers = {{["Authorization"] = "{server.authorization}", ["Content-Type"] = r[4]}}
    made[i] = wrk.format(r[1], r[2], headers, r[3])
  end
end
function request()
  at = at % #made + 1
  return made[at]
end
function done(summary, latency)
  local e = summary.errors
  local told = '{{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"failed":%d}}'
  io.write(string.format(told, summary.requests, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status), "\\n")
end
"""


def fill(server: Server) -> World:
    """Threads as practices have them: a fifth have an encounter, half of these a virtual one."""
    random = Random(2)
    with server.client() as client:
        patients = _create(client, [patient(number) for number in range(PATIENTS)])
        practitioners = _create(client, [practitioner(number) for number in range(PRACTITIONERS)])
        world = World(patients, practitioners, [], [], [])
        classes = ["VR" if number % 2 else "AMB" for number in range(THREADS // 5)]
        world.encounters.extend(_create(client, [encounter(random, world, c) for c in classes]))
        headers = [header(random, world, number) for number in range(THREADS)]
        world.threads.extend(_create(client, headers))
        new = [message(random, world, number) for number in range(THREADS * MESSAGES)]
        world.messages.extend(_create(client, new))
    return world


def _create(client: Any, resources: list[Resource]) -> list[str]:
    made: list[str] = []
    for at in range(0, len(resources), 500):
        answer = client.post("", json=transaction(resources[at : at + 500])).raise_for_status()
        made += [entry["response"]["location"] for entry in answer.json()["entry"]]
    return made


def transaction(resources: list[Resource]) -> Resource:
    """The transaction that creates the resources."""
    entries = [
        {"request": {"method": "POST", "url": one["resourceType"]}, "resource": one}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def patient(number: int) -> Resource:
    """A patient with a number and a telephone."""
    return {
        "resourceType": "Patient",
        "active": True,
        "birthDate": f"19{number % 70 + 30}-04-01",
        "identifier": [{"system": "https://example.org/mrn", "value": f"{number:08}"}],
        "name": [{"family": f"Brook {number % 97}", "given": ["Ada"]}],
        "telecom": [{"system": "phone", "value": f"+1555{number:07}"}],
    }


def practitioner(number: int) -> Resource:
    """A practitioner with a number."""
    return {
        "resourceType": "Practitioner",
        "active": True,
        "identifier": [{"system": "https://example.org/staff", "value": str(number)}],
        "name": [{"family": f"Hill {number}", "given": ["Noor"]}],
    }


def encounter(random: Random, world: World, class_: str) -> Resource:
    """An encounter under way."""
    return {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"system": ACT, "code": class_},
        "subject": {"reference": random.choice(world.patients)},
        "participant": [{"individual": {"reference": random.choice(world.practitioners)}}],
    }


def header(random: Random, world: World, number: int) -> Resource:
    """The header of a thread between a patient and two practitioners."""
    subject = {"reference": random.choice(world.patients)}
    found: Resource = {
        "resourceType": "Communication",
        "status": "completed" if number % 4 == 3 else "in-progress",
        "topic": {"text": f"Thread {number}"},
        "subject": subject,
        "sender": subject,
        "recipient": [{"reference": r} for r in random.sample(world.practitioners, 2)],
        "sent": f"2025-06-{number % 28 + 1:02}T10:00:00.000Z",
    }
    if number % 5 == 0:
        found["encounter"] = {"reference": world.encounters[number // 5]}
    return found


def message(random: Random, world: World, number: int) -> Resource:
    """A message of 180 letters, from the patient or to them, in the thread of its number."""
    patient = {"reference": random.choice(world.patients)}
    one, other = [{"reference": r} for r in random.sample(world.practitioners, 2)]
    sender, recipient = (patient, one) if number % 2 else (one, patient)
    at = f"{number % 28 + 1:02}T{number % 24:02}:{number % 60:02}"
    return {
        "resourceType": "Communication",
        "status": "completed",
        "partOf": [{"reference": world.threads[number % len(world.threads)]}],
        "subject": patient,
        "sender": sender,
        "recipient": [recipient, other],
        "payload": [{"contentString": TEXT * 2}],
        "sent": f"2025-06-{at}:00.000Z",
    }


if __name__ == "__main__":
    main([])
