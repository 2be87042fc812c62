"""How much of a long circle is read for a message: what may still differ, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from threadwell.app import live_channels, open_store
from threadwell.channels.account import Account
from threadwell.encounters import codes
from threadwell.encounters.identity import message_identity
from threadwell.encounters.pattern import is_session
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import Intake, Settings, import_messages, import_people, parse_options
from threadwell.intake.accounts import keep_account
from threadwell.intake.circles import shelf
from threadwell.intake.replies.writing import reply
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write
from threadwell.stores.memory import MemoryStore

ANA = Address(AddressKind.PHONE, "+12125550101")
OWN = Address(AddressKind.PHONE, "+12125550100")
START = datetime(2023, 1, 1, 12, tzinfo=UTC)
NOW = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp() * 1000)
HOW = Settings(policy="inactivity-gap", options=parse_options(gap="6h"), owner=(OWN,))
DAYS = 45
PEOPLE = [{"kind": "patient", "id": "ana", "given": "Ana", "phone": ANA.value}]


def said(day: int, *, hours: int = 0, channel: str = "sms", answers: str = "") -> Message:
    """What Ana writes on a day, each day a session."""
    sent = START + timedelta(days=day, hours=hours)
    name, text = f"{day}.{hours}", f"day {day}, {hours}"
    return Message(
        *(channel, name, ANA, (OWN,), sent, text, text, "a"), in_reply_to=answers, medium="SMSWRIT"
    )


PAST = [replace(said(day), external_id=str(day)) for day in range(DAYS)]


@contextmanager
def counted() -> Iterator[list[tuple[str, int]]]:
    """How circles were read: from their ``tail`` on or ``whole``, and how many messages."""
    read: list[tuple[str, int]] = []

    def counting(how: str, real: Callable[..., Any]) -> Callable[..., Any]:
        async def load(*given: Any, **more: Any) -> Any:
            found = await real(*given, **more)
            read.extend((how, len(one.messages)) for one in found.values())
            return found

        return load

    with (
        patch("threadwell.intake.circles.tail.SHORT", 30),
        patch.object(shelf, "load_tails", counting("tail", shelf.load_tails)),
        patch.object(shelf, "load_circles", counting("whole", shelf.load_circles)),
    ):
        yield read


async def with_past(store: Store, how: Settings = HOW) -> None:
    await import_people(store, DEFAULT_PROJECT, PEOPLE)
    with patch("threadwell.intake.circles.tail.SHORT", 30):
        await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=lambda: NOW), PAST)


async def take(store: Store, *messages: Message, how: Settings = HOW) -> list[tuple[str, int]]:
    """What an intake that has nothing at hand reads of circles for those messages."""

    async def settings() -> Settings:
        return how

    intake = Intake(store, DEFAULT_PROJECT, settings, clock=lambda: NOW)
    # What was looked through once is not looked through by the next one.
    with counted() as read, patch("threadwell.intake.driving.WORTH_KEEPING", 1):
        await intake.take(messages)
    return read


async def record(store: Store) -> dict[str, Any]:
    out = {}
    for type_ in ("Communication", "Encounter", "Task"):
        page = await store.search(DEFAULT_PROJECT, Query(type_, count=1000))
        for one in page.matches:
            body = decode(one.body)
            del body["meta"]
            out[f"{type_}/{one.id}"] = body
    return out


async def put(store: Store, type_: str, id_: str, **elements: Any) -> None:
    """Somebody writes over FHIR."""
    before = await store.read(DEFAULT_PROJECT, type_, id_)
    body = {"resourceType": type_, **(decode(before.body) if before else {}), **elements}
    tag = body.pop("tag", None)
    body["meta"] = {"tag": [tag]} if tag else {}
    resource, written = stamp(body, id_, new_id(NOW), NOW)
    version = resource["meta"]["versionId"]
    write = Write(type_, id_, version, NOW, resource, written, before)
    await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))


async def bill(store: Store, at: int) -> None:
    """The session of that day is billed."""
    page = await store.search(DEFAULT_PROJECT, Query("Encounter", count=1000))
    bodies = [decode(one.body) for one in page.matches]
    every = sorted(filter(is_session, bodies), key=lambda one: str(one["period"]["start"]))
    await put(store, "Encounter", every[at]["id"], tag=codes.BILLED)
    # What people change is looked at once, with the whole circle.
    assert (await take(store, said(DAYS - 1, hours=1)))[-1][0] == "whole"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def opened(request, tmp_path) -> Callable[[], Store]:
    if request.param == "memory":
        return MemoryStore
    if request.param == "sqlite":
        return lambda: open_store(str(tmp_path / "store.db"))
    url = request.getfixturevalue("postgres_url")
    return lambda: open_store(url)


def test_a_message_reads_what_may_still_differ(opened):
    """On every store; and what an intake leaves is what an import of all of it leaves."""
    new = [said(DAYS), said(DAYS, hours=1, answers="7"), said(DAYS, hours=9)]

    async def lived() -> None:
        store = opened()
        await with_past(store)
        for one in new:
            ((how, messages),) = await take(store, one)
            assert how == "tail"
            assert messages < 30
        found = await record(store)
        await store.close()
        whole = MemoryStore()
        await import_people(
            whole,
            DEFAULT_PROJECT,
            [{"kind": "patient", "id": "ana", "given": "Ana", "phone": ANA.value}],
        )
        await import_messages(Seat(whole, DEFAULT_PROJECT, HOW, clock=lambda: NOW), [*PAST, *new])
        assert found == await record(whole)

    asyncio.run(lived())


@pytest.mark.parametrize(
    ("meanwhile", "message", "how", "expected"),
    [
        (None, said(DAYS - 2, hours=1), HOW, "tail"),
        (None, said(3, hours=1), HOW, "whole"),
        (None, said(DAYS, channel="chat"), HOW, "tail"),
        (None, said(DAYS, answers="3"), HOW, "tail"),
        (None, replace(said(DAYS), thread_hint="b"), HOW, "tail"),
        (None, replace(said(DAYS), thread_hint=""), HOW, "whole"),
        (None, said(DAYS), replace(HOW, options=parse_options(gap="7h")), "whole"),
        (None, said(DAYS), replace(HOW, policy="per-day"), "whole"),
        (lambda store: bill(store, 3), said(DAYS), HOW, "tail"),
        (lambda store: bill(store, DAYS - 2), said(DAYS - 2, hours=1), HOW, "tail"),
        (
            lambda store: put(
                store,
                *("RelatedPerson", "mia"),
                patient={"reference": "Patient/ana"},
                telecom=[{"system": "phone", "value": ANA.value}],
            ),
            *(said(DAYS), HOW, "whole"),
        ),
        (
            lambda store: put(
                store,
                *("Practitioner", "kim"),
                telecom=[{"system": "phone", "value": OWN.value}],
            ),
            *(said(DAYS), HOW, "whole"),
        ),
    ],
)  # fmt: skip
def test_from_when_on_a_circle_is_read(meanwhile, message, how, expected):
    async def lived() -> tuple[list[tuple[str, int]], dict[str, Any], dict[str, Any]]:
        narrow, whole = MemoryStore(), MemoryStore()
        for store in (narrow, whole):
            await with_past(store)
            if meanwhile is not None:
                await meanwhile(store)
        read = await take(narrow, message, how=how)
        with patch("threadwell.intake.circles.tails.Tails.read", no_tails):
            await take(whole, message, how=how)
        return read, await record(narrow), await record(whole)

    read, narrow, whole = asyncio.run(lived())
    assert read[-1][0] == expected
    assert narrow == whole


async def no_tails(*_: Any) -> dict[str, Any]:
    return {}


def test_a_message_from_before_that_answers_a_new_one_is_found():
    early = said(5, hours=1, channel="chat", answers=f"{DAYS}.0")

    async def lived() -> tuple[list[tuple[str, int]], dict[str, Any]]:
        store = MemoryStore()
        await with_past(store)
        await take(store, early)
        read = await take(store, said(DAYS, channel="chat"))
        return read, await record(store)

    read, found = asyncio.run(lived())
    assert read[-1][0] == "whole"
    answering = [one for one in found.values() if "partOf" in one and "inResponseTo" in one]
    assert [one["identifier"][0]["value"] for one in answering] == ["5.1"]


def texted(day: int, *, out: bool = False) -> Message:
    """The same as a text of the day, which can be replied to."""
    one = said(day)
    ends = {"sender": OWN, "recipients": (ANA,)} if out else {}
    return replace(one, channel="twilio", external_id=f"SM{day:032x}", source="AC1", **ends)


@pytest.mark.parametrize(
    ("days", "answers", "read"),
    [
        (range(DAYS), None, "tail"),
        (range(DAYS), DAYS - 1, "tail"),
        # What is answered, or who wrote last, is not among the last ones.
        (range(DAYS), 2, "whole"),
        ([0, *(-day for day in range(1, DAYS))], None, "whole"),
    ],
)
def test_a_reply_reads_no_more_than_it_answers(
    days: range | list[int], answers: int | None, read: str
) -> None:
    """Days below 0 are such on which the practice wrote."""

    async def written(narrow: bool) -> tuple[list[tuple[str, int]], dict[str, Any]]:
        store, now = MemoryStore(), int((START + timedelta(days=DAYS)).timestamp() * 1000)
        doctor = {"kind": "practitioner", "id": "dana", "family": "Dana"}
        await import_people(store, DEFAULT_PROJECT, [*PEOPLE, doctor])
        values = {"account_sid": "AC1", "auth_token": "t"}
        await keep_account(store, DEFAULT_PROJECT, Account("desk", "twilio", (OWN,), values))
        those = [texted(abs(day), out=day < 0) for day in days]
        with patch("threadwell.intake.circles.tail.SHORT", 30 if narrow else 10**9):
            await import_messages(Seat(store, DEFAULT_PROJECT, HOW, clock=lambda: now), those)
        child = message_identity("twilio", f"SM{answers or DAYS - 1:032x}").id
        body = decode((await store.read(DEFAULT_PROJECT, "Communication", child)).body)
        thread = body["partOf"][0]["reference"]
        [dana] = (await store.search(DEFAULT_PROJECT, Query("Practitioner"))).matches
        with counted() as loaded:
            await reply(
                Seat(store, DEFAULT_PROJECT, HOW, clock=lambda: now),
                f"Communication/{child}" if answers else thread,
                "Come at three.",
                live_channels(),
                sender=f"Practitioner/{dana.id}",
                key="k",
            )
        return loaded, await record(store)

    (loaded, narrow), (_, whole) = (asyncio.run(written(how)) for how in (True, False))
    assert narrow == whole
    assert [how for how, _ in loaded][-1] == read
