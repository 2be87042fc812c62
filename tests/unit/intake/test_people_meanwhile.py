"""Somebody gets an address, or loses it, between the decision about a message and its commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from threadwell.app import open_store
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import Intake, Settings, import_messages, quarantine, verify
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Conflict, Store, Write
from threadwell.stores.memory import MemoryStore

SETTINGS = Settings(owner=(Address(AddressKind.PHONE, "+12125550100"),))
ANA, NEW = "+12125550111", "(212) 555-0199"


async def person(store: Store, id_: str, *phones: str, type_: str = "Patient", **more: Any) -> None:
    before = await store.read(DEFAULT_PROJECT, type_, id_)
    body = {"resourceType": type_, "telecom": [{"value": one} for one in phones], **more}
    resource, written = stamp(body, id_, new_id(1), 1)
    version = resource["meta"]["versionId"]
    write = Write(type_, id_, version, 1, resource, written, before)
    await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))


async def nobody(store: Store) -> None:
    """Nobody writes anything."""


async def new_patient(store: Store) -> None:
    await person(store, "new", NEW)


async def mother(store: Store) -> None:
    patient = {"reference": "Patient/ana"}
    await person(store, "mother", NEW, type_="RelatedPerson", patient=patient)


async def shares(store: Store) -> None:
    await person(store, "ole", ANA)


async def loses(store: Store) -> None:
    await person(store, "ana", "+12125550112")


async def a_stranger(store: Store) -> None:
    await person(store, "other", "+12125550188")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Any) -> Callable[[], Store]:
    if request.param == "memory":
        return MemoryStore
    if request.param == "sqlite":
        return lambda: open_store(tmp_path / "meanwhile.db")
    url = request.getfixturevalue("postgres_url")
    return lambda: open_store(url)


@pytest.mark.parametrize("live", [True, False], ids=["live", "import"])
@pytest.mark.parametrize(
    ("act", "phone", "subject", "reason"),
    [
        (nobody, NEW, "", "unknown-sender"),
        (a_stranger, NEW, "", "unknown-sender"),
        (new_patient, NEW, "Patient/new", ""),
        (mother, NEW, "Patient/ana", ""),
        (shares, ANA, "", "shared-address"),
        (loses, ANA, "", "unknown-sender"),
        (a_stranger, ANA, "Patient/ana", ""),
    ],
)
def test_who_has_the_address_at_the_commit_counts(
    store: Callable[[], Any],
    sms: Any,
    live: bool,
    act: Callable[[Store], Awaitable[None]],
    phone: str,
    subject: str,
    reason: str,
) -> None:
    async def settings() -> Settings:
        return SETTINGS

    async def run() -> None:
        there = store()
        await person(there, "ana", ANA)
        commit = there.commit

        async def late(project: str, change_set: ChangeSet) -> None:
            if any(one.type in ("Communication", "Task") for one in change_set.writes):
                there.commit = commit
                await act(there)
            await commit(project, change_set)

        there.commit = late
        message = sms("a", "08:00", phone="+12125550199" if phone == NEW else phone)
        if live:
            await Intake(there, DEFAULT_PROJECT, settings).take([message])
        else:
            await import_messages(Seat(there, DEFAULT_PROJECT, SETTINGS), [message])
        held = await quarantine(there, DEFAULT_PROJECT)
        assert [one.reason for one in held] == ([reason] if reason else [])
        page = await there.search(DEFAULT_PROJECT, Query("Encounter"))
        subjects = [decode(one.body)["subject"]["reference"] for one in page.matches]
        assert subjects == ([subject] if subject else [])
        assert await verify(there, DEFAULT_PROJECT) == []
        await there.close()

    asyncio.run(run())


def test_what_was_known_before_rests_on_nobody(sms) -> None:
    """A delivery brings a known message beside a new one: nothing of it is refused."""
    refused: list[Conflict] = []

    class Telling(MemoryStore):
        async def commit(self, project: str, change_set: ChangeSet) -> None:
            try:
                await super().commit(project, change_set)
            except Conflict as conflict:
                refused.append(conflict)
                raise

    async def settings() -> Settings:
        return SETTINGS

    async def lived() -> int:
        store = Telling()
        await person(store, "ana", ANA)
        await person(store, "new", NEW)
        known = sms("a", "08:00", phone=ANA)
        await import_messages(Seat(store, DEFAULT_PROJECT, SETTINGS), [known])
        intake = Intake(store, DEFAULT_PROJECT, settings)
        report = await intake.take([known, sms("b", "08:10", phone="+12125550199")])
        return report.counts.new

    assert asyncio.run(lived()) == 1
    assert refused == []
