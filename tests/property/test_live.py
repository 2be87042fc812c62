"""However messages are dealt out to live intakes side by side, the record is that of one import."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from tests.property.test_intake import (
    MESSAGES,
    NOW,
    SETTINGS,
    SHORTLY_AFTER,
    STRANGERS,
    Wrapped,
    a_message,
    add,
    identity,
    live,
    record,
    with_people,
    without_what_was_held,
)
from threadwell.intake import Intake, Settings, import_messages, verify
from threadwell.intake.seat import Seat
from threadwell.messages import Message
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore

#: Of a message to a known and an unknown address, whom it is about depends on who was known.
WITHOUT_COPIES = st.lists(a_message(copies=False), min_size=1, max_size=12, unique_by=identity)


def uneven(store: MemoryStore, pauses: list[int]) -> Wrapped:
    """A store whose commits let others have so many turns before, one after the other."""
    left = list(pauses)

    async def commit(project, change_set):
        for _ in range(left.pop() if left else 0):
            await asyncio.sleep(0)
        await store.commit(project, change_set)

    return Wrapped(store, commit)


async def dealt(
    hands: list[list[list[Message]]],
    how: Settings,
    now: int,
    pauses: list[list[int]],
    strangers_come: int | None = None,
) -> dict[str, object]:
    """The record when each of several intakes takes its batches, all of them at the same time."""
    store = await with_people()

    async def settings() -> Settings:
        return how

    intakes = [
        Intake(uneven(store, some), DEFAULT_PROJECT, settings, clock=lambda: now) for some in pauses
    ]

    async def take(intake: Intake, batches: list[list[Message]]) -> None:
        for batch in batches:
            counts = (await intake.take(batch)).counts
            assert counts.read == len(batch) == counts.new + counts.known + counts.quarantined

    async def come() -> None:
        for _ in range(strangers_come):
            await asyncio.sleep(0)
        await add(store, STRANGERS)

    meanwhile = [come()] if strangers_come is not None else []
    await asyncio.gather(*map(take, intakes, hands), *meanwhile)
    for intake in intakes:
        await intake.look()
    await intakes[0].finish()
    assert await verify(store, DEFAULT_PROJECT) == []
    return await live(store)


@st.composite
def dealing(
    draw: st.DrawFn, of: st.SearchStrategy[list[Message]]
) -> tuple[list[Message], list[list[list[Message]]], list[list[int]]]:
    """Messages, the same in batches for several intakes, some twice, and how these wait."""
    messages = draw(of)
    every = draw(st.permutations(messages + draw(st.lists(st.sampled_from(messages), max_size=5))))
    number = draw(st.integers(1, 3))
    hands: list[list[list[Message]]] = [[] for _ in range(number)]
    at = 0
    while at < len(every):
        size = draw(st.integers(1, 4))
        hands[draw(st.integers(0, number - 1))].append(every[at : at + size])
        at += size
    pauses = [draw(st.lists(st.integers(0, 6), max_size=12)) for _ in range(number)]
    return messages, hands, pauses


@COSTLY
@given(
    dealing(MESSAGES),
    SETTINGS,
    st.sampled_from([NOW, SHORTLY_AFTER]),
    st.sampled_from([0, 9, 9999]),
)
def test_intakes_side_by_side(dealt_out, how, now, at_hand):
    messages, hands, pauses = dealt_out

    async def both():
        at_once = await record([messages], how, now)
        with patch("threadwell.intake.circles.shelf.MOST_AT_HAND", at_hand):
            return at_once, await dealt(hands, how, now, pauses)

    at_once, side_by_side = asyncio.run(both())
    assert side_by_side == at_once


@COSTLY
@given(dealing(WITHOUT_COPIES), SETTINGS, st.integers(0, 60))
def test_people_who_come_meanwhile_release_what_waits(dealt_out, how, turns):
    messages, hands, pauses = dealt_out
    if how.unknown == "patient":
        return

    async def both():
        store = await with_people()
        await add(store, STRANGERS)
        await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=lambda: NOW), messages)
        return await live(store), await dealt(hands, how, NOW, pauses, turns)

    early, late = asyncio.run(both())
    assert without_what_was_held(late, early) == early
