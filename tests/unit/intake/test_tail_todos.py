"""A circle that is read from its tail on has the to-dos of the threads that are replied in."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from tests.unit.intake.test_tails import (
    ANA,
    DAYS,
    HOW,
    OWN,
    PEOPLE,
    START,
    counted,
    put,
    record,
    said,
    take,
    texted,
)
from threadwell.app import live_channels
from threadwell.channels.account import Account
from threadwell.encounters import codes
from threadwell.encounters.identity import message_identity
from threadwell.encounters.todo import FRONT_DESK
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import import_messages, import_people, reply, verify
from threadwell.intake.accounts import keep_account
from threadwell.intake.circles import shelf
from threadwell.intake.links import as_key
from threadwell.intake.seat import Seat
from threadwell.intake.tracking import Tracking
from threadwell.messages import Message
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore

TRACKED = replace(HOW, tracking=Tracking(0, FRONT_DESK))


def answered(day: int) -> list[Message]:
    return [said(day), replace(said(day, hours=1), sender=OWN, recipients=(ANA,))]


@pytest.mark.parametrize("billed", [False, True])
def test_a_reply_ends_the_waiting_in_a_session_that_was_billed(billed: bool) -> None:
    async def written() -> tuple[list[tuple[str, int]], list[str]]:
        store, now = MemoryStore(), int((START + timedelta(days=DAYS + 9)).timestamp() * 1000)
        doctor = {"kind": "practitioner", "id": "dana", "family": "Dana"}
        await import_people(store, DEFAULT_PROJECT, [*PEOPLE, doctor])
        values = {"account_sid": "AC1", "auth_token": "t"}
        await keep_account(store, DEFAULT_PROJECT, Account("desk", "twilio", (OWN,), values))
        # In one thread each day has its answer; Ana waits in another one.
        past = [one for day in range(DAYS) for one in answered(day)]
        question = replace(texted(DAYS - 2), text="When?", new_text="When?")
        seat = Seat(store, DEFAULT_PROJECT, TRACKED, clock=lambda: now)
        with patch("threadwell.intake.circles.tail.SHORT", 30):
            await import_messages(seat, [*past, question])
        child = message_identity("twilio", question.external_id).id
        body = decode((await store.read(DEFAULT_PROJECT, "Communication", child)).body)
        header = as_key(body["partOf"][0]["reference"])
        body = decode((await store.read(DEFAULT_PROJECT, *header)).body)
        if billed:
            session = as_key(body["encounter"]["reference"])
            await put(store, *session, tag=codes.BILLED)
        for day in (DAYS, DAYS + 1):
            await take(store, *answered(day), how=TRACKED)
        [dana] = (await store.search(DEFAULT_PROJECT, Query("Practitioner"))).matches
        sender = f"Practitioner/{dana.id}"
        with counted() as loaded:
            await reply(
                *(seat, f"Communication/{child}", "Come at three.", live_channels()), sender=sender
            )
        tasks = (await store.search(DEFAULT_PROJECT, Query("Task"))).matches
        return loaded, [decode(one.body)["status"] for one in tasks]

    loaded, statuses = asyncio.run(written())
    assert loaded[-1][0] == "tail"
    assert statuses == ["completed", "completed"]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize("billed", [False, True])
def test_a_thread_that_was_last_before_the_tail_goes_on_as_in_the_whole(
    billed: bool, tracked: bool, named: bool
) -> None:
    """It is replied in, and written in again: all of the record is what the whole would give."""
    how = TRACKED if tracked else HOW

    async def written(*, whole: bool) -> tuple[dict[str, Any], list[tuple[str, int]]]:
        store, now = MemoryStore(), int((START + timedelta(days=DAYS + 9)).timestamp() * 1000)
        doctor = {"kind": "practitioner", "id": "dana", "family": "Dana"}
        await import_people(store, DEFAULT_PROJECT, [*PEOPLE, doctor])
        values = {"account_sid": "AC1", "auth_token": "t"}
        await keep_account(store, DEFAULT_PROJECT, Account("desk", "twilio", (OWN,), values))
        past = [one for day in range(DAYS) for one in answered(day)]
        question = replace(texted(2), text="When?", new_text="When?")
        seat = Seat(store, DEFAULT_PROJECT, how, clock=lambda: now)
        with patch("threadwell.intake.circles.tail.SHORT", 30):
            await import_messages(seat, [*past, question])
        child = message_identity("twilio", question.external_id).id
        body = decode((await store.read(DEFAULT_PROJECT, "Communication", child)).body)
        header = as_key(body["partOf"][0]["reference"])
        if billed:
            body = decode((await store.read(DEFAULT_PROJECT, *header)).body)
            await put(store, *as_key(body["encounter"]["reference"]), tag=codes.BILLED)
        [dana] = (await store.search(DEFAULT_PROJECT, Query("Practitioner"))).matches
        thread = f"Communication/{child if named else header.id}"
        channels, sender = live_channels(), f"Practitioner/{dana.id}"

        async def nothing(*_: Any, **__: Any) -> dict[str, Any]:
            return {}

        with patch.object(shelf, "load_tails", nothing) if whole else nullcontext():
            for day in (DAYS, DAYS + 1):
                await take(store, *answered(day), how=how)
            with counted() as loaded:
                for key in ("one", "two"):
                    await reply(seat, thread, "Come at three.", channels, sender=sender, key=key)
            await take(store, replace(texted(DAYS + 3), text="ok", new_text="ok"), how=how)
        assert await verify(store, DEFAULT_PROJECT) == []
        return await record(store), loaded

    expected, _ = asyncio.run(written(whole=True))
    found, loaded = asyncio.run(written(whole=False))
    assert loaded[0][0] == "tail"
    assert found == expected
