"""Tokens of patients: what opens an account's chat, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from threadwell.channels.account import Account
from threadwell.channels.chat.names import Patient
from threadwell.channels.chat.tokens import Token, new_token, read_token
from threadwell.channels.delivery import Refused

SECRET, NEXT = "first-secret-of-the-tests-0123456789", "second-secret-of-the-tests-012345678"
NOW = datetime(2025, 3, 4, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
GOOD: dict[str, Any] = {"sub": "p-1", "aud": "chat/app", "iat": AT, "exp": AT + 600}


def account(**values: str) -> Account:
    return Account("app", "chat", (), {"secret": SECRET, **values})


def signed(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    said = {name: one for name, one in {**GOOD, **claims}.items() if one is not None}
    return jwt.encode(said, secret, algorithm)


@pytest.mark.parametrize(
    ("token", "read"),
    [
        (signed(), Token(Patient("app", "p-1"), AT + 600)),
        (signed(name=" Ana Sample "), Token(Patient("app", "p-1"), AT + 600, "Ana Sample")),
        (signed(name="Ana\nSample"), Token(Patient("app", "p-1"), AT + 600)),
        (signed(name=["Ana"]), Token(Patient("app", "p-1"), AT + 600)),
        (signed(iat=AT + 59), Token(Patient("app", "p-1"), AT + 600)),
        (signed(aud=["chat/app", "another"]), Token(Patient("app", "p-1"), AT + 600)),
        (signed(NEXT), Token(Patient("app", "p-1"), AT + 600)),
        (signed(NEXT[::-1]), "not signed by this account"),
        (signed(algorithm="HS512"), "not signed by this account"),
        ("", "there is no token"),
        ("x" * 5000, "too long"),
        ("a.b.c", "not signed by this account"),
        (signed() + "x", "not signed by this account"),
        (signed(aud="chat/other"), "for another account"),
        (signed(aud="app"), "for another account"),
        (signed(aud=None), "lacks one of"),
        (signed(sub=None), "lacks one of"),
        (signed(iat=None), "lacks one of"),
        (signed(exp=None), "lacks one of"),
        (signed(exp=AT), "has expired"),
        (signed(exp=AT - 1, iat=AT - 600), "has expired"),
        (signed(iat=AT + 61), "of a time to come"),
        (signed(exp=AT + 24 * 3600 + 1), "good for too long"),
        (signed(exp=float("inf")), "is no time"),
        (signed(iat=-1), "is no time"),
        (signed(iat=True), "is no time"),
        (signed(sub="a b"), "no id of a patient"),
        (signed(sub="a/b"), "no id of a patient"),
        (signed(sub="a@example.org"), "no id of a patient"),
        (signed(sub=""), "no id of a patient"),
        (signed(sub="x" * 101), "no id of a patient"),
    ],
)
def test_a_token_opens_the_account_that_it_is_for(token: str, read: Token | str) -> None:
    found = read_token(token, account(second_secret=NEXT), NOW)
    if isinstance(read, Token):
        assert found == read
    else:
        assert isinstance(found, Refused)
        assert read in found.reason
        assert "p-1" not in found.reason


def test_what_a_backend_makes_is_taken() -> None:
    made = new_token(account(), "p-1", NOW, 600, "Ana")
    assert read_token(made, account(), NOW) == Token(Patient("app", "p-1"), AT + 600, "Ana")


@pytest.mark.parametrize(
    ("who", "seconds"), [("a b", 60), ("", 60), ("p-1", 0), ("p-1", 24 * 3600 + 1)]
)
def test_a_token_that_nobody_would_take_is_not_made(who: str, seconds: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        new_token(account(), who, NOW, seconds)


def test_an_account_without_a_secret_takes_no_token() -> None:
    bare = Account("app", "chat")
    assert isinstance(read_token(signed(), bare, NOW), Refused)
