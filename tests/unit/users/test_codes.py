"""Codes by time, each once, and recovery codes."""

from __future__ import annotations

import base64

import pytest

from threadwell.users.codes import (
    RECOVERY_CODES,
    STEP,
    code_at,
    enroll,
    new_secret,
    secret_uri,
    spend,
)
from threadwell.users.user import Factor

SECRET = base64.b32encode(b"12345678901234567890").decode()
NOON = 1_710_072_000_000


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_they_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238 appendix B, of which six digits are shown."""
    assert code_at(SECRET, seconds * 1000) == code


@pytest.mark.parametrize(
    ("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_clock_may_be_off_by_one_step(steps: int, taken: bool) -> None:
    code = code_at(SECRET, NOON + steps * STEP * 1000)
    assert (spend(Factor(SECRET), code, NOON) is not None) is taken


def test_a_code_is_taken_once_and_none_before_it_any_more() -> None:
    factor = spend(Factor(SECRET), code_at(SECRET, NOON), NOON)
    assert factor is not None
    assert spend(factor, code_at(SECRET, NOON), NOON) is None
    assert spend(factor, code_at(SECRET, NOON - STEP * 1000), NOON) is None
    assert spend(factor, code_at(SECRET, NOON + STEP * 1000), NOON) is not None


@pytest.mark.parametrize("code", ["", "12", "abcdef", "١٢٣٤٥٦", "1234567", "💐" * 6, "0" * 999])
def test_nothing_else_is_a_code(code: str) -> None:
    assert spend(Factor(SECRET), code, NOON) is None


def test_setting_up_shows_recovery_codes_that_work_once_each() -> None:
    made = enroll(SECRET, code_at(SECRET, NOON), NOON)
    assert made is not None
    assert len(set(made.codes)) == RECOVERY_CODES
    assert not any(code in repr(made.factor) for code in made.codes)
    left = spend(made.factor, made.codes[3].upper().replace("-", " "), NOON)
    assert left is not None
    assert len(left.recovery) == RECOVERY_CODES - 1
    assert spend(left, made.codes[3], NOON) is None
    assert spend(left, made.codes[4], NOON) is not None
    # The code by which it was set up is used up, too.
    assert spend(made.factor, code_at(SECRET, NOON), NOON) is None


def test_a_wrong_code_sets_up_nothing() -> None:
    assert enroll(SECRET, "000000", NOON) is None


def test_a_picture_says_all_that_an_authenticator_wants() -> None:
    secret = new_secret()
    uri = secret_uri(secret, "robin@clinic.example.org")
    assert uri.startswith("otpauth://totp/Threadwell:robin%40clinic.example.org?")
    assert f"secret={secret}" in uri
    assert len(base64.b32decode(secret)) == 20
