"""Which passwords are taken, what a hash is made with, and that hashing cannot take the server."""

from __future__ import annotations

import asyncio
import unicodedata

import pytest

from threadwell.stores.contract import StoreBusy
from threadwell.users.passwords import (
    AT_ONCE,
    MOST_OF_ONE,
    MOST_WAITING,
    BadPassword,
    Hashing,
    check_password,
)
from threadwell.users.settings import BadHashing, Cost, parse_cost

OWN = ("robin.ashdown@clinic.example.org", "Robin", "Ashdown")
CHEAP = Cost(8, 1, 1)


@pytest.mark.parametrize(
    "password",
    [
        "four walls and a garden",
        "pelican-orbit-mustard",
        "dritte Straße links, Haus 4",
        "漢字の長い合言葉をここに書きます",
        "a" * 5 + "bcd" * 5 + "!?=()xyq",
        "x" * 250 + "abcdef",
        "                y z w q p",
    ],
)
def test_long_ones_are_taken_of_whatever_characters(password: str) -> None:
    check_password(password, OWN)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("four walls and", "at least 15"),
        ("short", "at least 15"),
        ("", "at least 15"),
        ("x" * 257, "at most 256"),
        ("four walls\x00and a garden", "control"),
        ("four walls\ud800and a garden", "control"),
        ("aaaaaaaaaaaaaaaaaaaa", "tried first"),
        ("abababababababababab", "tried first"),
        ("password12345678", "tried first"),
        ("!!!password!!!2024", "tried first"),
        ("PassWordPassWordPassWord", "tried first"),
        ("passwordpassword1", "tried first"),
        ("qwertyuiopasdfghjkl", "tried first"),
        ("1234567890123456", "tried first"),
        ("zyxwvutsrqponmlkjih", "tried first"),
        ("robinashdownrobin", "tried first"),
        ("Robin Ashdown 2024", "tried first"),
        ("threadwellthreadwell", "tried first"),
        ("threadwell robin 1", "tried first"),
        ("robin.ashdown@clinic.example.org", "tried first"),
    ],
)
def test_others_are_refused_and_it_is_said_why(password: str, why: str) -> None:
    with pytest.raises(BadPassword, match=why):
        check_password(password, OWN)


@pytest.mark.parametrize(
    ("password", "taken"), [("kelp vase", True), ("kelp va", False), ("trustno1", False)]
)
def test_beside_a_second_factor_eight_characters_do(password: str, taken: bool) -> None:
    try:
        check_password(password, OWN, with_factor=True)
    except BadPassword:
        assert not taken
    else:
        assert taken


def test_a_hash_says_how_it_was_made_and_opens_to_its_password_alone() -> None:
    async def made() -> tuple[str, list[bool]]:
        hashing = Hashing(Cost(16, 2, 1))
        kept = await hashing.hash("Zoë’s four walls")
        other = unicodedata.normalize("NFD", "Zoë’s four walls")
        asked = ["Zoë’s four walls", other, "zoë’s four walls", "", "x" * 100_000]
        answers = [await hashing.verify(kept, one) for one in asked]
        answers.append(await hashing.verify("", "Zoë’s four walls"))
        hashing.close()
        return kept, answers

    kept, answers = asyncio.run(made())
    assert kept.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert answers == [True, True, False, False, False, False]


def test_two_hashes_of_a_password_differ() -> None:
    async def both() -> set[str]:
        hashing = Hashing(CHEAP)
        return {await hashing.hash("four walls"), await hashing.hash("four walls")}

    assert len(asyncio.run(both())) == 2


def test_many_at_once_are_turned_away_and_one_source_before_others() -> None:
    async def outcomes() -> tuple[int, int, int]:
        hashing = Hashing(Cost(1024, 1, 1))
        greedy = [hashing.verify("", "x", "198.51.100.7") for _ in range(MOST_OF_ONE * 3)]
        others = [hashing.verify("", "x", f"192.0.2.{at}") for at in range(20)]
        first = await asyncio.gather(*greedy, *others, return_exceptions=True)
        crowd = [hashing.verify("", "x", str(at)) for at in range(2 * MOST_WAITING)]
        second = await asyncio.gather(*crowd, return_exceptions=True)
        again = await hashing.verify("", "x", "198.51.100.7")
        assert again is False
        busy = [[isinstance(one, StoreBusy) for one in many] for many in (first, second)]
        return sum(busy[0][: len(greedy)]), sum(busy[0][len(greedy) :]), sum(busy[1])

    greedy, others, crowd = asyncio.run(outcomes())
    assert (greedy, others) == (MOST_OF_ONE * 2, 0)
    assert crowd == MOST_WAITING - AT_ONCE


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", Cost(19_456, 2, 1)),
        (" m=47104,t=1,p=1 ", Cost(47_104, 1, 1)),
        ("m=65536,t=3,p=4", Cost(65_536, 3, 4)),
        ("m=7168,t=5,p=1", Cost(7_168, 5, 1)),
    ],
)
def test_the_cost_is_a_setting(text: str, found: Cost) -> None:
    assert parse_cost(text) == found


@pytest.mark.parametrize(
    "text", ["m=8,t=1,p=1", "m=19456,t=1,p=1", "19456", "m=1e9,t=1,p=1", "m=19456,t=2,p=0"]
)
def test_a_weak_cost_is_none(text: str) -> None:
    with pytest.raises(BadHashing):
        parse_cost(text)
