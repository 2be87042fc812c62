"""Whose Subscriptions are not served any more, as the server asks for each call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from threadwell.access.memberships import Membership, keep_membership
from threadwell.api.oauth.clients import add_client, change_client, find_client, remove_client
from threadwell.app import barred
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore
from threadwell.subscriptions.served import LIMITED, REVOKED
from threadwell.users.keeping import add_user
from threadwell.users.user import Member, User


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, ""),
        ({"active": False}, REVOKED),
        # It is told no more than its scopes let it see, and a hook cannot be told less.
        ({"scopes": ("system/Patient.rs",)}, LIMITED),
        ({"outside": True}, LIMITED),
    ],
)
def test_a_client_that_was_changed(changed: dict[str, Any], why: str) -> None:
    async def asked() -> str:
        store = MemoryStore()
        id_ = (await add_client(store, "hooks")).client_id
        client = await find_client(store, id_)
        assert client is not None
        await change_client(store, replace(client, **changed))
        return await barred(store, DEFAULT_PROJECT, f"ClientApplication/{id_}")

    assert asyncio.run(asked()) == why


@pytest.mark.parametrize(
    ("disabled", "why"), [((), ""), ((False,), ""), ((True,), REVOKED), ((True, False), "")]
)
def test_a_person_whose_accounts_are_disabled(disabled: tuple[bool, ...], why: str) -> None:
    async def asked() -> str:
        store, who = MemoryStore(), "Practitioner/1"
        for at, off in enumerate(disabled):
            member = Member(f"m{at}", DEFAULT_PROJECT, who)
            email = f"ann{at}@clinic.example.org"
            user = User(f"u{at}", email, "Ann", "Prado", 0, disabled=off, members=(member,))
            await add_user(store, DEFAULT_PROJECT, user)
        return await barred(store, DEFAULT_PROJECT, who)

    assert asyncio.run(asked()) == why


def test_one_that_is_gone_or_has_a_policy() -> None:
    async def asked() -> list[str]:
        store = MemoryStore()
        who = [f"ClientApplication/{(await add_client(store, n)).client_id}" for n in "ab"]
        await remove_client(store, who[0].partition("/")[2])
        await keep_membership(store, DEFAULT_PROJECT, Membership(who[1], who[1]))
        return [await barred(store, DEFAULT_PROJECT, one) for one in who]

    assert asyncio.run(asked()) == [REVOKED, LIMITED]
