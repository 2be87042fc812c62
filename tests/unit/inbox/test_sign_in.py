"""Links and cookies: once, for a while, and only as hashes in the store."""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial

import pytest

from threadwell.inbox.sign_in import LINK_LIFE, good_link, new_link, redeem
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore
from threadwell.users.browsers import COOKIE_LIFE, SignIn, sign_out, signed_in

NOON = 1_710_244_800_000


async def _token(store: MemoryStore) -> str:
    link = await new_link(store, "http://here/", lambda: NOON)
    assert link.startswith("http://here/sign-in/")
    return link.rpartition("/")[2]


@pytest.mark.parametrize(("later", "works"), [(0, True), (LINK_LIFE - 1, True), (LINK_LIFE, False)])
def test_a_link_works_for_a_quarter_of_an_hour(later: int, works: bool) -> None:
    async def cookie() -> str | None:
        store = MemoryStore()
        return await redeem(store, await _token(store), lambda: NOON + later)

    assert (asyncio.run(cookie()) is not None) is works


def test_to_ask_does_not_use_a_link_up() -> None:
    async def answers() -> list[bool]:
        store = MemoryStore()
        token = await _token(store)
        moments = [NOON, NOON, NOON + LINK_LIFE]
        asked = [await good_link(store, token, partial(int, at)) for at in moments]
        await redeem(store, token, lambda: NOON)
        after = [await good_link(store, token, lambda: NOON), await good_link(store, "x")]
        return [one is not None for one in (*asked, *after)]

    assert asyncio.run(answers()) == [True, True, False, False, False]


def test_a_link_works_once_also_for_many_at_once() -> None:
    async def race() -> list[str | None]:
        store = MemoryStore()
        token = await _token(store)
        together = await asyncio.gather(*(redeem(store, token, lambda: NOON) for _ in range(5)))
        return [*together, await redeem(store, token, lambda: NOON)]

    assert sum(cookie is not None for cookie in asyncio.run(race())) == 1


@pytest.mark.parametrize(("later", "works"), [(COOKIE_LIFE - 1, True), (COOKIE_LIFE, False)])
def test_a_cookie_works_for_half_a_day(later: int, works: bool) -> None:
    async def found() -> SignIn | None:
        store = MemoryStore()
        cookie = await redeem(store, await _token(store), lambda: NOON)
        return await signed_in(store, DEFAULT_PROJECT, cookie, lambda: NOON + later)

    assert (asyncio.run(found()) is not None) is works


@pytest.mark.parametrize("cookie", [None, "", "no such cookie"])
def test_nothing_else_is_a_cookie(cookie: str | None) -> None:
    assert asyncio.run(signed_in(MemoryStore(), DEFAULT_PROJECT, cookie)) is None


def test_signing_out_ends_it() -> None:
    async def after() -> SignIn | None:
        store = MemoryStore()
        cookie = await redeem(store, await _token(store), lambda: NOON)
        await sign_out(store, DEFAULT_PROJECT, cookie)
        return await signed_in(store, DEFAULT_PROJECT, cookie, lambda: NOON)

    assert asyncio.run(after()) is None


async def _kept(store: MemoryStore) -> dict[str, bytes]:
    kinds = ("sign-in-link", "sign-in-used", "sign-in-cookie")
    return {
        f"{kind} {name}": value
        for kind in kinds
        for name, value in (await store.list_private(kind)).items()
    }


def test_the_store_holds_no_secret() -> None:
    async def kept() -> tuple[str, str, str | None]:
        store = MemoryStore()
        unused = await _token(store)
        cookie = await redeem(store, await _token(store), lambda: NOON)
        return repr(await _kept(store)), unused, cookie

    held, unused, cookie = asyncio.run(kept())
    assert held.count("sign-in-link") == held.count("sign-in-cookie") == 1
    assert unused not in held
    assert str(cookie) not in held


def test_the_store_forgets_what_has_expired() -> None:
    async def kept() -> list[str]:
        store = MemoryStore()
        await redeem(store, await _token(store), lambda: NOON)
        await _token(store)
        await new_link(store, "http://here", lambda: NOON + COOKIE_LIFE)
        return [name.partition(" ")[0] for name in await _kept(store)]

    assert asyncio.run(kept()) == ["sign-in-link"]


@pytest.mark.parametrize("who", ["", "Practitioner/ines"])
def test_a_link_names_the_person_whom_it_signs_in(who: str) -> None:
    async def named() -> list[tuple[int, str] | None]:
        store = MemoryStore()
        link = await new_link(store, "http://here/", lambda: NOON, who=who)
        token = link.rpartition("/")[2]
        asked = await good_link(store, token, lambda: NOON)
        cookie = await redeem(store, token, lambda: NOON)
        found = await signed_in(store, DEFAULT_PROJECT, cookie, lambda: NOON)
        return [one and (one.expires, one.who) for one in (asked, found)]

    link, cookie = NOON + LINK_LIFE, NOON + COOKIE_LIFE
    assert asyncio.run(named()) == [(link, who), (cookie, who)]


def test_a_cookie_of_an_earlier_build_names_nobody() -> None:
    async def found() -> tuple[int, str] | None:
        store = MemoryStore()
        name = hashlib.sha256(b"kept").hexdigest()
        await store.put_private("sign-in-cookie", name, str(NOON + 1).encode())
        one = await signed_in(store, DEFAULT_PROJECT, "kept", lambda: NOON)
        return one and (one.expires, one.who)

    assert asyncio.run(found()) == (NOON + 1, "")
