"""The token of a patient: a JWT (RFC 7519) that the practice's backend signs. Pure.

The backend has the account's secret; an app gets tokens alone, each for one patient and a while.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from threadwell.channels.account import Account
from threadwell.channels.chat.names import NAME, Patient, who_of
from threadwell.channels.delivery import Refused

#: Bytes of a secret (RFC 7518 §3.2).
FEWEST = 32
#: Seconds that a token may be good for.
LONGEST = 24 * 3600
#: Seconds by which the clocks of backend and server may differ.
_SKEW = 60
_MOST = 4096
_ALGORITHM = "HS256"


class Token(NamedTuple):
    """Who has a token, and until when it is good, in seconds since 1970 UTC."""

    patient: Patient
    until: int
    display: str = ""


def audience(account: str) -> str:
    """The ``aud`` of tokens for an account."""
    return f"{NAME}/{account}"


def new_token(account: Account, who: str, now: datetime, seconds: int, display: str = "") -> str:
    """A token as a backend makes it; raises ``ValueError`` where there could be none."""
    import jwt

    if who_of(who) is None:
        raise ValueError(
            "a patient is named by an id of letters, digits and ._~:=|+-, or by system|value"
        )
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"a token is good for at most {LONGEST} seconds")
    at = int(now.timestamp())
    claims = {"sub": who, "aud": audience(account.name), "iat": at, "exp": at + seconds}
    if display:
        claims["name"] = display
    return jwt.encode(claims, account.value("secret"), _ALGORITHM)


def read_token(text: str, account: Account, now: datetime) -> Token | Refused:
    """Whose token it is; why it opens nothing, in plain words without anything of it."""
    # Takes long to load, and only a server needs it.
    import jwt

    if not text:
        return Refused("there is no token")
    if len(text) > _MOST:
        return Refused("the token is too long")
    claims = None
    for name in ("secret", "second_secret"):
        secret = account.value(name)
        if len(secret.encode()) < FEWEST or claims is not None:
            continue
        try:
            claims = jwt.decode(
                text,
                secret,
                algorithms=[_ALGORITHM],
                audience=audience(account.name),
                # Whether it is good by now is asked below, by the clock that is given.
                options={
                    "require": ["sub", "aud", "iat", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidAudienceError:
            return Refused("the token is for another account")
        except jwt.MissingRequiredClaimError:
            return Refused("the token lacks one of sub, aud, iat and exp")
        except (jwt.InvalidTokenError, ValueError, TypeError):
            continue
    if claims is None:
        return Refused("the token is not signed by this account")
    return _read(claims, account, now.timestamp())


def _read(claims: dict[str, object], account: Account, now: float) -> Token | Refused:
    who, since, until = claims["sub"], claims["iat"], claims["exp"]
    name = claims.get("name", "")
    patient = who_of(who) if isinstance(who, str) else None
    if patient is None:
        return Refused("sub of the token is no id of a patient")
    if not _is_time(since) or not _is_time(until):
        return Refused("iat or exp of the token is no time")
    assert isinstance(since, int | float)
    assert isinstance(until, int | float)
    if until - since > LONGEST:
        return Refused("the token is good for too long")
    if since > now + _SKEW:
        return Refused("the token is of a time to come, or a clock is wrong")
    if until <= now:
        return Refused("the token has expired")
    shown = name if isinstance(name, str) and len(name) <= 200 and name.isprintable() else ""
    return Token(Patient(account.name, patient), int(until), shown.strip())


def _is_time(value: object) -> bool:
    # A true is a number to Python, and a NaN is neither before nor after anything.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 << 40
