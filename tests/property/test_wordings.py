"""Whatever the order, the batches and who takes them: the last words of a message stand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from tests.property.test_intake import ANA, NOW, OFFICE, PEOPLE, START, add, with_people
from tests.property.test_live import dealing, uneven
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import Intake, Settings, parse_options, verify
from threadwell.messages import Message
from threadwell.messages.wordings import original_of, wording_id
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.sqlite import SqliteStore

HOW = Settings(owner=(OFFICE,), options=parse_options(gap="6h"))


@st.composite
def worded_anew(draw: st.DrawFn) -> list[Message]:
    """All wordings of one or two messages, with the same words for some of them."""
    out: list[Message] = []
    for number in range(draw(st.integers(1, 2))):
        sent = START + timedelta(minutes=number)
        words = draw(st.lists(st.sampled_from("ABC"), min_size=1, max_size=5))
        first = Message(
            *("slack", f"m:{number}", ANA, (OFFICE,), sent, words[0], words[0]),
            thread_hint="C1",
            medium="APPWRIT",
            made_id=True,
        )
        out.append(first)
        for at, text in enumerate(words[1:], 1):
            edited = sent + timedelta(minutes=at)
            id_ = wording_id(first.external_id, text, at=edited)
            out.append(replace(first, external_id=id_, text=text, new_text=text, edited=edited))
    return out


async def _outcome(
    store: Store, hands: list[list[list[Message]]], pauses: list[list[int]]
) -> dict[str, list[str]]:
    """What counts of each message at the end, by the id of that."""

    async def how() -> Settings:
        return HOW

    intakes = [
        Intake(uneven(store, some), DEFAULT_PROJECT, how, clock=lambda: NOW) for some in pauses
    ]

    async def take(intake: Intake, batches: list[list[Message]]) -> None:
        for batch in batches:
            counts = (await intake.take(batch)).counts
            assert counts.read == len(batch) == counts.new + counts.known
            assert counts.known >= 0

    await asyncio.gather(*map(take, intakes, hands))
    await intakes[0].finish()
    assert await verify(store, DEFAULT_PROJECT) == []
    out: dict[str, list[str]] = {}
    for stored in (await store.search(DEFAULT_PROJECT, Query("Communication", count=100))).matches:
        body = decode(stored.body)
        if "payload" in body and body["status"] == "completed":
            id_ = original_of(body["identifier"][0]["value"])
            out.setdefault(id_, []).append(body["payload"][0]["contentString"])
    return out


def _expected(messages: list[Message]) -> dict[str, list[str]]:
    return {original_of(one.external_id): [one.text] for one in messages}


@COSTLY
@given(dealing(worded_anew()))
def test_the_last_words_stand(dealt_out) -> None:
    messages, hands, pauses = dealt_out

    async def run() -> dict[str, list[str]]:
        return await _outcome(await with_people(), hands, pauses)

    assert asyncio.run(run()) == _expected(messages)


@settings(max_examples=6, deadline=None)
@given(dealing(worded_anew()))
def test_the_last_words_stand_on_disk(dealt_out) -> None:
    messages, hands, pauses = dealt_out

    async def run(path: Path) -> dict[str, list[str]]:
        store = SqliteStore.open(path)
        await add(store, PEOPLE)
        try:
            return await _outcome(store, hands, pauses)
        finally:
            await store.close()

    with TemporaryDirectory() as folder:
        assert asyncio.run(run(Path(folder) / "words.db")) == _expected(messages)
