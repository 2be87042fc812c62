"""One message by two accounts of a channel: held, answered, and in the record once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.test_intake import ANA, NOW, OWN, START, STRANGER, STRANGERS, add, with_people
from threadwell.encounters.child_ids import also_known_as, own_of
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import MissingFilter, Query
from threadwell.intake import Intake, Settings, import_messages, parse_options, quarantine, verify
from threadwell.intake.held.hold import decode_message
from threadwell.intake.sameness import say_whether_same
from threadwell.intake.seat import Seat
from threadwell.messages import Message
from threadwell.stores.contract import DEFAULT_PROJECT

HOW = Settings(options=parse_options(zone="America/Chicago"), owner=(OWN,), unknown="quarantine")
SOURCES = ("old", "new")


def a_text(number: int, minute: int, source: str, text: str, late: int) -> Message:
    """What an account tells of the text of that number, a few seconds later than another one.

    Of one in three nobody knows the sender, until somebody is added: they wait, and are replayed.
    """
    sent = START + timedelta(minutes=minute, seconds=late)
    sender = ANA if number % 3 else STRANGER
    return Message(
        *("sms", f"{source}-{number}", sender, (OWN,), sent, text, text, sender.value),
        medium="SMSWRIT",
        source=source,
    )


@st.composite
def some_texts(draw: st.DrawFn) -> list[Message]:
    """Texts that were each told of by one account, or by both."""
    out = []
    for number in range(draw(st.integers(1, 4))):
        minute, text = draw(st.integers(0, 6)), draw(st.sampled_from(["ok", "hello"]))
        sources = draw(st.sampled_from([SOURCES, SOURCES, SOURCES[:1], SOURCES[1:]]))
        late = [draw(st.integers(0, 40)) for _ in sources]
        out += [
            a_text(number, minute, *one) for one in zip(sources, [text] * 2, late, strict=False)
        ]
    return out


def number_of(external_id: str) -> str:
    return external_id.partition("-")[2]


async def taken(order: list[Message], live: list[bool], come: int) -> list[object]:
    """Each message of the record by its ids, when they come in that order."""
    store = await with_people()

    async def how() -> Settings:
        return HOW

    seat = Seat(store, DEFAULT_PROJECT, HOW, clock=lambda: NOW)
    intake = Intake(store, DEFAULT_PROJECT, how, clock=lambda: NOW)
    for at, one in enumerate(order):
        if at == come:
            await add(store, STRANGERS)
        if live[at]:
            await intake.take([one])
        else:
            await import_messages(Seat(store, DEFAULT_PROJECT, HOW, clock=lambda: NOW), [one])
    if come >= len(order):
        await add(store, STRANGERS)
    await import_messages(Seat(store, DEFAULT_PROJECT, HOW, clock=lambda: NOW), [])
    while waiting := await quarantine(store, DEFAULT_PROJECT):
        held = waiting[0]
        assert held.reason == "suspected-duplicate"
        file = await store.read(DEFAULT_PROJECT, "Binary", held.content.partition("/")[2])
        bytes_ = await store.content(DEFAULT_PROJECT, file.id, file.version_id)
        mine = decode_message(bytes_).external_id
        twin = await store.read(DEFAULT_PROJECT, "Communication", held.twin.partition("/")[2])
        same = number_of(own_of(decode(twin.body)).external_id) == number_of(mine)
        await say_whether_same(seat, held.task, same=same)
    report = await import_messages(Seat(store, DEFAULT_PROJECT, HOW, clock=lambda: NOW), order)
    assert report.counts.known == len(order)
    assert await verify(store, DEFAULT_PROJECT) == []
    query = Query("Communication", (MissingFilter("part-of", missing=False),), count=100)
    children = [decode(one.body) for one in (await store.search(DEFAULT_PROJECT, query)).matches]
    ids = [
        sorted([own_of(one).external_id, *(other.value for other in also_known_as(one))])
        for one in children
        if one["status"] != "entered-in-error"
    ]
    return sorted(ids)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(some_texts(), st.data())
def test_what_two_accounts_bring_is_in_the_record_once(texts, data):
    order = data.draw(st.permutations(texts))
    live = data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))
    come = data.draw(st.integers(0, len(order)))
    by_number: dict[str, list[str]] = {}
    for one in texts:
        by_number.setdefault(number_of(one.external_id), []).append(one.external_id)
    found = asyncio.run(taken(order, live, come))
    assert found == sorted(sorted(ids) for ids in by_number.values())
