"""One mail, from its bytes to a ``Message``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from threadwell.channels.email.addresses import parse_addresses
from threadwell.channels.email.automatic import COMPLAINT, automatic, report
from threadwell.channels.email.body import Body, read_body
from threadwell.channels.email.dates import find_dates, first_received
from threadwell.channels.email.identifiers import (
    GMAIL_NUMBER,
    NO_MESSAGE_ID,
    gmail_ids,
    made_id,
    message_id,
    named_ids,
)
from threadwell.channels.email.mime import Part, parse
from threadwell.channels.email.reply import new_text
from threadwell.channels.email.sender import Key, find_sender
from threadwell.channels.email.state import Kept, set_aside, state_notes
from threadwell.channels.email.subjects import ANSWERS
from threadwell.channels.email.words import header_text
from threadwell.messages import Broken, Message, gaps

NAME = "email"

NO_TEXT = gaps.NO_TEXT

_HEADER_END = re.compile(rb"\n\r?\n")
_NOWHERE = Kept()


def read_mail(
    raw: bytes,
    source: str,
    zone: ZoneInfo,
    now: datetime,
    *,
    kept: Kept = _NOWHERE,
    own: Collection[Key] = (),
) -> Message | Broken:
    """The message that ``raw`` is, or why it is none.

    ``source`` says where it stood, ``zone`` is the zone of dates without one, ``now`` the time of
    reading, ``kept`` where the mail lay, ``own`` are the practice's own addresses.
    """
    try:
        return _message(raw, source, zone, now, kept, own)
    except Exception as error:  # noqa: BLE001 - an oddity nobody foresaw must not end an import
        return broken(raw, source, f"cannot be read ({type(error).__name__})")


def broken(raw: bytes, source: str, reason: str, *, set_aside: bool = False) -> Broken:
    """A mail that is kept whole because it cannot be a message, or is none that was sent."""
    return Broken(NAME, source, reason, raw, "message/rfc822", set_aside)


def _message(
    raw: bytes, source: str, zone: ZoneInfo, now: datetime, kept: Kept, own: Collection[Key]
) -> Message | Broken:
    mail = parse(raw)
    if not mail.fields:
        return broken(raw, source, "has no header")
    unwanted = set_aside(mail, kept)
    if unwanted:
        return broken(raw, source, unwanted, set_aside=True)
    recipients = parse_addresses(
        [value for name in ("to", "cc", "bcc") for value in mail.fields.get(name, ())]
    )
    writer = find_sender(mail, recipients, own)
    sender = writer.address
    if sender is None:
        return broken(raw, source, writer.refusal)
    notes = [writer.note] if writer.note else []
    why = report(mail, sender.value)
    if why:
        # That somebody does not want the practice's mails is for people to see.
        return broken(raw, source, why, set_aside=why != COMPLAINT)
    dates = find_dates(mail.get("date"), mail.fields.get("received", []), kept.from_line, zone, now)
    if dates.sent is None:
        return broken(raw, source, "has no date")
    body = read_body(mail)
    people = {sender.value, *(address.value for address in recipients)}
    ids = _ids(mail, raw, people, kept.from_line, notes)
    subject = header_text(mail.get("subject"))
    answers = bool(ids.references) or bool(ANSWERS.match(subject))
    return Message(
        channel=NAME,
        external_id=ids.own,
        sender=sender,
        recipients=recipients,
        sent=dates.sent,
        text=body.text,
        new_text=new_text(body.text, answers=answers),
        received=dates.received,
        subject=subject,
        references=ids.references,
        in_reply_to=ids.in_reply_to,
        attachments=tuple(body.attachments),
        notes=(*notes, *dates.notes, *_body_notes(body), *_marks(mail, kept)),
        wall=dates.wall,
        made_id=NO_MESSAGE_ID in notes,
        earlier_ids=ids.earlier,
        earlier_words=_earlier_words(body, answers=answers),
    )


def _earlier_words(body: Body, *, answers: bool) -> tuple[str, ...]:
    return (body.earlier, new_text(body.earlier, answers=answers)) if body.earlier else ()


class _Ids(NamedTuple):
    """The mail's own id, the one that it answers, and all that it names, oldest first.

    ``earlier`` is the id that earlier builds made of a mail that has none.
    """

    own: str
    in_reply_to: str
    references: tuple[str, ...]
    earlier: tuple[str, ...]


def _ids(mail: Part, raw: bytes, people: set[str], from_line: str, notes: list[str]) -> _Ids:
    begun: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    own = message_id(mail.get("message-id"))
    if not own:
        own, begun = gmail_ids(from_line, mail.get("x-gm-thrid"))
        notes.append(GMAIL_NUMBER if own else NO_MESSAGE_ID)
        named_then = [mail.get(name) for name in ("date", "from", "subject")]
        earlier = (made_id(_body(mail, raw), *named_then),)
    if not own:
        own = _made_id(mail, raw, from_line)
    answered = named_ids(mail.fields.get("in-reply-to", ()), people)
    named = dict.fromkeys((*begun, *named_ids(mail.fields.get("references", ()), people)))
    named.update(dict.fromkeys(answered))
    named.pop(own, None)
    in_reply_to = next((id_ for id_ in answered if id_ != own), "")
    return _Ids(own, in_reply_to, tuple(named), earlier)


def _made_id(mail: Part, raw: bytes, from_line: str) -> str:
    # Two mails may say the same ("ok"): the time tells them apart, whoever wrote it down.
    received = mail.fields.get("received", ())
    date = mail.get("date").strip() or first_received(received) or from_line
    sender, *recipients = (",".join(mail.fields.get(name, ())) for name in ("from", "to", "cc"))
    return made_id(_body(mail, raw), date, sender, "\n".join(recipients), mail.get("subject"))


def _body(mail: Part, raw: bytes) -> bytes:
    return _HEADER_END.split(raw, maxsplit=1)[-1] if mail.parts else mail.body


def _body_notes(body: Body) -> list[str]:
    return body.notes if body.text else [*body.notes, NO_TEXT]


def _marks(mail: Part, kept: Kept) -> Iterator[str]:
    if note := automatic(mail):
        yield note
    yield from state_notes(mail, kept)
