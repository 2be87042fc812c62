"""What SendGrid and Postmark tell of mails that were sent through them.

Both have numbers of their own for a mail, and tell beside them what was given along: its
Message-ID (``channels/email/given_along.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from threadwell.channels.email.given_along import OWN
from threadwell.channels.email.hooks.provider import Found, Unread
from threadwell.channels.email.identifiers import message_id
from threadwell.channels.instants import parse_instant
from threadwell.channels.live import State, Status
from threadwell.messages import Address, parse_email

#: The year 9999 begins then.
_LATEST = 253_370_764_800
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_WORD = re.compile(r"[A-Za-z]{1,40}")
_SENDGRID = {
    "processed": State.QUEUED,
    "delivered": State.DELIVERED,
    "open": State.READ,
    "click": State.READ,
    "bounce": State.FAILED,
    "dropped": State.FAILED,
}
_POSTMARK = {"Delivery": State.DELIVERED, "Open": State.READ, "Click": State.READ}
#: Bounces of Postmark after which a mail may still arrive, or that were sent by a program of the
#: recipient's that has it.
_NO_FAILURES = frozenset(
    (
        *("Transient", "AutoResponder", "AddressChange", "Subscribe", "Unsubscribe"),
        *("ChallengeVerification", "OpenRelayTest"),
    )
)
COMPLAINED = Unread("somebody has marked a mail of the practice as spam")
NOTHING_NEW = Unread("it tells of an event that changes nothing", set_aside=True)
NOT_OURS = Unread("it tells of a mail that was not sent from here", set_aside=True)


def of_sendgrid(told: Any, received: datetime) -> Iterator[Found]:
    """What an event webhook of SendGrid tells: a list of events.

    Those that change nothing are passed over; where there is no other, that is said once.
    """
    events = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    found = [_of_sendgrid(one, received) for one in events]
    statuses = [one for one in found if isinstance(one, Status)]
    yield from statuses
    if COMPLAINED in found:
        yield COMPLAINED
    elif not statuses:
        yield found[0] if found else Unread("it tells of no event")


def _of_sendgrid(event: Mapping[str, Any], received: datetime) -> Found:
    state = _SENDGRID.get(str(event.get("event")))
    id_ = _id(event.get(OWN)) or _id(event.get("smtp-id"))
    if state is None:
        return COMPLAINED if event.get("event") == "spamreport" else NOTHING_NEW
    if not id_:
        return NOT_OURS
    seconds = event.get("timestamp")
    when = received
    if isinstance(seconds, int | float) and 0 < seconds < _LATEST:
        when = datetime.fromtimestamp(seconds, UTC)
    why = (event.get("status"), event.get("reason"), event.get("type"))
    return _status(id_, state, when, why, event.get("email"))


def of_postmark(told: Mapping[str, Any], received: datetime) -> Iterator[Found]:
    """What a webhook of Postmark tells of one mail and one recipient."""
    kind, type_ = str(told.get("RecordType")), str(told.get("Type"))
    state = _POSTMARK.get(kind)
    if kind == "Bounce" and type_ not in _NO_FAILURES:
        state = State.FAILED
    given = told.get("Metadata")
    given = given if isinstance(given, dict) else {}
    id_ = next((_id(value) for name, value in given.items() if str(name).lower() == OWN), "")
    if kind == "SpamComplaint":
        yield COMPLAINED
    elif state is None:
        yield NOTHING_NEW
    elif not id_:
        yield NOT_OURS
    else:
        times = (told.get(name) for name in ("DeliveredAt", "BouncedAt", "ReceivedAt"))
        when = next(filter(None, (parse_instant(str(one or "")) for one in times)), received)
        why = (told.get("Details"), told.get("Description"), type_)
        yield _status(id_, state, when, why, told.get("Recipient") or told.get("Email"))


def _status(id_: str, state: State, when: datetime, why: tuple[Any, ...], who: Any) -> Status:
    named = parse_email(str(who or ""))
    recipient = named if isinstance(named, Address) else None
    code = _code(why) if state is State.FAILED else ""
    return Status("email", id_, state, when, code, recipient)


def _code(why: tuple[Any, ...]) -> str:
    """The code that a mail server has given, else the last of them: the provider's own word."""
    found = next(filter(None, (_CODE.search(str(one or "")) for one in why)), None)
    word = str(why[-1] or "")
    return found[1] if found else word if _WORD.fullmatch(word) else ""


def _id(value: Any) -> str:
    return message_id(value.strip()) if isinstance(value, str) else ""
