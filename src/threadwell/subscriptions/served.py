"""Which Subscriptions are served here, and what the others say (FHIR R4 §2.46).

A client that sets one up for a way that nobody serves must not wait for nothing: it is ``off``,
with the reason.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from threadwell.fhir.json import decode
from threadwell.fhir.outcome import invalid
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Stored

WEBSOCKET, HOOK = "websocket", "rest-hook"
#: Why a rest-hook is not served whose author does not see everything.
LIMITED = "Rest-hooks are for clients without an access policy"
#: The same, where they may not log in any more.
REVOKED = "The client that set it up was revoked"
#: The same, where it came out of a file.
LOADED = "It was loaded from a file: make it active to have it served"
#: What a client asks for, and what tells it that it is served.
_AWAITED = ("requested", "active")
#: What may be said of a payload: the resource as JSON, or nothing.
_PAYLOADS = frozenset({"application/fhir+json", "application/json", ""})

#: The name of a header (RFC 9110 §5.1), and those that belong to the call.
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection"})


def begin(subscription: Resource, now: int, *, limited: bool = False) -> bool:
    """Have a valid Subscription that asks to be served say that it is, or why not.

    ``now`` is in milliseconds since 1970 UTC. ``limited``: a policy says what its author may see.
    Whether it is served. Raises ``FhirError`` 400 where
    its channel cannot be meant.
    """
    if subscription["status"] not in _AWAITED:
        return False
    why = _why_not(subscription["channel"], subscription.get("end"), now, limited=limited)
    subscription["status"] = "off" if why else "active"
    if why:
        subscription["error"] = why
    else:
        subscription.pop("error", None)
    return not why


def wait(subscription: Resource, why: str) -> None:
    """Have a Subscription that asks to be served wait for somebody to say so again."""
    if subscription.get("status") in _AWAITED:
        subscription["status"], subscription["error"] = "off", why


def is_active(stored: Stored) -> bool:
    """Whether that version of a Subscription is one that is served."""
    return not stored.deleted and decode(stored.body).get("status") == "active"


def socket_criteria(subscription: Resource) -> str | None:
    """The criteria of a Subscription that a socket may have; ``None`` for any other, and where
    whoever reads it is not shown what it asks.
    """
    is_served = subscription.get("status") == "active"
    channel = subscription.get("channel")
    if not is_served or not channel or channel.get("type") != WEBSOCKET:
        return None
    criteria: str | None = subscription.get("criteria")
    return criteria


def _why_not(channel: dict[str, Any], end: object, now: int, *, limited: bool) -> str:
    if isinstance(end, str) and _instant(end) <= now:
        return "Its end has come"
    match channel["type"]:
        case "websocket":
            return ""
        case "rest-hook":
            if "endpoint" not in channel:
                return "It has no endpoint to be called"
            _check_hook(channel)
            return LIMITED if limited else ""
        case other:
            return f"Notifications by {other} are not offered by this server"


def _check_hook(channel: dict[str, Any]) -> None:
    if not _can_be_called(str(channel["endpoint"])):
        raise invalid("A rest-hook has an http or https URL", "Subscription.channel.endpoint")
    for line in channel.get("header", ()):
        name, colon, value = str(line).partition(":")
        if not colon or not _NAME.fullmatch(name.strip()) or not _VALUE.fullmatch(value.strip()):
            raise invalid("A header is a name, a colon and a value", "Subscription.channel.header")
        if name.strip().lower() in _OURS:
            raise invalid("This header is the server's own", "Subscription.channel.header")
    payload = str(channel.get("payload", "")).partition(";")[0].strip()
    if payload not in _PAYLOADS:
        raise invalid(
            "A payload is application/fhir+json, or is left out", "Subscription.channel.payload"
        )


def _can_be_called(endpoint: str) -> bool:
    """Whether it is a URL as HTTP takes it: ASCII, with a host and a port that there can be."""
    try:
        where = urlsplit(endpoint)
        host = (where.hostname or "").encode("idna")
        port = where.port
    except ValueError:
        return False
    plain = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint
    return plain and where.scheme in ("http", "https") and bool(host) and port != 0


def _instant(text: str) -> float:
    """In milliseconds; a leap second is the one before it."""
    return datetime.fromisoformat(text.replace(":60", ":59", 1)).timestamp() * 1000
