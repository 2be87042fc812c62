"""A circle that is read from its tail on ends as one that is read whole, whatever happens."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_acts import _act
from test_horizon import bill
from test_intake import (
    ANA,
    ANA_MAIL,
    MOTHER,
    NOW,
    OFFICE,
    OWN,
    START,
    STRANGERS,
    add,
    live,
    with_people,
)

from threadwell.encounters.pattern import is_session
from threadwell.encounters.todo import FRONT_DESK
from threadwell.fhir.json import decode, encode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import (
    BadAct,
    Intake,
    Settings,
    answer_review,
    import_messages,
    parse_options,
    verify,
)
from threadwell.intake.circles import load
from threadwell.intake.circles.answers import candidates
from threadwell.intake.circles.shelf import Shelf
from threadwell.intake.tracking import Tracking
from threadwell.messages import Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Conflict, Write
from threadwell.stores.memory import MemoryStore

HOUR_MS = 3_600_000
#: An example is lived through twice: a few in each run of the suite, many in a campaign.
MANY = settings(
    max_examples=10_000 if os.environ.get("THREADWELL_EXAMPLES") == "campaign" else 10,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

HOW = st.builds(
    lambda policy, scope, batch, tracked: Settings(
        policy=policy,
        scope=scope,
        batch=batch,
        options=parse_options(zone="America/Chicago", gap="6h", rest="2d"),
        owner=(OWN,),
        opening=("start",),
        closing=("stop",),
        tracking=Tracking(0, FRONT_DESK) if tracked else None,
    ),
    st.sampled_from(["per-day", "per-thread", "inactivity-gap", "inactivity-gap", "explicit"]),
    st.sampled_from(["thread", "patient"]),
    st.integers(1, 5),
    st.booleans(),
)
#: Most of the time nothing happens beside messages.
STEPS = st.sampled_from(
    [*([""] * 9), "close", "bill", "bill", "answer", "subject", "merge", "people", "import"]
)


@st.composite
def a_life(draw: st.DrawFn) -> list[Message]:
    """Messages of some weeks, most of them in the order of time."""
    out: list[Message] = []
    for number in range(draw(st.integers(3, 22))):
        hours = draw(st.integers(0, 9)) + (number * 11 if draw(st.integers(0, 5)) else 0)
        channel = draw(st.sampled_from(["sms", "sms", "sms", "chat", "email"]))
        mother = draw(st.integers(0, 3)) == 0
        theirs = ANA_MAIL if channel == "email" and not mother else MOTHER if mother else ANA
        ours = OFFICE if mother or channel == "email" else OWN
        sender, to = (theirs, ours) if draw(st.booleans()) else (ours, theirs)
        text = draw(st.sampled_from(["hello", "Ben has a fever", "start", "stop", "ok", "thanks"]))
        named = draw(st.sampled_from(["", "", str(max(0, number - 1)), "2", str(number + 1)]))
        out.append(
            Message(
                *(channel, str(number), sender, (to,), START + timedelta(hours=hours), text, text),
                thread_hint="" if channel == "email" else draw(st.sampled_from(["a", "a", "b"])),
                references=("0",) if channel == "email" and draw(st.booleans()) else (),
                in_reply_to=named,
                medium="EMAILWRIT" if channel == "email" else "SMSWRIT",
            )
        )
    return out


@contextmanager
def tails_of(few: int, many: int, *, narrow: bool = True) -> Iterator[list[int]]:
    """Circles have tails however short they are; how many were read so is counted."""
    read: list[int] = []
    told = load.load_tails

    async def counted(*given: Any, **more: Any) -> dict[str, Any]:
        found = await told(*given, **more)
        read.extend(len(one.messages) for one in found.values())
        return found

    with (
        patch("threadwell.intake.circles.tail.SHORT", 0),
        patch("threadwell.intake.circles.tail.FEW", few),
        patch("threadwell.intake.circles.tail.SOME", few),
        patch("threadwell.intake.circles.tail.MANY", many),
        patch("threadwell.intake.circles.shelf.load_tails", counted),
    ):
        if narrow:
            yield read
            return
        with patch.object(
            Shelf, "narrow", property(lambda _: False, lambda _, __: None), create=True
        ):
            yield read


async def change_subject(store: MemoryStore, random: Random, now: int) -> None:
    """Somebody says over FHIR that a session was about another one of the patients."""
    page = await store.search(DEFAULT_PROJECT, Query("Encounter", count=1000))
    there = sorted((one for one in page.matches if _is_about_one(decode(one.body))), key=_by_id)
    if there:
        before = random.choice(there)
        who = random.choice(["Patient/ben", "Patient/lea"])
        await put(store, before, {**decode(before.body), "subject": {"reference": who}}, now)


def _is_about_one(body: dict[str, Any]) -> bool:
    about = (body.get("subject") or {}).get("reference", "")
    return is_session(body) and about in ("Patient/ben", "Patient/lea")


def _by_id(one: Any) -> str:
    return str(one.id)


async def answer(store: MemoryStore, how: Settings, random: Random, clock: Any) -> None:
    """Somebody says whom a session is about."""
    page = await store.search(DEFAULT_PROJECT, Query("Task", count=1000))
    for task in sorted(page.matches, key=_by_id):
        possible = [one.removeprefix("Patient/") for one in candidates(decode(task.body))]
        if possible and decode(task.body)["status"] == "requested":
            whom = random.sample(possible, random.randint(1, len(possible)))
            await answer_review(store, DEFAULT_PROJECT, task.id, whom, how, clock=clock)
            return


async def merge(store: MemoryStore, now: int) -> None:
    """Léa turns out to be Ben."""
    before = await store.read(DEFAULT_PROJECT, "Patient", "lea")
    other = {"other": {"reference": "Patient/ben"}, "type": "replaced-by"}
    await put(store, before, {**decode(before.body), "active": False, "link": [other]}, now)


async def put(store: MemoryStore, before: Any, body: dict[str, Any], now: int) -> None:
    body.pop("meta", None)
    resource, written = stamp(body, before.id, new_id(now), now)
    version = resource["meta"]["versionId"]
    write = Write(before.type, before.id, version, now, resource, written, before)
    await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))


async def lived(
    messages: list[Message], how: Settings, doing: list[str], seed: int
) -> tuple[Any, Any]:
    """The record, and when sessions of it are over, as messages come and people act."""
    store, random = await with_people(), Random(seed)
    now = int(START.timestamp() * 1000) + 300 * HOUR_MS

    async def settings() -> Settings:
        return how

    def clock() -> int:
        return now

    intake = None
    parts = [messages[at : at + 2] for at in range(0, len(messages), 2)]
    for part, does in zip(parts, doing, strict=False):
        now += random.choice([1, 5, 30]) * HOUR_MS
        if intake is None or random.random() < 0.7:
            intake = Intake(store, DEFAULT_PROJECT, settings, clock=clock)
        if does == "import":
            await import_messages(store, DEFAULT_PROJECT, part, how, clock=clock)
            continue
        await intake.take(part)
        now += HOUR_MS
        if does == "bill":
            await bill(store, random, now)
        elif does == "answer":
            await answer(store, how, random, clock)
        elif does == "subject":
            await change_subject(store, random, now)
        elif does == "merge":
            await merge(store, now)
        elif does == "people":
            with suppress(Conflict):  # They have come before.
                await add(store, STRANGERS)
        elif does:
            with suppress(BadAct):  # What has been billed stays as it is.
                await _act(store, does, how, clock, random)
    ends = await store.list_private("silence")
    now = NOW
    intake = Intake(store, DEFAULT_PROJECT, settings, clock=clock)
    await intake.look()
    await intake.finish()
    assert await verify(store, DEFAULT_PROJECT) == []
    # A correction is named by the version that it was made on, which is another one each time.
    text = re.sub(rb"Provenance/[0-9a-f-]{36}", b"Provenance", encode(await live(store)))
    return decode(text), sorted(ends)


@MANY
@given(a_life(), HOW, st.lists(STEPS, min_size=11, max_size=11), st.integers(0, 99), st.data())
def test_from_the_tail_on_equals_the_whole(messages, how, doing, seed, data):
    few, many = data.draw(st.integers(1, 3)), data.draw(st.integers(3, 5))
    with tails_of(few, many):
        found = asyncio.run(lived(messages, how, doing, seed))
    with tails_of(few, many, narrow=False) as read:
        whole = asyncio.run(lived(messages, how, doing, seed))
    assert not read
    assert found == whole
