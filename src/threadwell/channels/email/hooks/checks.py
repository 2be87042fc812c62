"""How a delivery proves that it comes from the provider."""

from __future__ import annotations

import binascii
import hmac

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery, Refused

NO_PASSWORD = Refused("the account has no user and password that the provider calls with")
NOT_THEM = Refused("user and password are not those of the account")


def check_password(delivery: Delivery, account: Account) -> Refused | None:
    """By the user and password that stand in the URL which the provider was given (RFC 7617)."""
    user, password = account.value("user"), account.value("password")
    if not user or not password:
        return NO_PASSWORD
    scheme, _, given = delivery.headers.get("authorization", "").partition(" ")
    try:
        said = binascii.a2b_base64(given.strip(), strict_mode=True)
    except (binascii.Error, ValueError):
        return NOT_THEM
    wanted = f"{user}:{password}".encode()
    if scheme.lower() != "basic" or not hmac.compare_digest(said, wanted):
        return NOT_THEM
    return None
