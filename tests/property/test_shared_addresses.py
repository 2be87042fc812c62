"""Who writes at a shared address: the record is the same whenever it is said, and in any order."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from threadwell.encounters.identity import message_identity
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import (
    Settings,
    answer_review,
    import_messages,
    parse_options,
    quarantine,
    recut,
    verify,
)
from threadwell.intake.held.hold import message_held_id
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore

OFFICE = Address(AddressKind.PHONE, "+12125550100")
PHONE = Address(AddressKind.PHONE, "+12125550161")
MAIL = Address(AddressKind.EMAIL, "home@example.org")
OWN_PHONE = Address(AddressKind.PHONE, "+12125550162")
DESK = Address(AddressKind.EMAIL, "desk@example.org")
START = datetime(2024, 3, 9, 20, tzinfo=UTC)
NOW = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp() * 1000)
SEVERAL = (PHONE, MAIL)


def _points(*addresses: Address) -> dict[str, object]:
    return {"telecom": [{"system": str(one.kind), "value": one.value} for one in addresses]}


#: Ida and Jon share a phone and a mailbox; Jon has a phone of his own, too. Ida's sister, who is
#: the mother of Kim, writes from the mailbox at times.
PEOPLE = [
    ("Patient", "ida", {"name": [{"given": ["Ida"]}], **_points(*SEVERAL)}),
    ("Patient", "jon", {"name": [{"given": ["Jon"]}], **_points(*SEVERAL, OWN_PHONE)}),
    ("Patient", "kim", {"name": [{"given": ["Kim"]}]}),
    ("RelatedPerson", "sister", {"patient": {"reference": "Patient/kim"}, **_points(MAIL)}),
    ("Practitioner", "desk", _points(DESK)),
]
WHO = {
    PHONE: [["Patient/ida"], ["Patient/jon"], ["Patient/ida", "Patient/jon"]],
    MAIL: [
        *(["Patient/ida"], ["Patient/jon"], ["RelatedPerson/sister"]),
        ["Patient/ida", "Patient/jon"],
        ["Patient/jon", "RelatedPerson/sister"],
    ],
}


class Saying(NamedTuple):
    """Who writes at the shared address of a message, and what that is said of."""

    message: Message
    persons: list[str]
    holds_for: str


@st.composite
def a_message(draw: st.DrawFn) -> Message:
    number = draw(st.integers(0, 9))
    sent = START + timedelta(minutes=draw(st.integers(0, 3)) * 331 + number)
    text = draw(st.sampled_from(["hello", "Ida has a fever", "and Jon's cough?", "Kim threw up"]))
    shared = draw(st.sampled_from(SEVERAL))
    ours = OFFICE if shared is PHONE else DESK
    inbound = draw(st.booleans())
    sender, first = (shared, ours) if inbound else (ours, shared)
    more = draw(st.sampled_from([(), (), (OWN_PHONE,)])) if shared is PHONE else ()
    if shared is PHONE:
        thread = f"{PHONE.value}{'+' if more else ''}"
        return Message(
            *("sms", str(number), sender, (first, *more), sent, text, text),
            thread_hint=thread,
            medium="SMSWRIT",
        )
    named = tuple(draw(st.lists(st.integers(0, 9).map(str), max_size=2, unique=True)))
    return Message(
        *("email", str(number), sender, (first,), sent, text, text),
        references=named,
        medium="EMAILWRIT",
    )


def _shared(message: Message) -> Address:
    ends = (message.sender, *message.recipients)
    return next(one for one in SEVERAL if one in ends)


def _about(message: Message, holds_for: str) -> tuple[object, ...]:
    """What an answer at that message is about: two answers about the same would be a change."""
    address = _shared(message)
    if holds_for == "message":
        return address, message.channel, message.external_id
    if holds_for == "thread":
        first = message.thread_hint or next(iter(message.references), message.external_id)
        return address, message.channel, "thread", first
    return (address,)


@st.composite
def some_sayings(draw: st.DrawFn, messages: list[Message]) -> list[Saying]:
    out: dict[tuple[object, ...], Saying] = {}
    for message in draw(st.lists(st.sampled_from(messages), max_size=4)):
        holds_for = draw(st.sampled_from(["address", "thread", "message"]))
        persons = draw(st.sampled_from(WHO[_shared(message)]))
        out.setdefault(_about(message, holds_for), Saying(message, persons, holds_for))
    return list(out.values())


MESSAGES = st.lists(
    a_message(), min_size=1, max_size=8, unique_by=lambda one: (one.channel, one.external_id)
)
SETTINGS = st.builds(
    lambda policy, scope, batch: Settings(
        policy=policy,
        scope=scope,
        batch=batch,
        options=parse_options(zone="America/Chicago", gap="6h", rest="2d"),
        owner=(OFFICE,),
    ),
    st.sampled_from(["per-day", "per-thread", "inactivity-gap"]),
    st.sampled_from(["thread", "patient"]),
    st.integers(1, 5),
)


async def with_people() -> MemoryStore:
    store = MemoryStore()
    writes = []
    for type_, id_, elements in PEOPLE:
        resource, body = stamp({"resourceType": type_, **elements}, id_, new_id(1), 1)
        writes.append(Write(type_, id_, resource["meta"]["versionId"], 1, resource, body))
    await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))
    return store


async def take(store: MemoryStore, messages: list[Message], how: Settings) -> None:
    await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=lambda: NOW), messages)


async def say(store: MemoryStore, saying: Saying, how: Settings) -> None:
    message = saying.message
    child = message_identity(message.channel, message.external_id).id
    placed = await store.read(DEFAULT_PROJECT, "Communication", child)
    asked = f"Communication/{child}" if placed else f"Task/{message_held_id(message)}"
    seat = Seat(store, DEFAULT_PROJECT, how, clock=lambda: NOW)
    await answer_review(seat, asked, saying.persons, holds_for=saying.holds_for)


async def record(store: MemoryStore) -> dict[str, object]:
    """Every live Encounter, Communication and Group, the open questions about sessions, and the
    messages that are held."""
    assert await verify(store, DEFAULT_PROJECT) == []
    out: dict[str, object] = {}
    for type_ in ("Encounter", "Communication", "Group", "Task"):
        page = await store.search(DEFAULT_PROJECT, Query(type_, count=1000))
        for stored in page.matches:
            body = decode(stored.body)
            withdrawn = body.get("status") in ("entered-in-error", "cancelled")
            if (
                withdrawn
                or body.get("active") is False
                or (type_ == "Task" and "focus" not in body)
            ):
                continue
            del body["meta"]
            out[f"{type_}/{stored.id}"] = body
    out["held"] = sorted(one.task for one in await quarantine(store, DEFAULT_PROJECT))
    return out


def whenever(
    messages: list[Message], how: Settings, sayings: list[Saying], steps: list[Message | Saying]
) -> None:
    """It is the same whether it is said after all messages, or in the order of ``steps``."""

    async def both():
        at_once = await with_people()
        await take(at_once, messages, how)
        for saying in sayings:
            await say(at_once, saying, how)
        mixed = await with_people()
        there: set[tuple[str, str]] = set()
        later: list[Saying] = []
        for step in steps:
            if isinstance(step, Message):
                await take(mixed, [step], how)
                there.add((step.channel, step.external_id))
            elif (step.message.channel, step.message.external_id) in there:
                await say(mixed, step, how)
            else:
                later.append(step)
        for saying in later:
            await say(mixed, saying, how)
        await take(mixed, messages, how)
        return await record(at_once), await record(mixed)

    at_once, mixed = asyncio.run(both())
    assert mixed == at_once


def last_counts(
    messages: list[Message], how: Settings, first: list[Saying], last: list[Saying]
) -> None:
    """It is the same whether an answer was another one before, or was not, and after a recut."""
    about = {_about(one.message, one.holds_for): one for one in [*first, *last]}

    async def both():
        changed = await with_people()
        await take(changed, messages, how)
        for saying in [*first, *last]:
            await say(changed, saying, how)
        await recut(Seat(changed, DEFAULT_PROJECT, how, clock=lambda: NOW))
        once = await with_people()
        for saying in about.values():
            await take(once, [saying.message], how)
            await say(once, saying, how)
        await take(once, messages, how)
        return await record(changed), await record(once)

    changed, once = asyncio.run(both())
    assert changed == once


@COSTLY
@given(MESSAGES, SETTINGS, st.data())
def test_it_never_matters_when_it_is_said(messages, how, data):
    sayings = data.draw(some_sayings(messages))
    whenever(messages, how, sayings, data.draw(st.permutations([*messages, *sayings])))


@COSTLY
@given(MESSAGES, SETTINGS, st.data())
def test_the_last_answer_counts_and_a_recut_leaves_it(messages, how, data):
    last_counts(messages, how, *(data.draw(some_sayings(messages)) for _ in range(2)))


def _sms(number: int, minute: int, text: str, *more: Address, out: bool = False) -> Message:
    sender, first = (OFFICE, PHONE) if out else (PHONE, OFFICE)
    sent = START + timedelta(minutes=minute)
    return Message(
        *("sms", str(number), sender, (first, *more), sent, text, text),
        thread_hint=f"{PHONE.value}{'+' if more else ''}",
        medium="SMSWRIT",
    )


def _mail(number: int, minute: int, text: str, *references: str, out: bool = False) -> Message:
    ends = (DESK, (MAIL,)) if out else (MAIL, (DESK,))
    return Message(
        *("email", str(number), *ends, START + timedelta(minutes=minute), text, text),
        references=references,
        medium="EMAILWRIT",
    )


DAYS = Settings(
    policy="per-day",
    batch=1,
    options=parse_options(zone="America/Chicago", gap="6h", rest="2d"),
    owner=(OFFICE,),
)


def test_what_names_nobody_may_be_asked_about_before_another_message_names_somebody():
    mail, ida, hello = (
        _mail(0, 0, "hello", out=True),
        _sms(0, 0, "Ida has a fever"),
        _sms(1, 332, "hello"),
    )
    sayings = [
        Saying(mail, ["Patient/ida"], "address"),
        Saying(hello, ["Patient/ida", "Patient/jon"], "address"),
    ]
    whenever([mail, ida, hello], DAYS, sayings, [mail, hello, *sayings, ida])


def test_a_recut_asks_in_the_words_of_what_is_asked():
    hello, ida = _mail(0, 0, "hello"), _mail(1, 1, "Ida has a fever", "0")
    both = [Saying(hello, ["Patient/ida", "Patient/jon"], "address")]
    last_counts([hello, ida], DAYS, [], both)


def test_whoever_wrote_a_message_that_goes_elsewhere_is_not_left_behind():
    mail, text = _mail(0, 0, "hello", out=True), _sms(3, 334, "hello", out=True)
    ida = ["Patient/ida"]
    at_mail, narrowly, at_text = (
        Saying(mail, ida, "address"),
        Saying(mail, [*ida, "Patient/jon"], "message"),
        Saying(text, ida, "address"),
    )
    how = replace(DAYS, policy="inactivity-gap", scope="patient")
    steps = [mail, text, at_mail, narrowly, at_text]
    whenever([text, mail], how, [at_mail, at_text, narrowly], steps)


def test_a_thread_that_comes_back_forgets_as_whom_its_addresses_spoke():
    text = _sms(5, 5, "hello", OWN_PHONE)
    both = ["Patient/ida", "Patient/jon"]
    first = [Saying(text, both, "address"), Saying(text, both[1:], "thread")]
    last = [Saying(text, both[:1], "address"), Saying(text, both, "message")]
    last_counts([text], replace(DAYS, policy="per-thread", scope="patient"), first, last)


def test_what_could_not_be_told_by_an_earlier_answer_is_nobodys_word():
    hello, ida = _sms(0, 0, "hello", out=True), _sms(1, 1, "Ida has a fever", OWN_PHONE)
    another = _sms(2, 2, "hello", OWN_PHONE)
    first = [Saying(hello, ["Patient/ida", "Patient/jon"], "address")]
    last = [Saying(hello, ["Patient/ida"], "address")]
    last_counts([hello, ida, another], DAYS, first, last)
