"""Whether a request came from Meta: X-Hub-Signature-256, and the token of the first GET."""

from __future__ import annotations

import hmac

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery, Refused, Reply

_SIGNATURE = "x-hub-signature-256"
_ALGORITHM = "sha256"


def verify(delivery: Delivery, account: Account) -> Refused | None:
    """Why it is not from the Meta app of the account, ``None`` where it is.

    Signed is the body as it came, with the secret of the app: Meta writes letters beyond ASCII as
    escapes, so a body that was written anew has another signature.
    """
    algorithm, _, digest = delivery.headers.get(_SIGNATURE, "").partition("=")
    if algorithm.strip().lower() != _ALGORITHM or not digest:
        return Refused("it is not signed")
    given = digest.strip().lower().encode("utf-8", "replace")
    secrets = [account.value("app_secret"), account.value("second_app_secret")]
    for secret in filter(None, secrets):
        right = hmac.digest(secret.encode(), delivery.body, _ALGORITHM).hex()
        if hmac.compare_digest(given, right.encode()):
            return None
    return Refused("its signature is not that of this account")


def greet(delivery: Delivery, account: Account) -> Reply | Refused:
    """The challenge of Meta, said again, if it asks with the token of the account."""
    asked = delivery.query
    if asked.get("hub.mode") != "subscribe":
        return Refused("it is a GET that asks for nothing")
    token = account.value("verify_token").encode("utf-8", "replace")
    given = asked.get("hub.verify_token", "").encode("utf-8", "replace")
    if not token or not hmac.compare_digest(given, token):
        return Refused("its verify token is not that of this account")
    challenge = asked.get("hub.challenge", "")
    return Reply("text/plain; charset=utf-8", challenge.encode("utf-8", "replace"))
