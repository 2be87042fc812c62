"""The second factor: codes of an authenticator by time (RFC 6238), and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from threadwell.users.user import Factor

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

#: Seconds of a code, and how many before and after are taken: clocks of telephones differ.
STEP = 30
DRIFT = 1
DIGITS = 6
RECOVERY_CODES = 10

_ISSUER = "Threadwell"
#: 80 bits: their SHA-256 is as hard to turn back as they are to guess.
_RECOVERY_BYTES = 10


class Enrolled(NamedTuple):
    """A factor as it is kept, and the recovery codes that are shown this once."""

    factor: Factor
    codes: tuple[str, ...]


def new_secret() -> str:
    """A secret for an authenticator, in base32: 160 bits, as RFC 4226 §4 wants."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def secret_uri(secret: str, email: str) -> str:
    """What authenticators read from a QR code."""
    return str(_totp(secret).get_provisioning_uri(email, _ISSUER))


def enroll(secret: str, code: str, now: int) -> Enrolled | None:
    """The factor of a secret of which ``code`` is shown ``now`` (ms); ``None`` if it is not."""
    step = _step_of(secret, code, now)
    if step is None:
        return None
    return _enrolled(secret, step)


def recovery_alone() -> Enrolled:
    """The factor of somebody whose second factor is a passkey: the codes for when it is lost."""
    return _enrolled("", 0)


def spend(factor: Factor, code: str, now: int) -> Factor | None:
    """The factor once ``code`` is used up; ``None`` where it opens nothing, or did before."""
    plain = "".join(code.split()).replace("-", "")
    if len(plain) == DIGITS and plain.isascii() and plain.isdigit():
        step = _step_of(factor.secret, plain, now) if factor.secret else None
        if step is None or step <= factor.step:
            return None
        return msgspec.structs.replace(factor, step=step)
    digest = _digest(plain)
    left = tuple(one for one in factor.recovery if not hmac.compare_digest(one, digest))
    if len(left) == len(factor.recovery):
        return None
    return msgspec.structs.replace(factor, recovery=left)


def code_at(secret: str, now: int) -> str:
    """The code that an authenticator shows at ``now`` (milliseconds since 1970 UTC)."""
    return _code(secret, now // 1000)


def _enrolled(secret: str, step: int) -> Enrolled:
    codes = tuple(_new_code() for _ in range(RECOVERY_CODES))
    return Enrolled(Factor(secret, step, tuple(map(_digest, codes))), codes)


def _step_of(secret: str, code: str, now: int) -> int | None:
    plain = "".join(code.split())
    found = None
    at = now // 1000 // STEP
    for step in range(at - DRIFT, at + DRIFT + 1):
        if hmac.compare_digest(_code(secret, step * STEP).encode(), plain.encode()):
            found = step
    return found


def _code(secret: str, seconds: int) -> str:
    return _totp(secret).generate(seconds).decode()


def _totp(secret: str) -> TOTP:
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    # SHA-1 is what every authenticator has; HMAC does not need it to be free of collisions.
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP)  # noqa: S303


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _digest(code: str) -> str:
    return hashlib.sha256(code.replace("-", "").lower().encode()).hexdigest()
