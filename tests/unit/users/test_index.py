"""Accounts are found by whom they act as and by their memberships; second factors are sealed."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from msgspec.structs import replace

from threadwell.stores.contract import DEFAULT_PROJECT, StoreError
from threadwell.stores.sealing import SECRETS_VARIABLE
from threadwell.users import codes
from threadwell.users.changing import add_factor, leave
from threadwell.users.keeping import change_user, find_user, user_of_member, users_as
from threadwell.users.offers import offered


def test_they_are_found_by_index(house: Any) -> None:
    made = house.invite()
    member = made.member
    found = house.run(user_of_member(house.store, DEFAULT_PROJECT, member.id))
    assert found == (made.user, member)
    assert house.run(users_as(house.store, DEFAULT_PROJECT, member.profile)) == [made.user]
    other = house.run(users_as(house.store, DEFAULT_PROJECT, f"{member.profile}0"))
    assert other == []
    assert house.run(user_of_member(house.store, "another", member.id)) is None
    house.run(leave(house.store, DEFAULT_PROJECT, made.user, member, house.clock))
    assert house.run(user_of_member(house.store, DEFAULT_PROJECT, member.id)) is None
    assert house.run(users_as(house.store, DEFAULT_PROJECT, member.profile)) == []


def test_accounts_from_before_are_found_too(house: Any) -> None:
    made = house.invite()
    for kind in ("user-member", "user-acts-as", "users-indexed"):
        for name in house.run(house.store.list_private(kind)):
            house.run(house.store.put_private(kind, name, None))
    profile = made.member.profile
    assert house.run(users_as(house.store, DEFAULT_PROJECT, profile)) == [made.user]
    assert house.run(user_of_member(house.store, DEFAULT_PROJECT, made.member.id)) is not None


def test_no_account_is_read_but_the_one_that_is_asked_for(house: Any) -> None:
    mine = house.invite()
    for number in range(3):
        house.invite(f"a{number}@clinic.example.org")
    house.run(users_as(house.store, DEFAULT_PROJECT, "nobody"))
    read: list[str] = []
    get = house.store.get_private

    async def counted(kind: str, name: str) -> bytes | None:
        read.append(kind)
        found: bytes | None = await get(kind, name)
        return found

    house.store.get_private = counted
    try:
        house.run(users_as(house.store, DEFAULT_PROJECT, mine.member.profile))
    finally:
        del house.store.get_private
    assert read.count("user") == 1


def test_the_secret_of_a_factor_is_sealed(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    user = house.user()
    secret = codes.new_secret()
    monkeypatch.setenv(SECRETS_VARIABLE, Fernet.generate_key().decode())
    now = house.clock()
    code = codes.code_at(secret, now)
    assert house.run(add_factor(house.store, DEFAULT_PROJECT, user, secret, code, now))
    kept = house.run(house.store.get_private("user", user.id))
    assert secret.encode() not in kept
    found = house.run(find_user(house.store, user.id))
    assert found.factor.secret == secret
    asked = house.run(offered(house.store, user, now))
    assert asked == house.run(offered(house.store, user, now))
    assert asked.encode() not in house.run(house.store.get_private("factor-offer", user.id))
    monkeypatch.delenv(SECRETS_VARIABLE)
    with pytest.raises(StoreError, match="sealed"):
        house.run(find_user(house.store, user.id))


def test_one_from_before_is_sealed_when_it_is_changed(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = house.user()
    secret, now = codes.new_secret(), house.clock()
    code = codes.code_at(secret, now)
    house.run(add_factor(house.store, DEFAULT_PROJECT, user, secret, code, now))
    assert secret.encode() in house.run(house.store.get_private("user", user.id))
    monkeypatch.setenv(SECRETS_VARIABLE, Fernet.generate_key().decode())
    changed = change_user(
        house.store, DEFAULT_PROJECT, user.id, lambda one: replace(one, first="Rob")
    )
    assert house.run(changed).factor.secret == secret
    assert secret.encode() not in house.run(house.store.get_private("user", user.id))
