"""X-Twilio-Signature: whether a request came from Twilio.

It is the HMAC of the URL as Twilio knows it, followed by each parameter of the form and its value,
by name; of a body that is no form, the URL holds the SHA-256 (``bodySHA256``). Twilio may or may
not have the standard port in its URL.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit, urlunsplit

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery, Refused

FORM = "application/x-www-form-urlencoded"

_SIGNATURE = "x-twilio-signature"
#: Where a rule of the account has requests signed with a key of their own.
_SETTINGS = "x-twilio-webhooks-signature-settings"
_BODY_HASH = "bodySHA256"
_PORTS = {"https": 443, "http": 80}
_SHA1, _SHA256 = "sha1", "sha256"


def verify(delivery: Delivery, account: Account) -> Refused | None:
    """Why it is not from the Twilio account, ``None`` where it is."""
    given = delivery.headers.get(_SIGNATURE, "").encode("utf-8", "replace")
    if not given:
        return Refused("it is not signed")
    keys = _keys(delivery, account)
    if isinstance(keys, Refused):
        return keys
    algorithm, secrets = keys
    said = _said(delivery)
    if isinstance(said, Refused):
        return said
    for url in delivery.urls:
        for written in _spellings(url):
            for secret in secrets:
                if hmac.compare_digest(_sign(secret, written + said, algorithm), given):
                    return None
    return Refused("its signature is not that of this account and URL")


def form(delivery: Delivery) -> list[tuple[str, str]]:
    """The parameters, from the body or, where Twilio was told to use GET, from the URL."""
    if delivery.method == "GET":
        return list(delivery.query.items())
    text = delivery.body.decode("utf-8", "replace")
    pairs = (one.partition("=") for one in text.split("&") if one)
    return [(_unquoted(name), _unquoted(value)) for name, _, value in pairs]


def _unquoted(text: str) -> str:
    """What stood in a form: most of it is written as it is."""
    text = text.replace("+", " ")
    return unquote(text, errors="replace") if "%" in text else text


def _keys(delivery: Delivery, account: Account) -> tuple[str, list[str]] | Refused:
    """The algorithm, and the secrets of which one has to be that of the signature."""
    settings = delivery.headers.get(_SETTINGS, "")
    if not settings:
        tokens = [account.value("auth_token"), account.value("second_auth_token")]
        return _SHA1, [token for token in tokens if token]
    parts = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    if parts.get("algorithm", "").upper() != "HMAC_SHA256":
        return Refused("it is signed in a way that is not known")
    shared = account.value("shared_key")
    return (_SHA256, [shared]) if shared else Refused("it is signed with a key that nobody gave")


def _said(delivery: Delivery) -> str | Refused:
    """What is signed beside the URL."""
    if delivery.method == "GET":
        return ""
    named = delivery.query.get(_BODY_HASH)
    if named is not None:
        digest = hashlib.sha256(delivery.body).hexdigest()
        same = hmac.compare_digest(digest.encode(), named.lower().encode("utf-8", "replace"))
        return "" if same else Refused("its body is not the one that was signed")
    if delivery.content_type == FORM:
        values: dict[str, set[str]] = {}
        for name, value in form(delivery):
            values.setdefault(name, set()).add(value)
        return "".join(f"{name}{one}" for name in sorted(values) for one in sorted(values[name]))
    return Refused("its body is not signed") if delivery.body else ""


def _spellings(url: str) -> Iterator[str]:
    """The URL as it is, and with or without the port that follows from its scheme."""
    yield url
    try:
        parts = urlsplit(url)
        port, standard = parts.port, _PORTS.get(parts.scheme)
    except ValueError:
        return
    if port is None and standard:
        yield urlunsplit(parts._replace(netloc=f"{parts.netloc}:{standard}"))
    elif port is not None:
        yield urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0]))


def _sign(secret: str, text: str, algorithm: str) -> bytes:
    digest = hmac.digest(secret.encode(), text.encode("utf-8", "surrogatepass"), algorithm)
    return base64.b64encode(digest)
