"""Whatever the order, the batches and the repetitions: the same messages end as the same record."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.fhir.validation import validate
from threadwell.intake import (
    Settings,
    answer_review,
    import_messages,
    parse_options,
    quarantine,
    replay,
    verify,
)
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore

OWN = Address(AddressKind.PHONE, "+15550100000")
ANA = Address(AddressKind.PHONE, "+15550100001")
ANA_MAIL = Address(AddressKind.EMAIL, "ana@example.org")
MOTHER = Address(AddressKind.EMAIL, "mother@example.org")
STRANGER = Address(AddressKind.EMAIL, "stranger@example.org")
NEIGHBOUR = Address(AddressKind.EMAIL, "neighbour@example.org")
OFFICE = Address(AddressKind.EMAIL, "office@example.org")
START = datetime(2024, 3, 9, 20, tzinfo=UTC)
NOW = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp() * 1000)
SHORTLY_AFTER = int(datetime(2024, 3, 11, 12, tzinfo=UTC).timestamp() * 1000)


def _point(address: Address) -> dict[str, str]:
    return {"system": str(address.kind), "value": address.value}


PEOPLE = [
    (
        "Patient",
        "ana",
        {
            "name": [{"given": ["Ana"]}],
            "telecom": [_point(ANA), _point(ANA_MAIL)],
        },
    ),
    ("Patient", "ben", {"name": [{"given": ["Ben"]}]}),
    ("Patient", "lea", {"name": [{"given": ["Léa"]}]}),
    *(
        (
            "RelatedPerson",
            f"mother-of-{child}",
            {"patient": {"reference": f"Patient/{child}"}, "telecom": [_point(MOTHER)]},
        )
        for child in ("ben", "lea")
    ),
    ("Practitioner", "alice", {"telecom": [_point(OFFICE)]}),
]
TEXTS = ["hello", "Ben has a fever", "and lea's cough?", "START please", "stop now", ""]


STRANGERS = [
    ("Patient", name, {"telecom": [_point(one)]})
    for name, one in (("stranger", STRANGER), ("neighbour", NEIGHBOUR))
]


async def with_people() -> MemoryStore:
    store = MemoryStore()
    await add(store, PEOPLE)
    return store


async def add(store: MemoryStore, people) -> None:
    writes = []
    for type_, id_, elements in people:
        resource, body = stamp({"resourceType": type_, **elements}, id_, new_id(1), 1)
        writes.append(Write(type_, id_, resource["meta"]["versionId"], 1, resource, body))
    await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))


@st.composite
def a_message(draw: st.DrawFn, *, copies: bool = True) -> Message:
    number = draw(st.integers(0, 9))
    sent = START + timedelta(minutes=draw(st.integers(0, 5)) * 331 + number)
    text = draw(st.sampled_from(TEXTS))
    inbound = draw(st.booleans())
    if draw(st.booleans()):
        sender, recipient = (ANA, OWN) if inbound else (OWN, ANA)
        return Message(
            "sms", str(number), sender, (recipient,), sent, text, text, ANA.value, medium="SMSWRIT"
        )
    other = draw(st.sampled_from([MOTHER, MOTHER, ANA_MAIL, STRANGER, NEIGHBOUR]))
    sender, recipient = (other, OFFICE) if inbound else (OFFICE, other)
    copied = draw(st.sampled_from([(), (), (NEIGHBOUR,), (STRANGER,)])) if copies else ()
    recipients = tuple(one for one in (recipient, *copied) if one != sender)
    named = tuple(draw(st.lists(st.integers(0, 11).map(str), max_size=3, unique=True)))
    answered = draw(st.sampled_from(["", *named, "3"]))
    return Message(
        *("email", str(number), sender, recipients, sent, text, text),
        subject=draw(st.sampled_from(["", "Question"])),
        references=named,
        in_reply_to=answered,
        medium="EMAILWRIT",
    )


def from_mother(message: Message) -> Message:
    return replace(
        message, channel="email", sender=MOTHER, recipients=(OFFICE,), thread_hint="", subject=""
    )


def identity(message: Message) -> tuple[str, str]:
    return message.channel, message.external_id


MESSAGES = st.lists(a_message(), min_size=1, max_size=12, unique_by=identity)
SETTINGS = st.builds(
    lambda policy, scope, unknown, batch, memory: Settings(
        unknown=unknown,
        memory=memory,
        policy=policy,
        scope=scope,
        batch=batch,
        options=parse_options(zone="America/Chicago", gap="6h", rest="2d"),
        owner=(OWN,),
        opening=("start",),
        closing=("stop",),
    ),
    st.sampled_from(["per-day", "per-thread", "inactivity-gap", "explicit"]),
    st.sampled_from(["thread", "patient"]),
    st.sampled_from(["quarantine", "quarantine", "patient"]),
    st.integers(1, 5),
    # What is read is brought together in memory, or on disk in the smallest parts.
    st.sampled_from([0, 2**27]),
)


WRITTEN = ("Encounter", "Communication", "Group", "Task", "Organization", "Patient", "Binary")


async def live(store: MemoryStore) -> dict[str, object]:
    """Every resource that counts, without what a server adds to it."""
    out = {}
    for type_ in WRITTEN:
        page = await store.search(DEFAULT_PROJECT, Query(type_, count=1000))
        for stored in page.matches:
            body = decode(stored.body)
            assert not validate(body)
            withdrawn = body.get("status") in ("entered-in-error", "cancelled")
            if not withdrawn and body.get("active") is not False:
                del body["meta"]
                out[f"{type_}/{stored.id}"] = body
    return out


class Wrapped:
    """A store behind which ``commit`` is another one."""

    def __init__(self, store: MemoryStore, commit) -> None:
        self._store = store
        self.commit = commit

    def __getattr__(self, name: str):
        return getattr(self._store, name)


def slow(store: MemoryStore) -> Wrapped:
    """A store that shows a commit no sooner than it has to."""

    async def commit(project, change_set):
        await asyncio.sleep(0)
        await store.commit(project, change_set)

    return Wrapped(store, commit)


def before_commit(store: MemoryStore, number: int, meet) -> Wrapped:
    """The store, with ``meet`` awaited before the commit of that number, counted from 1."""
    commits = 0

    async def commit(project, change_set):
        nonlocal commits
        commits += 1
        if commits == number:
            await meet()
        await store.commit(project, change_set)

    return Wrapped(store, commit)


def without_what_was_held(late: dict[str, object], early: dict[str, object]) -> dict[str, object]:
    """A record without the Tasks, and their Binaries, that only ``late`` has."""
    held = {name for name in late.keys() - early.keys() if name.startswith(("Task/", "Binary/"))}
    return {name: body for name, body in late.items() if name not in held}


async def record(parts: list[list[Message]], how: Settings, now: int = NOW) -> dict[str, object]:
    store = await with_people()
    for part in parts:
        importing = import_messages(
            Seat(slow(store), DEFAULT_PROJECT, how, clock=lambda: now), part
        )
        report = await importing
        counts = report.counts
        assert counts.read == len(part) == counts.new + counts.known + counts.quarantined
    assert await verify(store, DEFAULT_PROJECT) == []
    return await live(store)


async def answered(
    before: list[Message], patients: list[str], parts: list[list[Message]], how: Settings
) -> dict[str, object]:
    """The record where a person answers every question in between."""
    store = await with_people()
    await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=clock_at_now), before)
    page = await store.search(DEFAULT_PROJECT, Query("Task", count=1000))
    seat = Seat(store, DEFAULT_PROJECT, how, clock=clock_at_now)
    for task in page.matches:
        if "focus" in (body := decode(task.body)) and body["status"] == "requested":
            await answer_review(seat, task.id, patients)
    for part in parts:
        await import_messages(Seat(slow(store), DEFAULT_PROJECT, how, clock=clock_at_now), part)
    assert await verify(store, DEFAULT_PROJECT) == []
    return await live(store)


def clock_at_now() -> int:
    return NOW


@COSTLY
@given(
    MESSAGES, SETTINGS, st.sampled_from([NOW, SHORTLY_AFTER]), st.sampled_from([0, 9]), st.data()
)
def test_order_parts_and_repetitions_do_not_matter(messages, how, now, at_hand, data):
    shuffled = data.draw(st.permutations(messages))
    again = data.draw(st.lists(st.sampled_from(messages), max_size=5))
    cut = data.draw(st.integers(0, len(shuffled)))
    parts = [shuffled[:cut], again, shuffled[cut:] + again]

    async def both():
        at_once = await record([messages], how, now)
        with patch("threadwell.intake.circles.shelf.MOST_AT_HAND", at_hand):
            return at_once, await record(parts, how, now)

    at_once, in_parts = asyncio.run(both())
    assert in_parts == at_once


def test_a_session_that_lives_again_forgets_as_whom_a_mother_spoke_before():
    def mail(id_: str, minute: int, text: str, *references: str, answers: str = "") -> Message:
        return Message(
            "email",
            id_,
            OFFICE,
            (MOTHER,),
            datetime(2024, 3, 9, 20, minute, tzinfo=UTC),
            text,
            text,
            references=references,
            in_reply_to=answers,
            medium="EMAILWRIT",
        )

    mails = [
        mail("1", 1, "hello"),
        mail("2", 2, "hello", "0", answers="3"),
        mail("3", 3, "hello", "1"),
        mail("0", 0, "and lea's cough?"),
    ]
    how = Settings(policy="per-day", batch=1, owner=(OWN,))

    async def both():
        with patch("threadwell.intake.circles.shelf.MOST_AT_HAND", 0):
            one_by_one = await record([[one] for one in mails], how, NOW)
        return one_by_one, await record([mails], replace(how, batch=9), NOW)

    one_by_one, at_once = asyncio.run(both())
    assert one_by_one == at_once


@COSTLY
@given(
    st.lists(a_message().map(from_mother), min_size=1, max_size=4, unique_by=identity),
    st.lists(st.sampled_from(["Patient/ben", "Patient/lea"]), min_size=1, unique=True),
    MESSAGES,
    SETTINGS,
    st.data(),
)
def test_an_answer_holds_whatever_comes_later(before, patients, later, how, data):
    known = set(map(identity, before))
    later = [one for one in later if identity(one) not in known]
    shuffled = data.draw(st.permutations(later))
    cut = data.draw(st.integers(0, len(later)))
    parts = [shuffled[:cut], [], shuffled[cut:] + before]

    async def both():
        return (
            await answered(before, patients, [later], how),
            await answered(before, patients, parts, how),
        )

    at_once, in_parts = asyncio.run(both())
    assert in_parts == at_once


class Killed(Exception):
    """Stands for ``kill -9``."""


@COSTLY
@given(MESSAGES, SETTINGS, st.integers(1, 6), st.booleans())
def test_a_killed_import_is_made_good_by_the_next(messages, how, dies_at, written):
    async def killed():
        store = await with_people()
        commits = 0

        async def commit(project, change_set):
            nonlocal commits
            commits += 1
            if commits < dies_at or written:
                await store.commit(project, change_set)
            if commits == dies_at:
                raise Killed

        with suppress(Killed):
            dying = Wrapped(store, commit)
            await import_messages(Seat(dying, DEFAULT_PROJECT, how, clock=clock_at_now), messages)
        await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=clock_at_now), messages)
        return await live(store), await record([messages], how)

    after, expected = asyncio.run(killed())
    assert after == expected


@COSTLY
@given(MESSAGES, SETTINGS, st.integers(1, 4), st.data())
def test_two_imports_at_a_time_end_as_one(messages, how, meets_at, data):
    others = data.draw(st.lists(st.sampled_from(messages), min_size=1, unique_by=identity))

    async def both():
        store = await with_people()

        async def meet():
            await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=clock_at_now), others)

        meddled = before_commit(store, meets_at, meet)
        report = await import_messages(
            Seat(meddled, DEFAULT_PROJECT, how, clock=clock_at_now), messages
        )
        assert report.counts.read == len(messages)
        return await live(store), await record([messages], how)

    after, expected = asyncio.run(both())
    assert after == expected


@COSTLY
@given(MESSAGES, SETTINGS)
def test_a_dry_run_counts_the_same_and_writes_nothing(messages, how):
    async def both():
        store = await with_people()
        before = await live(store)
        dry = replace(how, dry_run=True)
        foretold = await import_messages(
            Seat(store, DEFAULT_PROJECT, dry, clock=clock_at_now), messages
        )
        assert await live(store) == before
        return foretold, await import_messages(
            Seat(store, DEFAULT_PROJECT, how, clock=clock_at_now), messages
        )

    foretold, done = asyncio.run(both())
    assert replace(foretold, trial=None) == done


@COSTLY
@given(
    st.lists(a_message(copies=False), min_size=1, max_size=12, unique_by=identity),
    SETTINGS.map(lambda how: replace(how, unknown="quarantine")),
)
def test_strangers_are_placed_once_somebody_knows_them(messages, how):
    async def late_and_early():
        store = await with_people()
        await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=clock_at_now), messages)
        await add(store, STRANGERS)
        await replay(Seat(store, DEFAULT_PROJECT, how, clock=clock_at_now))
        early = await with_people()
        await add(early, STRANGERS)
        await import_messages(Seat(early, DEFAULT_PROJECT, how, clock=clock_at_now), messages)
        assert await quarantine(store, DEFAULT_PROJECT) == []
        return await live(store), await live(early)

    late, early = asyncio.run(late_and_early())
    assert without_what_was_held(late, early) == early


@COSTLY
@given(MESSAGES, SETTINGS)
def test_open_sessions_are_finished_by_a_later_import(messages, how):
    async def late_and_once():
        store = await with_people()
        project = DEFAULT_PROJECT
        await import_messages(Seat(store, project, how, clock=lambda: SHORTLY_AFTER), messages)
        await import_messages(Seat(store, project, how, clock=clock_at_now), [])
        return await live(store), await record([messages], how)

    later, at_once = asyncio.run(late_and_once())
    assert later == at_once
