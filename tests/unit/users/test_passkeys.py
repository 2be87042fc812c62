"""Passkeys: what an authenticator must have signed, and what they are to an account."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.users.authenticator import BACKED, PRESENT, VERIFIED, Authenticator
from threadwell.users.changing import (
    add_factor,
    drop_authenticator,
    drop_factor,
    set_disabled,
)
from threadwell.users.codes import code_at, new_secret
from threadwell.users.keeping import find_user
from threadwell.users.passkeys import (
    MOST,
    Added,
    Entered,
    Passkeys,
    drop_passkey,
    rename_passkey,
)
from threadwell.users.pauses import Paused, Rule
from threadwell.users.signing_in import From, Wrong
from threadwell.users.user import BadUser, User
from threadwell.users.webauthn import BadAnswer, Party, made, named, party_of

ORIGIN = "https://threadwell.example.org"
PARTY = Party("threadwell.example.org", ORIGIN)
HERE = From("192.0.2.1")


def passkeys(house: Any, party: Party = PARTY) -> Passkeys:
    return Passkeys(house.store, house.project, party, house.clock)


def added(house: Any, user: User, key: Authenticator, name: str = "Laptop", **wrong: Any) -> Added:
    offer = house.run(passkeys(house).to_add(user))
    answer = key.make(offer.options, **wrong)
    done: Added = house.run(passkeys(house).add(user, offer.cookie, name, answer))
    return done


def signs_in(house: Any, key: Authenticator, where: From = HERE, **wrong: Any) -> Entered:
    offer = house.run(passkeys(house).to_sign_in(where))
    answer = key.sign(offer.options, **wrong)
    done: Entered = house.run(passkeys(house).sign_in(offer.cookie, answer, where))
    return done


def proves(house: Any, user: User, key: Authenticator, **wrong: Any) -> Entered:
    offer = house.run(passkeys(house).to_prove(user.id, user.epoch, HERE))
    answer = key.sign(offer.options, **wrong)
    work = passkeys(house).prove(user.id, user.epoch, offer.cookie, answer, HERE)
    done: Entered = house.run(work)
    return done


@pytest.mark.parametrize(
    ("origin", "id_"),
    [
        ("https://threadwell.example.org", "threadwell.example.org"),
        ("https://threadwell.example.org:8443", "threadwell.example.org"),
        ("http://localhost:8103", "localhost"),
        ("http://threadwell.example.org", None),
        ("http://127.0.0.1:8103", None),
        ("https://192.0.2.7", None),
        ("https://[2001:db8::1]", None),
    ],
)
def test_whom_passkeys_are_for(origin: str, id_: str | None) -> None:
    found = party_of(origin)
    assert (found and found.id) == id_


def test_a_passkey_opens_the_account_alone_and_ends_what_a_password_alone_could(
    house: Any,
) -> None:
    user = house.user()
    key = Authenticator(ORIGIN)
    done = added(house, user, key)
    assert len(done.codes) == 10
    entered = signs_in(house, key)
    assert (entered.user.id, entered.methods) == (user.id, ("hwk", "user", "mfa"))
    assert entered.user.passkeys[0].used == house.now
    proved = house.run(house.door.by_password(user.email, house.password, HERE))
    assert proved.needs_code
    assert proves(house, user, key).methods == ("pwd", "hwk", "mfa")
    recovered = house.door.by_code(user.id, user.epoch, done.codes[0], HERE)
    assert len(house.run(recovered).factor.recovery) == 9
    with pytest.raises(Wrong):
        house.run(house.door.by_code(user.id, user.epoch, "000000", HERE))


def test_of_many_who_use_one_answer_one_gets_in(house: Any) -> None:
    user = house.user()
    key = Authenticator(ORIGIN)
    added(house, user, key)
    offer = house.run(passkeys(house).to_sign_in(HERE))
    answer = key.sign(offer.options)

    async def race() -> list[Any]:
        works = [passkeys(house).sign_in(offer.cookie, answer, HERE) for _ in range(5)]
        return await asyncio.gather(*works, return_exceptions=True)

    outcomes = house.run(race())
    assert sum(isinstance(one, Entered) for one in outcomes) == 1
    assert all(isinstance(one, Entered | Wrong) for one in outcomes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://elsewhere.example.com"},
        {"origin": "https://sub.threadwell.example.org"},
        {"origin": "https://threadwell.example.org:8443"},
        {"party": "elsewhere.example.com"},
        {"challenge": "A" * 43},
        {"flags": 0},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"forged": True},
        {"cross": True},
        {"type": "webauthn.create"},
        {"user": b"somebody else"},
        {"user": b"\xff\xfe"},
        {"user": b""},
    ],
)
def test_what_is_not_signed_as_it_should_be_opens_nothing(
    small_house: Any, wrong: dict[str, Any]
) -> None:
    user = small_house.user()
    key = Authenticator(ORIGIN)
    added(small_house, user, key)
    with pytest.raises(Wrong, match="opens no account here"):
        signs_in(small_house, key, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://elsewhere.example.com"},
        {"party": "elsewhere.example.com"},
        {"challenge": "A" * 43},
        {"flags": 0},
        {"cross": True},
        {"type": "webauthn.get"},
    ],
)
def test_what_is_not_made_as_it_should_be_is_not_added(
    small_house: Any, wrong: dict[str, Any]
) -> None:
    user = small_house.user()
    with pytest.raises(Wrong, match="could not be added"):
        added(small_house, user, Authenticator(ORIGIN), **wrong)
    assert not small_house.run(find_user(small_house.store, user.id)).passkeys


def test_after_the_password_no_finger_is_needed(small_house: Any) -> None:
    user = small_house.user()
    key = Authenticator(ORIGIN, flags=PRESENT)
    done = added(small_house, user, key)
    assert not done.user.passkeys[0].verifies
    assert proves(small_house, user, key).user.id == user.id
    with pytest.raises(Wrong):
        signs_in(small_house, key)


@pytest.mark.parametrize(
    ("counters", "opens"),
    [
        ((0, 0, 0), [True, True]),
        ((1, 2, 3), [True, True]),
        ((1, 9, 8), [True, False]),
        ((5, 5, 6), [False, True]),
        ((5, 0, 6), [False, True]),
    ],
)
def test_one_that_counts_backwards_may_be_a_copy(
    small_house: Any, counters: tuple[int, ...], opens: list[bool]
) -> None:
    user = small_house.user()
    key = Authenticator(ORIGIN, counter=counters[0])
    added(small_house, user, key)
    outcomes = []
    for counter in counters[1:]:
        key.counter = counter
        try:
            signs_in(small_house, key)
        except Wrong as error:
            outcomes.append("may have been copied" not in str(error))
        else:
            outcomes.append(True)
    assert outcomes == opens


def test_one_that_is_on_several_devices_is_told_so(small_house: Any) -> None:
    user = small_house.user()
    key = Authenticator(ORIGIN, flags=PRESENT | VERIFIED | BACKED)
    assert added(small_house, user, key).user.passkeys[0].synced
    assert signs_in(small_house, key).methods == ("swk", "user", "mfa")


def test_who_may_not_come_in_does_not_by_a_passkey(house: Any) -> None:
    user = house.user()
    key = Authenticator(ORIGIN)
    user = added(house, user, key).user
    offer = house.run(passkeys(house).to_prove(user.id, user.epoch, HERE))
    house.run(set_disabled(house.store, house.project, user, True))
    with pytest.raises(Wrong):
        signs_in(house, key)
    answer = key.sign(offer.options)
    with pytest.raises(Wrong):
        house.run(passkeys(house).prove(user.id, user.epoch, offer.cookie, answer, HERE))


def test_a_challenge_is_for_one_use_one_purpose_and_five_minutes(house: Any) -> None:
    user = house.user()
    key = Authenticator(ORIGIN)
    added(house, user, key)
    one = passkeys(house)
    first, late = (house.run(one.to_sign_in(HERE)) for _ in range(2))
    second = house.run(one.to_prove(user.id, user.epoch, HERE))
    for cookie in (second.cookie, "", "x", f"{first.cookie}x", first.cookie[1:]):
        with pytest.raises(Wrong, match="too long"):
            house.run(one.sign_in(cookie, key.sign(first.options), HERE))
    house.run(one.sign_in(first.cookie, key.sign(first.options), HERE))
    with pytest.raises(Wrong, match="too long"):
        house.run(one.sign_in(first.cookie, key.sign(first.options), HERE))
    house.now += 5 * 60_000
    with pytest.raises(Wrong, match="too long"):
        house.run(one.sign_in(late.cookie, key.sign(late.options), HERE))
    house.run(one.to_sign_in(HERE))
    assert len(house.run(house.store.list_private("passkey-challenge"))) == 1


def test_one_passkey_is_of_one_account(house: Any) -> None:
    robin, mo = house.user(), house.user("mo@clinic.example.org")
    key = Authenticator(ORIGIN)
    added(house, robin, key)
    for user in (robin, mo):
        with pytest.raises(Wrong, match="here already"):
            added(house, user, key)
    assert house.run(drop_passkey(house.store, house.project, robin.id, text_of(house, robin)))
    assert added(house, mo, key).user.id == mo.id


def text_of(house: Any, user: User) -> str:
    found = house.run(find_user(house.store, user.id))
    return str(found.passkeys[0].id)


def test_without_the_last_one_a_password_opens_the_account_again(house: Any) -> None:
    user = house.user()
    keys = [Authenticator(ORIGIN) for _ in range(2)]
    assert [len(added(house, user, key).codes) for key in keys] == [10, 0]
    for factor in (True, False):
        left = house.run(drop_passkey(house.store, house.project, user.id, text_of(house, user)))
        assert (left.factor is not None) is factor
    with pytest.raises(Wrong):
        signs_in(house, keys[0])
    assert house.run(drop_passkey(house.store, house.project, user.id, "x")) is None


def test_an_authenticator_and_a_passkey_stand_beside_each_other(house: Any) -> None:
    user = house.user()
    store, project, secret = house.store, house.project, new_secret()
    added(house, user, Authenticator(ORIGIN))
    code = code_at(secret, house.now)
    made_ = house.run(add_factor(store, project, user, secret, code, house.now))
    assert len(made_.codes) == 10
    assert house.run(drop_authenticator(store, project, user))
    left = house.run(find_user(store, user.id))
    assert (left.has_authenticator, left.factor is not None, len(left.passkeys)) == (False, True, 1)
    assert house.run(drop_factor(store, project, left))
    left = house.run(find_user(store, user.id))
    assert (left.factor, left.passkeys) == (None, ())
    # It may be added again: nothing of it was left behind.
    assert not house.run(store.list_private("passkey"))


def test_passkeys_are_named_and_bounded(small_house: Any) -> None:
    user = small_house.user()
    store, project = small_house.store, small_house.project
    for name in ("", "  ", "x" * 101, "a\x1b[2J"):
        with pytest.raises(BadUser):
            added(small_house, user, Authenticator(ORIGIN), name)
    for number in range(MOST):
        added(small_house, user, Authenticator(ORIGIN), f"Key {number}")
    with pytest.raises(Wrong, match="at most"):
        added(small_house, user, Authenticator(ORIGIN))
    id_ = text_of(small_house, user)
    assert small_house.run(rename_passkey(store, project, user.id, id_, "  Blue   key "))
    assert small_house.run(find_user(store, user.id)).passkeys[0].name == "Blue key"
    assert not small_house.run(rename_passkey(store, project, user.id, "x", "Blue"))


def test_who_asks_for_ever_makes_only_themselves_wait(
    small_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threadwell.users.passkeys.PASSKEY", Rule("few", 5))
    user = small_house.user()
    key = Authenticator(ORIGIN)
    added(small_house, user, key)
    for _ in range(8):
        signs_in(small_house, key)
    for _ in range(5):
        small_house.run(passkeys(small_house).to_sign_in(HERE))
    with pytest.raises(Paused):
        small_house.run(passkeys(small_house).to_sign_in(HERE))
    assert signs_in(small_house, key, From("192.0.2.2")).user.id == user.id


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("AAAA"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("id", "rawId", "type", "response", "clientDataJSON", "attestationObject"),
                    *("authenticatorData", "signature", "userHandle", "clientExtensionResults"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(_JSON.map(json.dumps) | st.text(max_size=40) | st.just("[" * 30_000))
def test_whatever_is_sent_is_an_answer_or_none(answer: str) -> None:
    for call in (
        lambda: made(PARTY, b"c" * 32, answer, "x", 0),
        lambda: named(answer),
    ):
        with pytest.raises(BadAnswer):
            call()
