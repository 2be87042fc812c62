"""A login from its beginning to its end, and what is done with stolen codes and tokens."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.logins.login_stand_in import ANNA, ASKED, BY, NOON
from threadwell.logins import endings
from threadwell.logins.login import CODE_LIFE, IDLE, LONGEST, PATIENCE, Refused
from threadwell.logins.logins import Logins
from threadwell.logins.pkce import answers, is_challenge
from threadwell.stores.memory import MemoryStore


def test_from_begin_to_end(world) -> None:
    async def story() -> None:
        logins = world.logins
        begun = await logins.begin(world.asked, agent="Firefox")
        assert await logins.of("User/1") == []
        half = await logins.identified(begun.id, "User/1", ["pwd"])
        assert (half.member, half.methods) == (None, ("pwd",))
        whole = await logins.authenticated(begun.id, world.anna, ["otp"])
        assert whole.methods == ("pwd", "otp")
        assert whole.authenticated == world.now
        code = await logins.code(begun.id, {"openid", "offline_access", "more"})
        granted = await logins.exchange(code, world.by)
        assert granted.login.scopes == ("openid", "offline_access")
        assert granted.login.asked.nonce == "n-1"
        (listed,) = await logins.of("User/1")
        assert (listed.id, listed.agent, listed.member) == (begun.id, "Firefox", world.anna)
        again = await logins.refresh(granted.refresh, "app")
        assert again.refresh not in ("", granted.refresh)
        narrow = await logins.refresh(again.refresh, "app", ["openid"])
        assert narrow.login.scopes == ("openid",)
        last = await logins.refresh(narrow.refresh, "app")
        assert last.login.scopes == granted.login.scopes
        found = await logins.by_refresh_token(last.refresh)
        assert found is not None
        assert found.id == begun.id
        before = await endings.last(world.store)
        await logins.end(begun.id)
        assert await endings.last(world.store) != before
        assert await logins.find(begun.id) is None
        assert await logins.of("User/1") == []
        with pytest.raises(Refused):
            await logins.refresh(last.refresh, "app")

    world.run(story())


@pytest.mark.parametrize(
    ("changed", "wait"),
    [
        ({"client": "another"}, 0),
        ({"redirect_uri": "https://app.example.org/back/"}, 0),
        ({"redirect_uri": ""}, 0),
        ({"verifier": "w" * 43}, 0),
        ({"verifier": ""}, 0),
        ({}, CODE_LIFE),
    ],
)
def test_a_code_shown_wrongly_is_lost(world, changed, wait) -> None:
    async def story() -> None:
        code = await world.in_()
        world.now += wait
        with pytest.raises(Refused) as refused:
            await world.logins.exchange(code, replace(world.by, **changed))
        assert refused.value.error == "invalid_grant"
        with pytest.raises(Refused):
            await world.logins.exchange(code, world.by)
        assert await world.logins.of("User/1") == []

    world.run(story())


def test_a_code_shown_again_ends_what_it_gave(world) -> None:
    async def story() -> None:
        code = await world.in_()
        granted = await world.logins.exchange(code, world.by)
        with pytest.raises(Refused):
            await world.logins.exchange(code, world.by)
        assert await world.logins.find(granted.login.id) is None
        with pytest.raises(Refused):
            await world.logins.refresh(granted.refresh, "app")

    world.run(story())


def test_of_many_who_show_a_code_at_once_one_gets_in_at_most(world) -> None:
    async def story() -> None:
        code = await world.in_()
        tries = [world.logins.exchange(code, world.by) for _ in range(5)]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(not isinstance(one, Refused) for one in outcomes) == 1
        assert await world.logins.of("User/1") == []

    world.run(story())


def test_what_is_made_up_ends_nothing(world) -> None:
    async def story() -> None:
        code = await world.in_()
        id_ = code.partition(".")[0]
        for made_up in (f"{id_}.x", f"{id_}.", id_, "", "x.y"):
            with pytest.raises(Refused):
                await world.logins.exchange(made_up, world.by)
        granted = await world.logins.exchange(code, world.by)
        signature = granted.refresh.rpartition(".")[2]
        for made_up in ("", id_, f"{id_}.1", f"{id_}.2.{signature}", f"{id_}.-1.x", f"{id_}.²."):
            with pytest.raises(Refused):
                await world.logins.refresh(made_up, "app")
        for other in (world.of("another"), world.of(granted.login.project, b"t" * 32)):
            with pytest.raises(Refused):
                await other.refresh(granted.refresh, "app")
        with pytest.raises(Refused):
            await world.logins.refresh(granted.refresh, "another")
        with pytest.raises(Refused) as wide:
            await world.logins.refresh(granted.refresh, "app", ["system/*.rs"])
        assert wide.value.error == "invalid_scope"
        assert (await world.logins.refresh(granted.refresh, "app")).refresh

    world.run(story())


def test_nobody_takes_over_a_login_of_another(world) -> None:
    async def story() -> None:
        login = await world.logins.begin(world.asked)
        with pytest.raises(Refused):
            await world.logins.code(login.id)
        await world.logins.identified(login.id, "User/1", ["pwd"])
        for step in (
            world.logins.identified(login.id, "User/2", ["pwd"]),
            world.logins.authenticated(login.id, world.bert, ["pwd"]),
            world.of("another").authenticated(login.id, world.anna, ["pwd"]),
        ):
            with pytest.raises(Refused):
                await step
        await world.logins.authenticated(login.id, world.anna, ["pwd"])
        with pytest.raises(Refused):
            await world.logins.authenticated(login.id, world.anna, ["pwd"])
        await world.logins.code(login.id)
        with pytest.raises(Refused):
            await world.logins.code(login.id)

    world.run(story())


def test_time_ends_logins(world) -> None:
    async def story() -> None:
        late = await world.logins.begin(world.asked)
        granted = await world.logins.exchange(await world.in_(), world.by)
        short = replace(world.asked, scopes=("openid",))
        once = await world.logins.exchange(await world.in_(short, world.bert), world.by)
        assert once.refresh == ""
        world.now += PATIENCE
        with pytest.raises(Refused):
            await world.logins.authenticated(late.id, world.anna, ["pwd"])
        world.now += 3_600_000
        assert await world.logins.find(once.login.id) is None
        granted = await world.logins.refresh(granted.refresh, "app")
        began = granted.login.authenticated
        for _ in range(LONGEST // (IDLE - 1) + 1):
            world.now += IDLE - 1
            if world.now >= began + LONGEST:
                break
            granted = await world.logins.refresh(granted.refresh, "app")
        with pytest.raises(Refused):
            await world.logins.refresh(granted.refresh, "app")
        for _ in range(4):
            await world.logins.begin(world.asked)
        left = await world.store.list_private("login")
        assert not {late.id, once.login.id} & set(left)
        world.now += IDLE
        for _ in range(2):
            last = await world.logins.begin(world.asked)
        assert granted.login.id not in await world.store.list_private("login")
        assert await world.store.list_private("login-of") == {}
        assert last.id in await world.store.list_private("login")

    world.run(story())


def test_all_of_somebody_end_but_one(world) -> None:
    async def story() -> None:
        ids = []
        for _ in range(3):
            granted = await world.logins.exchange(await world.in_(), world.by)
            ids.append(granted.login.id)
            world.now += 1
        other = await world.logins.exchange(await world.in_(member=world.bert), world.by)
        assert [one.id for one in await world.logins.of("User/1")] == ids
        assert await world.logins.end_all("User/1", "a new password", but=ids[1]) == 2
        assert [one.id for one in await world.logins.of("User/1")] == [ids[1]]
        assert await world.logins.find(other.login.id) is not None

    world.run(story())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=8))
def test_whatever_is_shown_again_ends_all(picks) -> None:
    """A token that is the last one goes on; any that was the last one before ends the family."""

    async def story() -> None:
        logins = Logins(MemoryStore(), "p", b"s" * 32, lambda: NOON)
        login = await logins.begin(ASKED)
        await logins.authenticated(login.id, ANNA, ["pwd"])
        granted = await logins.exchange(await logins.code(login.id), BY)
        tokens, is_on = [granted.refresh], True
        for pick in picks:
            shown = tokens[min(pick, len(tokens) - 1)]
            if is_on and shown == tokens[-1]:
                tokens.append((await logins.refresh(shown, "app")).refresh)
                continue
            is_on = False
            with pytest.raises(Refused):
                await logins.refresh(shown, "app")
        assert (await logins.find(login.id) is not None) is is_on
        assert len(set(tokens)) == len(tokens)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("challenge", "verifier", "good"),
    [
        # The example of RFC 7636, appendix B.
        (
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            True,
        ),
        ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "x" * 43, False),
        ("x" * 43, "x" * 43, False),
        ("", "x" * 43, False),
        ("", "", True),
    ],
)
def test_proof_of_the_asker(challenge: str, verifier: str, good: bool) -> None:
    assert answers(challenge, verifier) is good
    assert is_challenge(challenge) is bool(challenge)
