"""A circle that is read from its tail on ends as one that is read whole, whatever happens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import costly
from tests.property.deeds import DEEDS, People, told_name
from tests.property.test_intake import (
    ANA,
    ANA_MAIL,
    MOTHER,
    NOW,
    OFFICE,
    OWN,
    START,
    live,
    with_people,
)
from threadwell.channels.account import Account
from threadwell.encounters.todo import FRONT_DESK
from threadwell.fhir.json import decode, encode
from threadwell.intake import Intake, Settings, import_messages, parse_options, verify
from threadwell.intake.accounts import keep_account
from threadwell.intake.circles import load
from threadwell.intake.circles.shelf import Shelf
from threadwell.intake.seat import Seat
from threadwell.intake.tracking import Tracking
from threadwell.messages import Message
from threadwell.messages.wordings import deleted_id, original_of, wording_id
from threadwell.stores.contract import DEFAULT_PROJECT

HOUR_MS = 3_600_000

HOW = st.builds(
    lambda policy, scope, batch, tracked, memory: Settings(
        policy=policy,
        scope=scope,
        batch=batch,
        memory=memory,
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
    # Each circle that is at hand takes too much, or none does.
    st.sampled_from([0, 2**27]),
)
#: Most of the time nothing happens beside messages.
STEPS = st.one_of(*([st.just("")] * 5), st.sampled_from([*DEEDS, "bill", "reply", "import"]))
ACCOUNT = Account("desk", "twilio", (OWN, OFFICE), {"account_sid": "AC1", "auth_token": "t"})


@st.composite
def a_life(draw: st.DrawFn) -> list[Message]:
    """Messages of some weeks, most of them in the order of time."""
    out: list[Message] = []
    for number in range(draw(st.integers(3, 22))):
        hours = draw(st.integers(0, 9)) + (number * 11 if draw(st.integers(0, 5)) else 0)
        channel = draw(st.sampled_from(["twilio", "twilio", "twilio", "sms", "email"]))
        mother = draw(st.integers(0, 3)) == 0
        theirs = ANA_MAIL if channel == "email" and not mother else MOTHER if mother else ANA
        ours = OFFICE if mother or channel == "email" else OWN
        sender, to = (theirs, ours) if draw(st.booleans()) else (ours, theirs)
        text = draw(st.sampled_from(["hello", "Ben has a fever", "start", "stop", "ok", "thanks"]))
        named = draw(st.sampled_from(["", "", str(max(0, number - 1)), "2", str(number + 1)]))
        some = st.sampled_from(["0", "unseen", named or "2", str(max(0, number - 3))])
        out.append(
            Message(
                *(channel, str(number), sender, (to,), START + timedelta(hours=hours), text, text),
                thread_hint="" if channel == "email" else draw(st.sampled_from(["a", "a", "b"])),
                references=tuple(draw(st.lists(some, max_size=3, unique=True)))
                if channel == "email"
                else (),
                in_reply_to=named,
                medium="EMAILWRIT" if channel == "email" else "SMSWRIT",
            )
        )
        if draw(st.integers(0, 11)) == 0:
            out.append(another(draw(st.sampled_from(out)), draw(st.sampled_from(["", "stop"]))))
    return out


def another(message: Message, text: str) -> Message:
    """That message in other words, or without any: its sender has taken it back."""
    first, at = original_of(message.external_id), message.sent + timedelta(minutes=5)
    if not text:
        return replace(message, external_id=deleted_id(first), taken_back=True)
    id_ = wording_id(first, text, at=at)
    return replace(message, external_id=id_, text=text, new_text=text, edited=at)


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
        # Nobody else writes: what is refused more than a few times is refused for good.
        patch("threadwell.intake.patience.ATTEMPTS", 6),
        patch("threadwell.intake.patience.SECONDS", 0.0),
        patch("threadwell.intake.acts.new_id", told_name),
        patch("threadwell.intake.thread_acts.turning.new_id", told_name),
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


async def lived(
    messages: list[Message], how: Settings, doing: list[str], seed: int
) -> tuple[Any, Any]:
    """The record, and when sessions of it are over, as messages come and people act."""
    store, random = await with_people(), Random(seed)
    await keep_account(store, DEFAULT_PROJECT, ACCOUNT)
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
            await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=clock), part)
            continue
        await intake.take(part)
        now += HOUR_MS
        if does:
            await People(store, how, random, clock).do(does)
    ends = await store.list_private("silence")
    now = NOW
    intake = Intake(store, DEFAULT_PROJECT, settings, clock=clock)
    await intake.look()
    await intake.finish()
    assert await verify(store, DEFAULT_PROJECT) == []
    # A correction is named by the version that it was made on, which is another one each time.
    text = re.sub(rb"Provenance/[0-9a-f-]{36}", b"Provenance", encode(await live(store)))
    return decode(text), sorted(ends)


@costly(10)
@given(a_life(), HOW, st.lists(STEPS, min_size=11, max_size=11), st.integers(0, 99), st.data())
def test_from_the_tail_on_equals_the_whole(messages, how, doing, seed, data):
    few, many = data.draw(st.integers(1, 3)), data.draw(st.integers(3, 5))
    with tails_of(few, many):
        found = asyncio.run(lived(messages, how, doing, seed))
    with tails_of(few, many, narrow=False) as read:
        whole = asyncio.run(lived(messages, how, doing, seed))
    assert not read
    assert found == whole
