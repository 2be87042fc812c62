"""Acts among messages: in any order, in any batches, on any store, they end as the same record."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from tests.property.loop import run
from tests.property.test_intake import (
    MESSAGES,
    MOTHER,
    NOW,
    PEOPLE,
    SETTINGS,
    SHORTLY_AFTER,
    START,
    add,
    identity,
    live,
    slow,
    with_people,
)
from threadwell.encounters.acts import Done, act_id, act_task
from threadwell.encounters.corrected import Agent
from threadwell.encounters.identity import message_identity
from threadwell.encounters.times import microseconds
from threadwell.encounters.turned import Turned, Turning, turned_task
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import (
    BadAct,
    Settings,
    close_session,
    import_messages,
    open_session,
    recut,
    reopen_session,
    verify,
)
from threadwell.intake.seat import Seat
from threadwell.messages import Message
from threadwell.sessions import Kind
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore
from threadwell.threads import circle_key

CIRCLES = (("Patient/ana",), ("Patient/ben", "Patient/lea"))
BY = Agent("Nils Berg")
MINUTE = 60_000_000


class Delivery(NamedTuple):
    """Messages of a webhook or a file, or the acts that somebody has done."""

    messages: tuple[Message, ...] = ()
    acts: tuple[Done | Turned, ...] = ()


def act(number: int, kind: Kind, minute: int, circle: tuple[str, ...], of: str, who: int) -> Done:
    """The act of that number; ``of`` is a message's id, or the number of the act before."""
    opening = act_id(of.removeprefix("act ")) if of.startswith("act ") else ""
    name = str(number)
    return Done(
        act_id(name),
        kind,
        microseconds(START) + minute * MINUTE,
        circle,
        BY,
        "a-session",
        message="" if opening or kind is Kind.OPEN else of,
        opening="" if kind is Kind.OPEN else opening,
        chosen=circle[who : who + 1] if kind is Kind.OPEN else (),
    )


@st.composite
def some_acts(draw: st.DrawFn, messages: list[Message]) -> list[Done]:
    """Openings, and what follows on them or on the sessions of messages."""
    ids = [message_identity(*identity(one)).id for one in messages]
    out: list[Done] = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(list(Kind)))
        openings = [f"act {n}" for n, one in enumerate(out) if one.kind is Kind.OPEN]
        of = draw(st.sampled_from(ids + openings * 3)) if kind is not Kind.OPEN else ""
        minute = draw(st.integers(-1, 6)) * 331 + draw(st.integers(0, 10))
        circle = CIRCLES[draw(st.integers(0, 1))]
        if of.startswith("act "):
            circle = out[int(of.removeprefix("act "))].patients
        out.append(act(number, kind, minute, circle, of, draw(st.integers(0, 2))))
    return out


@st.composite
def some_turns(draw: st.DrawFn, messages: list[Message]) -> list[Turned]:
    """Threads that are closed and opened again, joined and left."""
    ids = [message_identity(*identity(one)).id for one in messages]
    out: list[Turned] = []
    for number in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(list(Turning)))
        at = microseconds(START) + draw(st.integers(-1, 2000)) * MINUTE
        who = draw(st.sampled_from(["Practitioner/kim", "Practitioner/lou"]))
        who = who if kind in (Turning.ADD, Turning.REMOVE) else ""
        name = act_id(str(50 + number))
        out.append(Turned(name, kind, at, BY, "a-header", draw(st.sampled_from(ids)), who))
    return out


def task_of(one: Done | Turned, number: str, messages: list[Message]) -> dict[str, Any]:
    if isinstance(one, Done):
        return act_task(one, number, circle_key(one.patients))
    of = {message_identity(*identity(each)).id: each for each in messages}[one.message]
    circle = CIRCLES[1] if of.sender == MOTHER or MOTHER in of.recipients else CIRCLES[0]
    return turned_task(one, number, circle_key(circle))


