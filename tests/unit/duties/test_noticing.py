"""What people change counts at once: new people have the messages that were held for them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from threadwell.app import DUTY_NAMES
from threadwell.duties import noticing
from threadwell.duties.duty import Workplace
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import Settings, import_messages, quarantine, verify
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA, BEN = (Address(AddressKind.PHONE, f"+1212555012{n}") for n in (1, 2))
NOW = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp() * 1000)
OWN = [{"system": "phone", "value": OFFICE.value}]


def sms(id_: str, who: Address) -> Message:
    sent = datetime(2024, 4, 10, 9, tzinfo=UTC)
    return Message(
        *("sms_backup", id_, who, (OFFICE,), sent, "hello", "hello", who.value), medium="SMSWRIT"
    )


async def put(store: MemoryStore, type_: str, id_: str, **elements: Any) -> None:
    before = await store.read(DEFAULT_PROJECT, type_, id_)
    resource, body = stamp({"resourceType": type_, **elements}, id_, new_id(NOW), NOW)
    version = resource["meta"]["versionId"]
    write = Write(type_, id_, version, NOW, resource, body, before)
    await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))


async def held(store: MemoryStore) -> int:
    return len(await quarantine(store, DEFAULT_PROJECT))


async def subjects(store: MemoryStore) -> list[str]:
    page = await store.search(DEFAULT_PROJECT, Query("Encounter"))
    bodies = [decode(one.body) for one in page.matches]
    return [one["subject"]["reference"] for one in bodies if one["status"] != "entered-in-error"]


def test_it_is_one_of_the_duties() -> None:
    assert "noticing" in DUTY_NAMES


@pytest.mark.parametrize("how", ["created", "got the address"])
def test_new_people_have_their_messages(how: str) -> None:
    async def scenario() -> None:
        store = MemoryStore()
        duty = noticing.duty(Workplace(store, clock=lambda: NOW))
        await put(store, "Organization", "practice", telecom=OWN)
        if how != "created":
            await put(store, "Patient", "ana")
        await duty.round()
        settings = Settings(owner=(OFFICE,))
        messages = [sms("a", ANA), sms("b", BEN)]
        await import_messages(Seat(store, DEFAULT_PROJECT, settings, clock=lambda: NOW), messages)
        pause = await duty.round()
        assert pause is not None
        assert await held(store) == 2
        await put(store, "Patient", "ana", telecom=[{"system": "phone", "value": ANA.value}])
        await duty.round()
        assert await held(store) == 1
        assert await subjects(store) == ["Patient/ana"]
        position = await store.position(DEFAULT_PROJECT)
        await duty.round()
        assert await store.position(DEFAULT_PROJECT) == position
        assert await verify(store, DEFAULT_PROJECT) == []

    asyncio.run(scenario())


def test_merged_patients_are_one() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        duty = noticing.duty(Workplace(store, clock=lambda: NOW))
        telecom = [{"system": "phone", "value": ANA.value}]
        await put(store, "Organization", "practice", telecom=OWN)
        await put(store, "Patient", "ana")
        await put(store, "Patient", "again", telecom=telecom)
        settings = Settings(owner=(OFFICE,))
        await import_messages(
            Seat(store, DEFAULT_PROJECT, settings, clock=lambda: NOW), [sms("a", ANA)]
        )
        await duty.round()
        assert await subjects(store) == ["Patient/again"]
        link = [{"other": {"reference": "Patient/ana"}, "type": "replaced-by"}]
        await put(store, "Patient", "again", active=False, link=link, telecom=telecom)
        await duty.round()
        assert await subjects(store) == ["Patient/ana"]
        assert await verify(store, DEFAULT_PROJECT) == []

    asyncio.run(scenario())


def test_a_store_in_which_nothing_is_held_is_left_alone() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        duty = noticing.duty(Workplace(store, clock=lambda: NOW))
        await put(store, "Patient", "ana")
        for _ in range(3):
            await duty.round()
        assert await store.position(DEFAULT_PROJECT) == 1

    asyncio.run(scenario())
