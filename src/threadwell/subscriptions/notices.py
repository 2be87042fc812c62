"""What subscribers are sent: Bundles with a SubscriptionStatus, as Medplum's clients read them.

R4 says of a websocket that it carries a ping; what changed comes with it here, in the form of the
subscriptions backport (``Bundle`` of type ``history``, its first entry the status).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from threadwell.fhir.json import encode
from threadwell.fhir.stamp import instant
from threadwell.stores.contract import Stored

#: What stands where the subscription is: the status comes before all else.
_SUBSCRIPTION = b"<subscription>"


def handshake(subscription: str, number: str, at: int) -> bytes:
    """The subscription with that id is served from now on: what it is told comes after a number."""
    return _bundle(at, [_status("handshake", subscription, **_reached(number))])


def heartbeat(subscriptions: Mapping[str, str], at: int) -> bytes:
    """They still are, and nothing else has happened up to the number of each."""
    return _bundle(
        at, [_status("heartbeat", one, **_reached(number)) for one, number in subscriptions.items()]
    )


class Told(NamedTuple):
    """An event by its number, and what is shown of it."""

    number: str
    stored: Stored
    body: bytes


def answer(
    subscription: str,
    status: str,
    events: Sequence[Told],
    reached: str,
    more: Mapping[str, str],
    at: int,
    base: str,
    *,
    alone: bool = False,
) -> bytes:
    """What was asked of a subscription (``$events`` of the backport): the status names all events,
    and what is shown of them follows, unless the status is to be ``alone``. ``status`` is that of
    the Subscription, ``reached`` the number up to which it was looked, ``more`` are links.
    """
    named = [_event(one.number, one.stored) for one in events]
    told: dict[str, Any] = {"status": status, **_reached(reached)}
    if named:
        told["notificationEvent"] = named
    entries = [_status("query-event", subscription, **told)]
    if not alone:
        entries += [_entry(one.stored, one.body, base) for one in events]
    links = [{"relation": name, "url": url} for name, url in more.items()]
    return _bundle(at, entries, links)


class Notice:
    """A resource was written, or deleted; ``body`` is what its subscribers may see of it.

    A deletion has the last version that there was, and a request that says so. What all who are
    told of it get alike is made once. ``number`` is that of the event, ``base`` the FHIR base of
    the server.
    """

    __slots__ = ("_around", "base", "body", "number", "stored")

    def __init__(self, stored: Stored, body: bytes, number: str, base: str) -> None:
        self.stored = stored
        self.body = body
        self.number = number
        self.base = base
        self._around: tuple[bytes, bytes] | None = None

    @property
    def around(self) -> tuple[bytes, bytes]:
        """What stands before the id of the subscription in what it is told, and behind it."""
        if self._around is None:
            stored = self.stored
            event = _event(self.number, stored)
            name = _SUBSCRIPTION.decode()
            status = _status("event-notification", name, notificationEvent=[event])
            text = _bundle(stored.updated, [status, _entry(stored, self.body, self.base)])
            head, _, tail = text.partition(_SUBSCRIPTION)
            self._around = head, tail
        return self._around

    def to(self, subscription: str) -> bytes:
        """What a subscription is told of it."""
        head, tail = self.around
        return b"".join((head, subscription.encode(), tail))


def _event(number: str, stored: Stored) -> dict[str, Any]:
    return {
        "eventNumber": number,
        "timestamp": instant(stored.updated),
        "focus": {"reference": f"{stored.type}/{stored.id}"},
    }


def _entry(stored: Stored, body: bytes, base: str) -> bytes:
    name = f"{stored.type}/{stored.id}"
    request = encode({"method": "DELETE" if stored.deleted else "PUT", "url": name})
    return b'{"fullUrl":"%s/%s","resource":%s,"request":%s}' % (
        base.encode(),
        name.encode(),
        body,
        request,
    )


def _reached(number: str) -> dict[str, Any]:
    return {"eventsSinceSubscriptionStart": number}


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


def _bundle(at: int, entries: list[bytes], links: Sequence[Mapping[str, str]] = ()) -> bytes:
    return (
        b'{"resourceType":"Bundle","id":"%s","type":"history","timestamp":"%s",%s"entry":[%s]}'
        % (
            str(uuid4()).encode(),
            instant(at).encode(),
            b'"link":%s,' % encode(links) if links else b"",
            b",".join(entries),
        )
    )
