"""What its sender deletes at the provider is taken back, in whatever order that is told."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from threadwell.app import channel_labels, live_channels
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.encounters.delivery import ids_of
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import import_people, verify
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.journal import ARRIVED, entries, keep
from threadwell.intake.arrivals.taking import PAUSES, Taking
from threadwell.intake.thread_acts.withdrawing import withdraw
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore

OWN = Address(AddressKind.PHONE, "+12125550180")
ACCOUNT = Account("wa", "whatsapp_cloud", (OWN,), {"phone_number_id": "106", "app_secret": "x"})
START = datetime(2024, 5, 1, 12, tzinfo=UTC)
ANA, BEN = "12125550111", "12125550112"


def told(number: int, kind: str, said: dict[str, Any], who: str = ANA) -> dict[str, Any]:
    return {
        "from": who,
        "id": f"wamid.T{number}",
        "timestamp": str(1714564800 + number),
        "type": kind,
        kind: said,
    }


def delivery(record: dict[str, Any]) -> Delivery:
    metadata = {"display_phone_number": OWN.value[1:], "phone_number_id": "106"}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "messages": [record]}
    body = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
    }
    urls, kind = ("http://a.example.org/",), {"content-type": "application/json"}
    return Delivery("POST", urls, kind, json.dumps(body).encode(), START)


class Phone:
    """A practice's number at WhatsApp."""

    def __init__(self) -> None:
        self.store, self.now = MemoryStore(), int(START.timestamp() * 1000)
        self.taking = Taking(
            *(self.store, DEFAULT_PROJECT, live_channels(), channel_labels()),
            clock=lambda: self.now,
            withdraw=withdraw,
        )

    async def begin(self) -> None:
        rows = [{"kind": "patient", "id": "ana", "family": "Prado", "phone": f"+{ANA}"}]
        await import_people(self.store, DEFAULT_PROJECT, rows)
        await keep_account(self.store, DEFAULT_PROJECT, ACCOUNT)

    async def hear(self, record: dict[str, Any]) -> None:
        headers = frozenset({"content-type"})
        await keep(self.store, DEFAULT_PROJECT, ACCOUNT, delivery(record), headers)
        await self.taking.round()
        self.now += 1_000

    async def messages(self) -> dict[str, str]:
        """The status of each, by what it says."""
        page = await self.store.search(DEFAULT_PROJECT, Query("Communication", count=1000))
        bodies = [decode(one.body) for one in page.matches]
        return {one["payload"][0]["contentString"]: one["status"] for one in bodies if ids_of(one)}


FIRST = told(1, "text", {"body": "for my sister"})
SECOND = told(2, "text", {"body": "my knee hurts"})
DELETED = told(3, "revoke", {"original_message_id": "wamid.T1"})


@pytest.mark.parametrize("order", list(permutations((FIRST, SECOND, DELETED))))
def test_it_is_taken_back_whichever_comes_first(order: tuple[dict[str, Any], ...]) -> None:
    async def hear() -> dict[str, str]:
        phone = Phone()
        await phone.begin()
        for one in (*order, FIRST, DELETED):
            await phone.hear(one)
        phone.now += sum(PAUSES) * 1000
        await phone.taking.round()
        assert await entries(phone.store, DEFAULT_PROJECT, ARRIVED) == []
        assert await verify(phone.store, DEFAULT_PROJECT) == []
        return await phone.messages()

    assert asyncio.run(hear()) == {
        "for my sister": "entered-in-error",
        "my knee hurts": "completed",
    }


NEW_WORDS = {"type": "text", "text": {"body": "for my brother"}}
EDITED = told(4, "edit", {"original_message_id": "wamid.T1", "message": NEW_WORDS})


@pytest.mark.parametrize("order", list(permutations((FIRST, EDITED, DELETED))))
@pytest.mark.parametrize("deleted", [False, True])
def test_an_edit_takes_the_place_of_what_it_is_of(
    order: tuple[dict[str, Any], ...], deleted: bool
) -> None:
    async def hear() -> dict[str, str]:
        phone = Phone()
        await phone.begin()
        for one in order:
            if one is not DELETED or deleted:
                await phone.hear(one)
        phone.now += sum(PAUSES) * 1000
        await phone.taking.round()
        assert await verify(phone.store, DEFAULT_PROJECT) == []
        return await phone.messages()

    assert asyncio.run(hear()) == {
        "for my sister": "entered-in-error",
        "for my brother": "entered-in-error" if deleted else "completed",
    }


@pytest.mark.parametrize("who", [BEN, ANA])
def test_nobody_else_takes_it_back_and_what_never_comes_is_let_go_of(who: str) -> None:
    async def hear() -> dict[str, str]:
        phone = Phone()
        await phone.begin()
        await phone.hear(FIRST)
        of = "wamid.T1" if who == BEN else "wamid.T9"
        await phone.hear(told(4, "revoke", {"original_message_id": of}, who))
        for pause in PAUSES:
            phone.now += pause * 1000
            await phone.taking.round()
        assert await entries(phone.store, DEFAULT_PROJECT, ARRIVED) == []
        return await phone.messages()

    assert asyncio.run(hear()) == {"for my sister": "completed"}
