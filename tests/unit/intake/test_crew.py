"""Processes of an import decide as it would itself, and one that dies ends it with an error."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random

import apsw
import pytest

from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import Settings, import_messages, parse_options, verify
from threadwell.intake.driving import Importing
from threadwell.intake.gathered import crew
from threadwell.intake.gathered.gathering import Gathering
from threadwell.intake.gathered.packing import batches
from threadwell.intake.gathered.spool import unpacked
from threadwell.intake.gathered.whose import Whose
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Broken, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, StoreError, Write
from threadwell.stores.memory import MemoryStore
from threadwell.stores.parameters import Parameters
from threadwell.stores.sql.entries import entries_of_body
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sqlite import SqliteStore

OFFICE = Address(AddressKind.PHONE, "+12125550100")
NOW = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp() * 1000)
START = datetime(2024, 3, 9, 20, tzinfo=UTC)
TYPES = ("Encounter", "Communication", "Group", "Task", "Organization", "Patient", "Binary")
PATIENTS = 12
HOW = Settings(owner=(OFFICE,), options=parse_options(zone="America/Chicago"), batch=20, workers=2)


def phone(number: int) -> Address:
    return Address(AddressKind.PHONE, f"+1212555{1000 + number}")


def messages(count: int = 300) -> list[Message | Broken]:
    """Texts of patients and strangers; some come twice, some say two things under one id."""
    random = Random(11)
    out: list[Message | Broken] = [Broken("sms", "a.xml", "it is cut off", b"<sms")]
    for number in range(count):
        other = phone(random.randrange(PATIENTS + 2))
        sender, to = (other, OFFICE) if number % 2 else (OFFICE, other)
        sent = START + timedelta(minutes=random.randrange(40_000))
        name = str(number - 1 if number % 40 == 39 else number)
        text = f"{number}: how are you?"
        out.append(Message("sms", name, sender, (to,), sent, text, text, other.value))
    return [*out, *random.sample(out, 20)]


async def with_people(store):
    writes = []
    for number in range(PATIENTS):
        telecom = [{"system": "phone", "value": phone(number).value}]
        body = {"resourceType": "Patient", "telecom": telecom}
        resource, text = stamp(body, f"p{number}", new_id(1), 1)
        version = resource["meta"]["versionId"]
        writes.append(Write("Patient", f"p{number}", version, 1, resource, text))
    await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))
    return store


async def everything(store) -> dict[str, object]:
    """Every resource that counts."""
    out = {}
    for type_ in TYPES:
        page = await store.search(DEFAULT_PROJECT, Query(type_, count=5000))
        for one in page.matches:
            body = decode(one.body)
            del body["meta"]
            if body.get("status") == "entered-in-error":
                continue
            out[f"{type_}/{one.id}"] = body
    return out


async def imported(store, how: Settings) -> tuple[dict[str, object], object, list[int]]:
    told: list[int] = []
    report = await import_messages(
        Seat(store, DEFAULT_PROJECT, how, clock=lambda: NOW),
        messages(),
        progress=lambda counts: told.append(counts.read),
    )
    assert await verify(store, DEFAULT_PROJECT) == []
    return await everything(store), report, told


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_what_processes_decide_is_what_an_import_decides(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("threadwell.intake.driving.WORTH", 1)

    async def both():
        alone = await imported(
            await with_people(MemoryStore()), Settings(owner=HOW.owner, options=HOW.options)
        )
        store = SqliteStore.open(tmp_path / "a.db") if kind == "sqlite" else MemoryStore()
        try:
            apart = await imported(await with_people(store), HOW)
            found = await store.search(DEFAULT_PROJECT, Query("Communication", count=1000))
            assert found.matches
            return alone, apart
        finally:
            await store.close()

    (expected, whole, _), (made, report, told) = asyncio.run(both())
    assert made == expected
    assert report.counts == whole.counts
    assert report.reasons == whole.reasons
    assert report.sessions == whole.sessions
    assert told == sorted(told)
    assert told[-1] == report.counts.read


def test_what_all_processes_have_decided_shares_a_commit(tmp_path, monkeypatch):
    """Each of two hands over one change set at a time, and those of both are committed together."""
    monkeypatch.setattr("threadwell.intake.driving.WORTH", 1)
    together: list[int] = []

    class Noted:
        def waiting(self, change_sets):
            pass

        def committed(self, change_sets, seconds):
            together.append(change_sets)

    async def scene():
        store = SqliteStore.open(tmp_path / "a.db")
        try:
            await with_people(store)
            store.watch(Noted())
            await imported(store, HOW)
        finally:
            await store.close()

    asyncio.run(scene())
    assert max(together) == 2
    assert together.count(2) >= 4, together


@pytest.mark.parametrize("turned", [True, False])
def test_what_is_added_is_found_by_the_search_parameters_of_the_project(
    tmp_path, monkeypatch, turned
):
    """Also where these were changed before: what was there is changed by processes as well."""
    monkeypatch.setattr("threadwell.intake.driving.WORTH", 1)

    async def scene():
        store = SqliteStore.open(tmp_path / "a.db")
        try:
            await with_people(store)
            seat = Seat(store, DEFAULT_PROJECT, HOW, clock=lambda: NOW)
            every = messages()
            await import_messages(seat, every[:150])
            if turned:
                await store.change_parameters(
                    DEFAULT_PROJECT, lambda now: now.turned("Encounter", "length", on=False)
                )
                while (await store.index(DEFAULT_PROJECT)).pending:
                    pass
            await import_messages(seat, every[150:])
            assert await verify(store, DEFAULT_PROJECT) == []
        finally:
            await store.close()
        with closing(apsw.Connection(str(tmp_path / "a.db"))) as connection:
            (secret,) = connection.execute(
                "SELECT value FROM setting WHERE name = 'secret'"
            ).fetchone()
            there = set(connection.execute("SELECT key, sort, rid FROM posting"))
            rows = connection.execute("SELECT rid, body, updated FROM resource").fetchall()
        keys = Keys(secret)
        if turned:
            found = Parameters().turned("Encounter", "length", on=False).faded().finished()
            keys.bases.has(DEFAULT_PROJECT, found.catalogue, found.turn)
        expected = set()
        for rid, body, updated in rows:
            expected.update(entries_of_body(keys, DEFAULT_PROJECT, body, updated).postings(rid))
        assert there == expected

    asyncio.run(scene())


@pytest.mark.parametrize("most", [3, 1000])
def test_people_who_are_let_go_of_between_circles_are_found_again(monkeypatch, most):
    monkeypatch.setattr("threadwell.intake.driving._MOST_PEOPLE", most)
    begun: list[object] = []

    class Noted(Run):
        async def start(self):
            begun.append(self)
            await super().start()

    monkeypatch.setattr("threadwell.intake.sending.Run", Noted)

    async def nothing(_):
        pass

    async def scene():
        store = await with_people(MemoryStore())
        seat = Seat(store, DEFAULT_PROJECT, HOW, clock=lambda: NOW)
        whose = Whose(store, DEFAULT_PROJECT, HOW)
        with Gathering(whose, 10**9, lambda _: None) as gathering:
            await gathering.read(messages(), nothing)
            importing = Importing(seat)
            importing.bring_together(gathering.ours)
            for some in batches(map(unpacked, gathering.parts()), HOW.batch):
                await importing.begin_batches([some])
            await importing.take_batches(())
            await importing.take_batches(batches(map(unpacked, gathering.waiting()), HOW.batch))
            await importing.settle()
        alone = Settings(owner=HOW.owner, options=HOW.options)
        count = len(begun)
        return (
            await everything(store),
            count,
            await imported(await with_people(MemoryStore()), alone),
        )

    made, count, (expected, _, _) = asyncio.run(scene())
    assert made == expected
    assert count > 4 if most == 3 else count == 1


def test_circles_whose_batch_is_on_its_way_are_let_go_of_and_may_come_again(monkeypatch):
    """But for those that come in pieces. Whoever asks for one again waits until it is stored."""
    begun: list[Run] = []
    left: list[int] = []

    class Noted(Run):
        async def start(self):
            begun.append(self)
            await super().start()

        def committing(self, batch):
            super().committing(batch)
            left.append(len(list(self.shelf)))

    monkeypatch.setattr("threadwell.intake.sending.Run", Noted)

    class Slow(MemoryStore):
        async def commit(self, project, change_set):
            for _ in range(100):
                await asyncio.sleep(0)
            await super().commit(project, change_set)

    def batch(patient: int, *numbers: int) -> list[Message | Broken]:
        sent = [(str(one), START + timedelta(hours=one)) for one in numbers]
        other = phone(patient)
        return [
            Message("sms", f"{patient}-{name}", other, (OFFICE,), at, name, name, other.value)
            for name, at in sent
        ]

    async def scene(store, *parts):
        await with_people(store)
        importing = Importing(Seat(store, DEFAULT_PROJECT, HOW, clock=lambda: NOW))
        importing.bring_together([OFFICE])
        for some in parts:
            await importing.begin_batches([some])
        await importing.take_batches(())
        await importing.settle()
        assert await verify(store, DEFAULT_PROJECT) == []
        return await everything(store)

    size = HOW.batch
    parts = (
        batch(0, 0, 30, 60) + batch(1, 5),
        batch(0, 1, 90) + batch(2, 5),
        batch(3, *range(size)),
        batch(3, *range(size, size + 3)),
    )
    made = asyncio.run(scene(Slow(), *parts))
    # None of them is refused, and made again by another run.
    assert len(begun) == 1
    assert left == [0, 0, 1, 1]
    assert made == asyncio.run(scene(MemoryStore(), [one for some in parts for one in some]))


def test_a_process_that_dies_ends_the_import_and_the_next_goes_on(monkeypatch):
    monkeypatch.setattr("threadwell.intake.driving.WORTH", 1)
    started: list[int] = []
    begin = crew.leader

    def noted():
        leader = begin()
        assert os.getpgid(leader.pid) != os.getpgid(0)
        started.append(leader.pid)
        return leader

    monkeypatch.setattr(crew, "leader", noted)

    async def killed():
        store = await with_people(MemoryStore())
        commit = store.commit
        commits = 0

        async def dying(project, change_set):
            nonlocal commits
            commits += 1
            if commits == 4:
                os.kill(started[0], signal.SIGKILL)
            await commit(project, change_set)

        store.commit = dying
        with pytest.raises(StoreError, match="import again"):
            await imported(store, HOW)
        store.commit = commit
        for pid in started:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        died = await everything(store)
        return (
            died,
            (await imported(store, HOW))[0],
            await imported(
                await with_people(MemoryStore()), Settings(owner=HOW.owner, options=HOW.options)
            ),
        )

    died, made, (expected, _, _) = asyncio.run(killed())
    assert PATIENTS < len(died) < len(expected)
    assert made == expected


def test_a_crew_that_was_forked_ahead_decides_the_same():
    expected, made = _made_ahead()
    assert made == expected


def _made_ahead() -> tuple[object, object]:
    """What an import makes by itself, and with a crew forked ahead: each by a program of its own,
    as whoever forks must have neither threads nor a loop.
    """
    program = """
import asyncio, json, os, sys
from threadwell.intake import driving, hand
from threadwell.intake.gathered import starting
from threadwell.stores.memory import MemoryStore
from tests.unit.intake import test_crew as here

def none():
    raise AssertionError("it was forked already")

starting._program = none
driving.WORTH = int(sys.argv[1])

async def run():
    return (await here.imported(await here.with_people(MemoryStore()), here.HOW))[0]

with starting.ahead(hand.main):
    made = asyncio.run(run())
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print(json.dumps(made, sort_keys=True))
"""
    both = [
        subprocess.run(
            [sys.executable, "-c", program, worth], capture_output=True, text=True, check=True
        ).stdout
        for worth in ("1000000", "1")
    ]
    assert all(both)
    return both[0], both[1]
