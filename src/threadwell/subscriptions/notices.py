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

#: What stands where the subscription and its number are: the status comes before all else.
_SUBSCRIPTION, _NUMBER = "<subscription>", "<number>"


def handshake(subscription: str, at: int) -> bytes:
    """The subscription with that id is served from now on."""
    return _bundle(at, [_status("handshake", subscription)])


def heartbeat(subscriptions: list[str], at: int) -> bytes:
    """It still is, and nothing has happened."""
    return _bundle(at, [_status("heartbeat", one) for one in subscriptions])


class Notice:
    """A resource was written, or deleted; ``body`` is what its subscribers may see of it.

    A deletion has the last version that there was, and a request that says so. What all who are
    told of it get alike is made once.
    """

    __slots__ = ("_around", "body", "stored")

    def __init__(self, stored: Stored, body: bytes) -> None:
        self.stored = stored
        self.body = body
        self._around: tuple[str, str, str] | None = None

    def to(self, subscription: str, number: int, base: str) -> str:
        """What a subscription is told of it.

        ``number`` counts what that subscription was told. ``base`` is the FHIR base of the server.
        """
        if self._around is None:
            self._around = self._made(base)
        head, between, tail = self._around
        return f"{head}{subscription}{between}{number}{tail}"

    def _made(self, base: str) -> tuple[str, str, str]:
        """The text before the subscription, between it and the number, and after that."""
        stored = self.stored
        name = f"{stored.type}/{stored.id}"
        event = {
            "eventNumber": _NUMBER,
            "timestamp": instant(stored.updated),
            "focus": {"reference": name},
        }
        status = _status("event-notification", _SUBSCRIPTION, notificationEvent=[event])
        request = encode({"method": "DELETE" if stored.deleted else "PUT", "url": name})
        entry = b'{"fullUrl":"%s/%s","resource":%s,"request":%s}' % (
            base.encode(),
            name.encode(),
            self.body,
            request,
        )
        head, _, rest = _bundle(stored.updated, [status, entry]).decode().partition(_SUBSCRIPTION)
        between, _, tail = rest.partition(_NUMBER)
        return head, between, tail


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
