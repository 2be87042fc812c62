"""One element of a backup becomes one message, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from threadwell.channels.sms_backup.earlier import earlier_ids
from threadwell.channels.sms_backup.elements import Element
from threadwell.channels.sms_backup.ends import NAME, Owner, Refused, read_ends
from threadwell.channels.sms_backup.identity import Identities
from threadwell.channels.sms_backup.parts import Parts, read_parts
from threadwell.messages import Message

_RECEIVED, _SENT = "1", "2"
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
_UTF8 = "106"

#: What some networks and apps put where there is none.
_NO_SUBJECT = frozenset({"NoSubject", "no subject", "(no subject)", "-1"})
#: Google Messages keeps its own bookkeeping in the place of a subject.
_RCS = "proto:"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Below it a number counts seconds: as milliseconds it would lie before the first SMS.
_FIRST_MS = 100_000_000_000
_LAST_MS = 253_402_300_800_000
_LONGEST_DELIVERY = timedelta(days=7)


def parse_message(element: Element, owner: Owner, ids: Identities) -> Message | Refused:
    """The message that an ``<sms>`` or ``<mms>`` holds.

    ``sent`` is when the other side sent it, as far as the network told, and otherwise when the
    phone did.
    """
    attributes = element.attributes
    mms = element.name == "mms"
    box = attributes.get("msg_box" if mms else "type", "")
    if box in _UNSENT:
        return Refused(_UNSENT[box], set_aside=True)
    if box not in (_RECEIVED, _SENT):
        return Refused("of a kind that is not known")
    if mms and attributes.get("m_type") == _NOT_DOWNLOADED:
        return Refused(_NEVER_FETCHED, set_aside=True)
    if mms and attributes.get("m_type") in _REPORTS:
        return Refused("a report about an MMS, written by a phone or network", set_aside=True)
    ms = _milliseconds(attributes.get("date", ""))
    if ms is None:
        return Refused("no usable date")
    received = box == _RECEIVED
    ends = read_ends(element, received, owner)
    if isinstance(ends, Refused):
        return ends
    subject = _subject(attributes)
    content = read_parts(element.parts) if mms else Parts(attributes.get("body", ""))
    if not (content.text or content.attachments or subject):
        return Refused("empty")
    date = _EPOCH + timedelta(milliseconds=ms)
    thread = ",".join(sorted({one.key[1] for one in ends.others}))
    who = ends.sender.key[1] if received else thread
    before: tuple[str, ...] = ()
    if ids.earlier:
        before = earlier_ids(ms, box, ends, subject, content)
    return Message(
        channel=NAME,
        external_id=ids.of(ms, attributes.get("m_id", "") if mms else "", box, who, content.text),
        sender=ends.sender,
        recipients=ends.recipients,
        sent=_sent(attributes, date) if received else date,
        received=date if received else None,
        text=content.text,
        new_text=content.text,
        thread_hint=thread,
        subject=subject,
        attachments=content.attachments,
        medium="MMSWRIT" if mms else "SMSWRIT",
        notes=(*content.notes, *_notes(element)),
        made_id=True,
        earlier_ids=before,
    )


def _notes(element: Element) -> Iterator[str]:
    if element.repaired:
        yield "characters that the backup had spoilt were left out"
    if element.attributes.get("status") == _DELIVERY_FAILED:
        yield "the network reported that it was not delivered"


def _milliseconds(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        return None
    number = int(text)
    number = number * 1000 if number < _FIRST_MS else number
    return number if _FIRST_MS <= number < _LAST_MS else None


def _sent(attributes: dict[str, str], received: datetime) -> datetime:
    # Some networks send their own local time or nothing; such a claim is not believed.
    ms = _milliseconds(attributes.get("date_sent", ""))
    if ms is None:
        return received
    sent = _EPOCH + timedelta(milliseconds=ms)
    return sent if timedelta() <= received - sent <= _LONGEST_DELIVERY else received


def _subject(attributes: dict[str, str]) -> str:
    subject = (attributes.get("sub") or attributes.get("subject") or "").strip()
    if subject in _NO_SUBJECT or subject.startswith(_RCS):
        return ""
    if attributes.get("sub_cs") == _UTF8:
        # Android keeps the bytes of a UTF-8 subject as if each were a character.
        try:
            return subject.encode("latin-1").decode()
        except UnicodeError:
            return subject
    return subject