async def write_acts(
    store: Store, acts: tuple[Done | Turned, ...], now: int, messages: list[Message]
) -> None:
    """The Tasks as somebody else brings them, whenever that is."""
    writes = []
    for one in acts:
        before = await store.read(DEFAULT_PROJECT, "Task", one.id)
        if before is None:
            number = next(str(n) for n in range(99) if act_id(str(n)) == one.id)
            task = task_of(one, number, messages)
            version = new_id(now)
            resource, body = stamp(task, one.id, version, now)
            writes.append(Write("Task", one.id, version, now, resource, body))
    await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))


async def record(
    store: Any, deliveries: list[Delivery], how: Settings, now: int
) -> dict[str, object]:
    clock = Ticking(now)
    messages = [each for one in deliveries for each in one.messages]
    for one in deliveries:
        if one.acts:
            await write_acts(store, one.acts, clock(), messages)
        else:
            await import_messages(
                Seat(slow(store), DEFAULT_PROJECT, how, clock=clock), one.messages
            )
    await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=clock), [])
    assert await verify(store, DEFAULT_PROJECT) == []
    return await live(store)


class Ticking:
    """A clock by which everything happens a little later than what was before."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1
        return self.now


def shuffled(
    messages: list[Message], acts: Sequence[Done | Turned], random: Random
) -> list[Delivery]:
    """All of it cut into deliveries, some of it twice, in any order."""
    again = random.sample(messages, random.randint(0, len(messages)))
    every = [*messages, *again]
    random.shuffle(every)
    out: list[Delivery] = []
    while every:
        size = random.randint(1, 4)
        out.append(Delivery(tuple(every[:size])))
        every = every[size:]
    for one in acts:
        out.insert(random.randint(0, len(out)), Delivery(acts=(one,)))
    return out


@COSTLY
@given(MESSAGES, SETTINGS, st.sampled_from([NOW, SHORTLY_AFTER]), st.randoms(), st.data())
def test_order_parts_and_repetitions_do_not_matter_to_acts(messages, how, now, random, data):
    acts = [*data.draw(some_acts(messages)), *data.draw(some_turns(messages))]

    async def both():
        at_once = [Delivery(acts=tuple(acts)), Delivery(tuple(messages))]
        return (
            await record(await with_people(), at_once, how, now),
            await record(await with_people(), shuffled(messages, acts, random), how, now),
        )

    at_once, in_parts = asyncio.run(both())
    assert in_parts == at_once


@COSTLY
@given(MESSAGES, SETTINGS, SETTINGS, st.randoms(), st.data())
def test_acts_are_cut_anew_as_if_they_had_always_been_so(messages, before, after, random, data):
    acts = data.draw(some_acts(messages))
    after = replace(after, unknown=before.unknown)

    async def both():
        store = await with_people()
        await record(store, shuffled(messages, acts, random), before, NOW)
        await recut(Seat(store, DEFAULT_PROJECT, after, clock=Ticking(NOW + 10_000)))
        fresh = [Delivery(acts=tuple(acts)), Delivery(tuple(messages))]
        return await live(store), await record(await with_people(), fresh, after, NOW)

    cut, fresh = asyncio.run(both())
    assert _as_cut(cut) == _as_cut(fresh)


def _as_cut(record: dict[str, object]) -> dict[str, object]:
    return {name: one for name, one in record.items() if not name.startswith(("Task/", "Binary/"))}


@COSTLY
@given(MESSAGES, SETTINGS, st.randoms(), st.data())
def test_what_was_done_live_follows_from_messages_and_acts(messages, how, random, data):
    """A clinic acts while messages come; afterwards everything is imported into a new store."""
    acting = data.draw(st.lists(st.sampled_from(["open", "close", "reopen"]), max_size=5))

    async def both():
        store = await with_people()
        now = int(START.timestamp() * 1000)
        for one in sorted(shuffled(messages, [], random), key=lambda one: one.messages[0].sent):
            now += 7 * 3_600_000
            clock = Ticking(now)
            await import_messages(
                Seat(slow(store), DEFAULT_PROJECT, how, clock=clock), one.messages
            )
            if acting:
                await _act(store, acting.pop(), how, clock, random)
        await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=Ticking(NOW)), messages)
        found = await store.search(DEFAULT_PROJECT, Query("Task", count=1000))
        acts = [one for one in found.matches if b"-session" in one.body]
        fresh = await with_people()
        for one in acts:
            resource = decode(one.body)
            write = Write("Task", one.id, one.version_id, one.updated, resource, one.body)
            await fresh.commit(DEFAULT_PROJECT, ChangeSet((write,)))
        await import_messages(Seat(fresh, DEFAULT_PROJECT, how, clock=Ticking(NOW)), messages)
        assert await verify(store, DEFAULT_PROJECT) == []
        return _as_cut(await live(store)), _as_cut(await live(fresh))

    lived, fresh = asyncio.run(both())
    assert lived == fresh


async def _act(store: MemoryStore, kind: str, how: Settings, clock: Any, random: Random) -> None:
    if kind == "open":
        whom = random.choice([["Patient/ana"], ["Patient/lea"], ["Patient/ben", "Patient/lea"]])
        await open_session(Seat(store, DEFAULT_PROJECT, how, BY, clock), whom)
        return
    page = await store.search(DEFAULT_PROJECT, Query("Encounter", count=1000))
    bodies = [decode(one.body) for one in page.matches]
    ids = sorted(
        one["id"] for one in bodies if one["status"] != "entered-in-error" and "partOf" not in one
    )
    if ids:
        do = close_session if kind == "close" else reopen_session
        name = f"Encounter/{random.choice(ids)}"
        done = await do(Seat(store, DEFAULT_PROJECT, how, BY, clock), name)
        over = done.status in ("finished", "cancelled")
        assert over == (kind == "close")


#: Messages and acts of one seed, for the stores on disk: an opening, its closing, a reopening.
def example_of(seed: int) -> tuple[list[Message], list[Done | Turned]]:
    random = Random(seed)
    from tests.property.test_intake import ANA, OFFICE, OWN

    messages = []
    for number in range(10):
        sent = START.replace(minute=number * 5) if number < 8 else START.replace(day=10)
        mother = random.random() < 0.4
        sender, to, thread = (MOTHER, OFFICE, "") if mother else (ANA, OWN, ANA.value)
        text = random.choice(["hello", "Ben has a fever", "and lea's cough?", "stop now", "start"])
        channel, medium = ("email", "EMAILWRIT") if mother else ("sms", "SMSWRIT")
        messages.append(
            Message(channel, str(number), sender, (to,), sent, text, text, thread, medium=medium)
        )
    ids = [message_identity(*identity(one)).id for one in messages]
    opened = random.randint(0, 20)
    acts = [
        act(0, Kind.OPEN, opened, CIRCLES[0], "", 0),
        act(1, Kind.CLOSE, opened + random.randint(1, 30), CIRCLES[0], "act 0", 0),
        act(2, Kind.CLOSE, random.randint(0, 50), CIRCLES[1], random.choice(ids), 0),
        act(3, Kind.REOPEN, random.randint(20, 90), CIRCLES[0], random.choice(ids), 0),
        act(4, Kind.OPEN, random.randint(0, 50), CIRCLES[1], "", random.randint(0, 1)),
    ]
    turns = [
        Turned(
            act_id(str(50 + at)),
            kind,
            microseconds(START) + (at * 13 + seed) * MINUTE,
            BY,
            "a-header",
            random.choice(ids),
            "Practitioner/kim" if at < 3 else "",
        )
        for at, kind in enumerate(
            [Turning.ADD, Turning.REMOVE, Turning.ADD, Turning.CLOSE, Turning.REOPEN]
        )
    ]
    return messages, [*acts, *turns]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("policy", ["explicit", "inactivity-gap", "per-day", "per-thread"])
@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_every_store_ends_with_the_same(kind: str, policy: str, seed: int, request: Any) -> None:
    messages, acts = example_of(seed)
    from tests.property.test_intake import OWN

    how = Settings(
        policy=policy,
        scope=("thread", "patient")[seed % 2],
        owner=(OWN,),
        opening=("start",),
        closing=("stop",),
        batch=3,
    )

    async def both() -> tuple[dict[str, object], dict[str, object]]:
        at_once = [Delivery(acts=tuple(acts)), Delivery(tuple(messages))]
        expected = await record(await with_people(), at_once, how, NOW)
        with tempfile.TemporaryDirectory() as folder:
            store = await _store(kind, folder, request)
            try:
                await add(store, PEOPLE)
                parts = shuffled(messages, acts, Random(seed))
                return expected, await record(store, parts, how, NOW)
            finally:
                await store.close()

    expected, found = run(both())
    assert found == expected


async def _store(kind: str, folder: str, request: Any) -> Any:
    if kind == "memory":
        return MemoryStore()
    if kind == "sqlite":
        return SqliteStore.open(Path(folder) / "acts.db")
    return PostgresStore.open(request.getfixturevalue("empty_postgres_url"))


def test_of_two_closings_at_once_one_is_recorded() -> None:
    """Somebody else closes the session between deciding and writing."""
    messages, _ = example_of(1)
    how = Settings(policy="per-thread", owner=())
    clock = Ticking(int(START.timestamp() * 1000) + 3_600_000)

    async def race() -> tuple[list[str], int]:
        store = await with_people()
        await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=clock), messages[:1])
        page = await store.search(DEFAULT_PROJECT, Query("Encounter"))
        name = f"Encounter/{page.matches[0].id}"
        done = await asyncio.gather(
            *(
                close_session(Seat(slow(store), DEFAULT_PROJECT, how, BY, clock), name)
                for _ in range(5)
            ),
            import_messages(Seat(slow(store), DEFAULT_PROJECT, how, clock=clock), messages[1:2]),
        )
        closed = [one.act for one in done[:-1] if one.act]
        tasks = await store.search(DEFAULT_PROJECT, Query("Task", count=100))
        return closed, sum(b"close-session" in one.body for one in tasks.matches)

    closed, recorded = asyncio.run(race())
    assert (len(closed), recorded) == (1, 1)


def test_of_two_openings_at_once_one_is_recorded() -> None:
    async def race() -> set[str]:
        store = await with_people()
        clock = Ticking(NOW)
        done = await asyncio.gather(
            *(
                open_session(Seat(slow(store), DEFAULT_PROJECT, how, clock=clock), [CIRCLES[0][0]])
                for _ in range(5)
            )
        )
        assert sum(bool(one.act) for one in done) == 1
        return {one.session for one in done}

    how = Settings(policy="explicit")
    assert len(asyncio.run(race())) == 1


def test_a_patient_of_several_families_needs_a_thread() -> None:
    async def opened() -> None:
        store = await with_people()
        patient = {"reference": "Patient/ben"}
        for other, mail in (("x", "one@example.org"), ("y", "two@example.org")):
            point = [{"system": "email", "value": mail}]
            people = [
                ("Patient", other, {}),
                ("RelatedPerson", f"{other}-1", {"patient": patient, "telecom": point}),
                (
                    "RelatedPerson",
                    f"{other}-2",
                    {"patient": {"reference": f"Patient/{other}"}, "telecom": point},
                ),
            ]
            await add(store, people)
        await open_session(Seat(store, DEFAULT_PROJECT, Settings()), ["Patient/ben"])

    with pytest.raises(BadAct, match="several families: name the thread"):
        asyncio.run(opened())
