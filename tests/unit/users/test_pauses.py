"""Whoever guesses has to wait, and nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from threadwell.users.devices import know
from threadwell.users.pauses import (
    FORGOTTEN,
    LONGEST,
    PAIR,
    SOURCE,
    Counted,
    Paused,
    Pauses,
    source_of,
)
from threadwell.users.signing_in import From, Wrong
from threadwell.users.sources import BadProxies, address_of, parse_proxies

ATTACKER = "198.51.100.66"


def test_after_five_wrong_ones_there_are_pauses_that_double(house: Any) -> None:
    user = house.user()
    assert [house.sign_in("wrong") for _ in range(6)] == ["Wrong"] * 5 + ["Paused"]
    # While it lasts nothing is looked at, and nothing counted.
    assert house.sign_in() == "Paused"
    pauses = []
    for _ in range(12):
        try:
            house.run(house.door.by_password(user.email, "wrong", From("192.0.2.1")))
        except Paused as paused:
            pauses.append(paused.seconds)
            house.now += paused.seconds * 1000
            assert house.sign_in("wrong") == "Wrong"
    assert pauses == sorted(pauses)
    assert pauses[:3] == [1, 2, 4]
    assert pauses[-1] == LONGEST // 1000
    house.now += LONGEST
    assert house.sign_in() == user.id
    assert [house.sign_in("wrong") for _ in range(5)] == ["Wrong"] * 5


def test_nobody_is_kept_out_by_whoever_guesses_elsewhere(small_house: Any) -> None:
    user = small_house.user()
    for _ in range(30):
        small_house.sign_in("wrong", address=ATTACKER)
    assert small_house.sign_in("wrong", address=ATTACKER) == "Paused"
    assert small_house.sign_in(address="192.0.2.1") == user.id


def test_a_known_browser_gets_in_from_where_others_guess(small_house: Any) -> None:
    user = small_house.user()
    device = small_house.run(know(small_house.store, user, "", small_house.now))
    for at in range(60):
        small_house.sign_in("wrong", email=f"{at % 12}@clinic.example.org", address=ATTACKER)
        small_house.now += 100
    for _ in range(9):
        small_house.sign_in("wrong", address=ATTACKER)
    assert small_house.sign_in(address=ATTACKER) == "Paused"
    assert small_house.sign_in(address=ATTACKER, device="stolen from elsewhere") == "Paused"
    assert small_house.sign_in(address=ATTACKER, device=device) == user.id
    # One that is stolen guesses no further than any other.
    tried = [small_house.sign_in("wrong", address=ATTACKER, device=device) for _ in range(11)]
    assert tried == ["Wrong"] * 10 + ["Paused"]


def test_one_source_that_tries_many_accounts_has_to_wait(small_house: Any) -> None:
    small_house.user()
    tried = [
        small_house.sign_in("wrong", email=f"{at}@clinic.example.org", address=ATTACKER)
        for at in range(SOURCE.free + 1)
    ]
    assert tried == ["Wrong"] * SOURCE.free + ["Paused"]
    assert small_house.sign_in(address=ATTACKER) == "Paused"


def test_those_who_get_in_do_not_count_for_their_neighbours(small_house: Any) -> None:
    user = small_house.user()
    assert {small_house.sign_in() for _ in range(SOURCE.free + 10)} == {user.id}


def test_an_account_that_is_not_there_is_paused_alike(small_house: Any) -> None:
    small_house.user()
    known, unknown = (
        [small_house.sign_in("wrong", email=email, address=ATTACKER) for _ in range(7)]
        for email in ("robin@clinic.example.org", "nobody@clinic.example.org")
    )
    assert known == unknown


def test_many_at_once_are_counted_each(house: Any) -> None:
    house.user()

    async def race() -> list[Any]:
        works = [
            house.door.by_password("robin@clinic.example.org", f"wrong {at}", From(ATTACKER))
            for at in range(12)
        ]
        return await asyncio.gather(*works, return_exceptions=True)

    outcomes = [type(one).__name__ for one in house.run(race())]
    assert outcomes.count("Wrong") <= PAIR.free
    assert set(outcomes) <= {"Wrong", "Paused"}


def test_codes_are_guessed_no_faster(small_house: Any) -> None:
    from threadwell.users.changing import add_factor
    from threadwell.users.codes import code_at, new_secret

    user = small_house.user()
    secret = new_secret()
    work = add_factor(
        small_house.store,
        small_house.project,
        user,
        secret,
        code_at(secret, small_house.now),
        small_house.now,
    )
    small_house.run(work)

    def attempt(at: int) -> str:
        try:
            small_house.run(
                small_house.door.by_code(user.id, user.epoch, f"{at:06}", From(f"192.0.2.{at}"))
            )
        except (Wrong, Paused) as error:
            return type(error).__name__
        return "in"

    outcomes = [attempt(at) for at in range(11)]
    assert outcomes == ["Wrong"] * 10 + ["Paused"]


def test_what_is_quiet_is_forgotten_and_removed(house: Any) -> None:
    pauses = Pauses(house.store, house.project, house.clock)
    for at in range(30):
        house.run(pauses.enter([Counted(SOURCE, str(at))]))
    house.now += FORGOTTEN
    for at in range(40):
        house.run(pauses.enter([Counted(PAIR, str(at % 10))]))
    kept = house.run(house.store.list_private("sign-in-tries"))
    assert len(kept) < 30


def test_a_clock_that_was_set_back_keeps_nobody_out(small_house: Any) -> None:
    user = small_house.user()
    for _ in range(6):
        small_house.sign_in("wrong")
    small_house.now -= 24 * 3_600_000
    assert small_house.sign_in() == user.id


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_what_counts_as_one_source(address: str, source: str) -> None:
    assert source_of(address) == source


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # Nobody that we know says so.
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "1.2.3.4, 203.0.113.9", "203.0.113.9"),  # The first is what a client wrote.
        ("10.0.0.5", "203.0.113.9, 10.0.0.6", "203.0.113.9"),
        ("10.0.0.5", "nonsense", "10.0.0.5"),
        ("10.0.0.5", "203.0.113.9, nonsense", "10.0.0.5"),
        ("10.0.0.5", "2001:db8::7", "2001:db8::7"),
        ("", "203.0.113.9", ""),
    ],
)
def test_a_proxy_is_believed_if_it_is_known(peer: str, forwarded: str, found: str) -> None:
    assert address_of(peer, forwarded, parse_proxies("10.0.0.0/8, ::1")) == found


def test_proxies_are_addresses_and_networks() -> None:
    with pytest.raises(BadProxies):
        parse_proxies("10.0.0.0/8, proxy.example.org")
