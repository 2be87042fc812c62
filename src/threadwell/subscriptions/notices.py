"""What subscribers are sent: Bundles with a SubscriptionStatus, as Medplum's clients read them.

R4 says of a websocket that it carries a ping; what changed comes with it here, in the form of the
subscriptions backport (``Bundle`` of type ``history``, its first entry the status).
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from threadwell.fhir.json import encode
from threadwell.fhir.stamp import instant
from threadwell.stores.contract import Stored


def handshake(subscription: str, at: int) -> bytes:
    """The subscription with that id is served from now on."""
    return _bundle(at, [_status("handshake", subscription)])


def heartbeat(subscriptions: list[str], at: int) -> bytes:
    """It still is, and nothing has happened."""
    return _bundle(at, [_status("heartbeat", one) for one in subscriptions])


def notification(subscription: str, number: int, stored: Stored, body: bytes, base: str) -> bytes:
    """A resource was written, or deleted; ``body`` is what its subscriber may see of it.

    ``number`` counts what that subscription was told. ``base`` is the FHIR base of the server.
    A deletion has the last version that there was, and a request that says so.
    """
    at, name = instant(stored.updated), f"{stored.type}/{stored.id}"
    event = {"eventNumber": str(number), "timestamp": at, "focus": {"reference": name}}
    status = _status("event-notification", subscription, notificationEvent=[event])
    method = "DELETE" if stored.deleted else "PUT"
    request = encode({"method": method, "url": name})
    entry = b'{"fullUrl":"%s/%s","resource":%s,"request":%s}' % (
        base.encode(),
        name.encode(),
        body,
        request,
    )
    return _bundle(stored.updated, [status, entry])


def _status(kind: str, subscription: str, **more: Any) -> bytes:
    return b'{"resource":%s}' % encode(
        {
            "resourceType": "SubscriptionStatus",
            "id": str(uuid4()),
            "status": "active",
            "type": kind,
            "subscription": {"reference": f"Subscription/{subscription}"},
            **more,
        }
    )


def _bundle(at: int, entries: list[bytes]) -> bytes:
    return b'{"resourceType":"Bundle","id":"%s","type":"history","timestamp":"%s","entry":[%s]}' % (
        str(uuid4()).encode(),
        instant(at).encode(),
        b",".join(entries),
    )
