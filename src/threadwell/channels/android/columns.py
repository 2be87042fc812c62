"""The columns of Android's message provider: which record is a message, and when it was sent.

Values are texts, as every app exports them; a column that is null is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

RECEIVED, SENT = "1", "2"
_UNSENT = {
    "3": "a draft, which was never sent",
    "4": "was still in the outbox when the backup was made",
    "5": "could not be sent",
    "6": "was still waiting to be sent when the backup was made",
}
_NOT_DOWNLOADED = "130"
#: What phones and networks tell each other about an MMS (OMA MMS Encapsulation §7.3.30): that it
#: was sent, fetched, delivered or read.
_REPORTS = frozenset({"129", "131", "133", "134", "135", "136"})
_NEVER_FETCHED = "the notice of an MMS whose content was never fetched"
_DELIVERY_FAILED = "64"
_NOT_DELIVERED = ("the network reported that it was not delivered",)
_UTF8 = "106"

#: What some networks and apps put where there is none.
_NO_SUBJECT = frozenset({"NoSubject", "no subject", "(no subject)", "-1"})
#: Google Messages keeps its own bookkeeping in the place of a subject.
_RCS = "proto:"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Below it a number counts seconds: as milliseconds it would lie before the first SMS.
_FIRST_MS = 100_000_000_000
_LAST_MS = 253_402_300_800_000
_LONGEST_DELIVERY = timedelta(days=7)

Values = Mapping[str, str]


class Refused(NamedTuple):
    """Why a record is not a message, in plain words without any of its content.

    ``set_aside`` says that it was read, and was never sent or never came.
    """

    reason: str
    set_aside: bool = False


class Dated(NamedTuple):
    """A record that is a message: whether it was received, and when the phone had it."""

    received: bool
    ms: int


def read_box(values: Values, *, mms: bool) -> Dated | Refused:
    """Whether an SMS or MMS was received or sent, and when; why it is neither."""
    box = values.get("msg_box" if mms else "type", "")
    if box in _UNSENT:
        return Refused(_UNSENT[box], set_aside=True)
    if box not in (RECEIVED, SENT):
        return Refused("of a kind that is not known")
    if mms and values.get("m_type") == _NOT_DOWNLOADED:
        return Refused(_NEVER_FETCHED, set_aside=True)
    if mms and values.get("m_type") in _REPORTS:
        return Refused("a report about an MMS, written by a phone or network", set_aside=True)
    ms = _milliseconds(values.get("date", ""))
    return Refused("no usable date") if ms is None else Dated(box == RECEIVED, ms)


def sent_time(values: Values, received: datetime) -> datetime:
    """When the other side sent a message that the phone received then."""
    # Some networks send their own local time or nothing; such a claim is not believed.
    ms = _milliseconds(values.get("date_sent", ""))
    if ms is None:
        return received
    sent = EPOCH + timedelta(milliseconds=ms)
    return sent if timedelta() <= received - sent <= _LONGEST_DELIVERY else received


def subject_of(values: Values) -> str:
    """The subject of an MMS; ``""`` for what only stands in its place."""
    subject = (values.get("sub") or values.get("subject") or "").strip()
    if not subject:
        return ""
    if subject in _NO_SUBJECT or subject.startswith(_RCS):
        return ""
    if values.get("sub_cs") == _UTF8:
        # Android keeps the bytes of a UTF-8 subject as if each were a character.
        try:
            return subject.encode("latin-1").decode()
        except UnicodeError:
            return subject
    return subject


def notes_of(values: Values) -> tuple[str, ...]:
    """What the phone knows of the fate of a message."""
    return _NOT_DELIVERED if values.get("status") == _DELIVERY_FAILED else ()


def _milliseconds(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        return None
    number = int(text)
    number = number * 1000 if number < _FIRST_MS else number
    return number if _FIRST_MS <= number < _LAST_MS else None
