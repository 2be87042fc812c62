"""Telnyx-Signature-Ed25519: whether a request came from Telnyx (RFC 8032).

Signed is the time of the request, a bar, and the body as it came.
"""

from __future__ import annotations

import base64
import binascii

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery, Refused

_SIGNATURE, _TIME = "telnyx-signature-ed25519", "telnyx-timestamp"
#: Seconds that a request may be older than its arrival, or newer by another clock.
_SKEW = 300
_KEY_BYTES = 32


def lacks(account: Account) -> str:
    """What is wrong with the keys of an account; ``""`` where each can be one (RFC 8032, 5.1.5)."""
    for name in ("public_key", "second_public_key"):
        if account.value(name) and len(_bytes(account.value(name))) != _KEY_BYTES:
            return (
                f"{name} is not a key of Telnyx: 44 characters that end in =, which stand in the "
                "portal below Keys & Credentials, Public Key (an API key begins with KEY)"
            )
    return ""


def verify(delivery: Delivery, account: Account) -> Refused | None:
    """Why it is not from the Telnyx account, ``None`` where it is."""
    signature = _bytes(delivery.headers.get(_SIGNATURE, ""))
    said = delivery.headers.get(_TIME, "")
    if not signature or not said:
        return Refused("it is not signed")
    if not (said.isascii() and said.isdigit() and len(said) <= len("9999999999")):
        return Refused("its time is none")
    if abs(int(said) - delivery.received.timestamp()) > _SKEW:
        return Refused("it was signed at another time, or a clock is wrong")
    signed = said.encode() + b"|" + delivery.body
    for name in ("public_key", "second_public_key"):
        if _is_signed(_bytes(account.value(name)), signature, signed):
            return None
    return Refused("its signature is not that of this account")


def _is_signed(key: bytes, signature: bytes, signed: bytes) -> bool:
    # Takes long to load, and only a server needs it.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (ValueError, InvalidSignature):
        return False
    return True


def _bytes(text: str) -> bytes:
    """What a text in base64 stands for, nothing where it is none."""
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        return b""
