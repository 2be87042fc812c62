"""Messages that share an id, and copies of messages that are more or less complete.

Whatever the order, the batches and the repetitions: the record ends the same, nothing is lost, and
the counts add up.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from tests.property.test_intake import (
    ANA,
    ANA_MAIL,
    MOTHER,
    NEIGHBOUR,
    OFFICE,
    SETTINGS,
    START,
    STRANGER,
    STRANGERS,
    Killed,
    add,
    before_commit,
    clock_at_now,
    live,
    slow,
    with_people,
    without_what_was_held,
)
from threadwell.encounters.said import said
from threadwell.intake import import_messages, quarantine, replay, verify
from threadwell.intake.held.hold import decode_message
from threadwell.intake.seat import Seat
from threadwell.messages import Attachment, Message
from threadwell.stores.contract import DEFAULT_PROJECT

#: Some begin alike, so that a piece may be of either.
TEXTS = (
    "My knee has hurt since Sunday, and it is warm.",
    "My knee has hurt since Sunday, but Ben has no fever.",
    "Lea has a rash. Here is a picture of it.",
    "ok",
    "",
)
FILES = (
    Attachment("a.png", "image/png", b"a"),
    Attachment("b.png", "image/png", b"b"),
)


@st.composite
def a_copy(draw: st.DrawFn) -> Message:
    """A copy of one of few messages, several of which have one id."""
    number = draw(st.integers(0, 2))
    which = draw(st.integers(0, 2))
    whole = _whole(draw(st.sampled_from(["email", "sms", "chat"])), number, which)
    text = whole.text
    if not whole.made_id and len(text) > 30 and draw(st.booleans()):
        text = text[: draw(st.sampled_from([0, 22, 30]))]
    files = tuple(
        file if draw(st.booleans()) else replace(file, content=None, note="was left out")
        for file in whole.attachments
    )
    if draw(st.booleans()):
        files = files[: draw(st.integers(0, 2))]
    recipients = whole.recipients
    if draw(st.booleans()):
        recipients = recipients[:1]
    extra = ("cut off",) if draw(st.booleans()) else ()
    return replace(
        whole,
        text=text,
        new_text=text,
        attachments=files,
        recipients=recipients,
        notes=extra,
        sent=whole.sent.replace(microsecond=draw(st.sampled_from([0, 123_000]))),
        subject=draw(st.sampled_from([whole.subject, ""])) if whole.subject else "",
    )


def without_neighbour(message: Message) -> Message:
    """Who is known only later, and merely received a message that had a place, moves nothing."""
    others = (ANA_MAIL if one is NEIGHBOUR else one for one in message.recipients)
    return replace(message, recipients=tuple(others))


def _whole(channel: str, number: int, which: int) -> Message:
    text = TEXTS[(number + which) % len(TEXTS)]
    others = {"email": (MOTHER, STRANGER, MOTHER), "sms": (ANA, ANA, NEIGHBOUR)}
    sender = others.get(channel, (ANA, MOTHER, STRANGER))[number if channel == "chat" else which]
    made = channel == "chat"
    if made:
        text = TEXTS[number]
    minutes = number * 900 + (0 if made or which == 2 else which * 331)
    return Message(
        channel,
        str(number),
        sender,
        tuple(sorted({OFFICE, NEIGHBOUR} - {sender})) if made else (OFFICE, NEIGHBOUR),
        START + timedelta(minutes=minutes),
        text,
        text,
        thread_hint="" if channel == "email" else sender.value,
        subject="A question" if channel == "email" and which else "",
        references=("1",) if channel == "email" and number == 2 else (),
        in_reply_to="0" if channel == "email" and number == 1 else "",
        attachments=FILES if (number + which) % 2 else FILES[:1],
        medium="EMAILWRIT" if channel == "email" else "SMSWRIT",
        made_id=made,
    )


async def record(store) -> dict[str, object]:
    """Everything that counts, with the words of what is held."""
    out = await live(store)
    named = str([body for name, body in out.items() if not name.startswith("Binary/")])
    dead = {name for name in out if name.startswith("Binary/") and name not in named}
    for held in await quarantine(store, DEFAULT_PROJECT):
        id_ = held.content.partition("/")[2]
        stored = await store.read(DEFAULT_PROJECT, "Binary", id_)
        content = await store.content(DEFAULT_PROJECT, id_, stored.version_id)
        out[f"held {held.task}"] = said(decode_message(content))
    return {name: body for name, body in out.items() if name not in dead}


async def taken(parts, how) -> dict[str, object]:
    store = await with_people()
    for part in parts:
        report = await import_messages(
            Seat(slow(store), DEFAULT_PROJECT, how, clock=clock_at_now), part
        )
        counts = report.counts
        assert counts.read == len(part) == counts.new + counts.known + counts.quarantined
    again = await import_messages(
        Seat(store, DEFAULT_PROJECT, how, clock=clock_at_now),
        [one for part in parts for one in part],
    )
    assert (again.counts.new, again.completed, again.superseded) == (0, 0, 0)
    assert await verify(store, DEFAULT_PROJECT) == []
    return await record(store)


@COSTLY
@given(
    st.lists(a_copy(), min_size=2, max_size=9),
    SETTINGS,
    st.sampled_from([0, 9]),
    st.data(),
)
def test_order_parts_and_repetitions_do_not_matter(copies, how, at_hand, data):
    shuffled = data.draw(st.permutations(copies))
    again = data.draw(st.lists(st.sampled_from(copies), max_size=4))
    cut = data.draw(st.integers(0, len(shuffled)))
    parts = [shuffled[:cut], again, shuffled[cut:]]

    async def both():
        at_once = await taken([copies], replace(how, batch=99))
        with patch("threadwell.intake.circles.shelf.MOST_AT_HAND", at_hand):
            return at_once, await taken(parts, how)

    at_once, in_parts = asyncio.run(both())
    assert in_parts == at_once


@COSTLY
@given(st.lists(a_copy().map(without_neighbour), min_size=2, max_size=8), SETTINGS, st.data())
def test_what_was_held_ends_as_what_was_not(copies, how, data):
    how = replace(how, unknown="quarantine")
    shuffled = data.draw(st.permutations(copies))
    cut = data.draw(st.integers(0, len(shuffled)))

    async def late_and_early():
        late = await with_people()
        for part in (copies[:cut], copies[cut:]):
            await import_messages(Seat(slow(late), DEFAULT_PROJECT, how, clock=clock_at_now), part)
        await add(late, STRANGERS)
        await replay(Seat(late, DEFAULT_PROJECT, how, clock=clock_at_now))
        early = await with_people()
        await add(early, STRANGERS)
        await import_messages(Seat(early, DEFAULT_PROJECT, how, clock=clock_at_now), shuffled)
        assert await quarantine(late, DEFAULT_PROJECT) == []
        assert await verify(late, DEFAULT_PROJECT) == []
        return await record(late), await record(early)

    late, early = asyncio.run(late_and_early())
    assert without_what_was_held(late, early) == early


@COSTLY
@given(
    st.lists(a_copy(), min_size=2, max_size=8),
    SETTINGS,
    st.integers(1, 4),
    st.booleans(),
    st.data(),
)
def test_two_imports_at_a_time_and_one_that_is_killed(copies, how, meets_at, dies, data):
    others = data.draw(st.lists(st.sampled_from(copies), min_size=1, max_size=4))

    async def both():
        store = await with_people()

        async def meet():
            await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=clock_at_now), others)
            if dies:
                raise Killed

        meddled = before_commit(store, meets_at, meet)
        with suppress(Killed):
            await import_messages(Seat(meddled, DEFAULT_PROJECT, how, clock=clock_at_now), copies)
        await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=clock_at_now), copies)
        return await record(store), await taken([copies], how)

    after, expected = asyncio.run(both())
    assert after == expected
