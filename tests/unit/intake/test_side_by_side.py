"""Processes that take messages live, side by side, into one store."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import stem
from threadwell.app import open_store
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import import_people, verify
from threadwell.stores.contract import DEFAULT_PROJECT

CHILD = Path(__file__).with_name("live_child.py")
#: So many messages arrive at each of the processes, and the last ones at two of them.
EACH, TWICE = 12, 3


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that several processes may use."""
    if request.param == "sqlite":
        return str(tmp_path / "threadwell.db")
    there: str = request.getfixturevalue("postgres_url")
    return there


def phone(n: int) -> str:
    return f"+1212555{200 + n:04}"


async def prepare(url: str, patients: int) -> None:
    """Make the patients, and let the practice be known, as the first message does."""
    store = open_store(url)
    rows = [
        {"kind": "patient", "id": str(n), "family": f"Number {n}", "phone": phone(n)}
        for n in range(patients)
    ]
    await import_people(store, DEFAULT_PROJECT, rows)
    await store.close()


def at_once(url: str, works: Iterable[tuple[str, int, int, int]]) -> list[list[int]]:
    """What the processes printed that take (phones, first, count, size) at the same time."""
    processes = [
        stem.start(
            [sys.executable, str(CHILD), url, *map(str, work)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for work in works
    ]
    try:
        assert [one.stdout.readline() for one in processes] == ["ready\n"] * len(processes)
        for one in processes:
            one.stdin.write("go\n")
            one.stdin.flush()
        lines = [one.communicate(timeout=120)[0] for one in processes]
    finally:
        for one in processes:
            one.kill()
    return [list(map(int, line.split())) for line in lines]


async def found(url: str) -> dict[str, list[dict]]:
    """The live Encounters, headers and messages of the store, in which everything is right."""
    store = open_store(url)
    assert await verify(store, DEFAULT_PROJECT) == []
    out: dict[str, list[dict]] = {"sessions": [], "headers": [], "messages": []}
    for type_ in ("Encounter", "Communication"):
        page = await store.search(DEFAULT_PROJECT, Query(type_, count=1000))
        for body in (decode(one.body) for one in page.matches):
            if body["status"] != "entered-in-error":
                kind = "messages" if "partOf" in body else "headers"
                out["sessions" if type_ == "Encounter" else kind].append(body)
    await store.close()
    return out


def test_eight_into_one_thread_make_one_session(url: str) -> None:
    asyncio.run(prepare(url, 1))
    works = [(phone(0), n * EACH, EACH + TWICE, 1) for n in range(8)]
    told = at_once(url, works)
    total = 8 * EACH + TWICE
    assert sum(new for new, _, _ in told) == total
    assert sum(new + known for new, known, _ in told) == 8 * (EACH + TWICE)
    there = asyncio.run(found(url))
    (session,) = there["sessions"]
    (header,) = there["headers"]
    assert header["encounter"] == {"reference": f"Encounter/{session['id']}"}
    said = sorted(one["payload"][0]["contentString"] for one in there["messages"])
    assert said == sorted(f"number {n}" for n in range(total))
    assert session["period"]["start"] == "2024-04-10T08:00:00Z"


def test_those_of_other_patients_never_meet(url: str) -> None:
    asyncio.run(prepare(url, 13))
    at_once(url, [(phone(12), 0, 1, 1)])  # The first message makes the practice.
    mine = [",".join(map(phone, range(n * 3, n * 3 + 3))) for n in range(4)]
    told = at_once(url, [(phones, 0, 24, 3) for phones in mine])
    assert told == [[24, 0, 0]] * 4
    there = asyncio.run(found(url))
    assert (len(there["sessions"]), len(there["messages"])) == (13, 4 * 24 + 1)
