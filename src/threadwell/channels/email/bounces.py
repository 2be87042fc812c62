"""What mail servers and programs report of a mail that was sent: who did not get it, who has read.

Reports are multipart/report (RFC 6522): delivery status (RFC 3464), disposition (RFC 8098),
feedback (RFC 5965). Older servers write a text (qmail's QSBMF, Exim's). They name the mail by its
Message-ID, somewhere in what they send back of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from threadwell.channels.email.addresses import parse_addresses
from threadwell.channels.email.identifiers import message_id, named_ids
from threadwell.channels.email.mime import Part, parse, split
from threadwell.channels.email.transfer import content_of
from threadwell.channels.live import State, Status
from threadwell.messages import Address, parse_email

_CHANNEL = "email"
_MOST_PARTS, _MOST_RECIPIENTS = 100, 100
#: How much of a text is looked at: what is sent back may be a long mail.
_MOST_TEXT = 200_000
_ORIGINALS = ("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers")
_STATUSES = ("message/delivery-status", "message/global-delivery-status")
_RECEIPTS = ("message/disposition-notification", "message/global-disposition-notification")
_STATES = {"failed": State.FAILED, "delivered": State.DELIVERED, "relayed": State.SENT}
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_NUMBER = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")
_ID_LINE = re.compile(r"^[> \t]*message-id:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
_ADDRESS_LINE = re.compile(r"^[ \t]*<?([^\s<>@]+@[^\s<>@:]+)>?:?[ \t\r]*$", re.MULTILINE)
#: Between what is told and the mail that is sent back.
_COPY = re.compile(
    r"^-+ ?(?:below this line is a copy|this is a copy|original message)", re.IGNORECASE | re.M
)


def told(mail: Part, received: datetime) -> list[Status]:
    """What a report tells of mails that were sent; nothing where it names none."""
    parts = _parts(mail)
    by_type: dict[str, list[Part]] = {}
    for part in parts:
        by_type.setdefault(part.type, []).append(part)
    fields = [split(_content(one))[0] for one in _of(by_type, _RECEIPTS)]
    if fields:
        return list(_read_receipt(fields[0], _original(mail, by_type), received))
    id_ = _original(mail, by_type)
    groups = [one for part in _of(by_type, _STATUSES) for one in _groups(_content(part))]
    if not groups:
        return _in_words(mail, by_type, received)
    if not id_:
        return []
    return [
        one
        for group in groups[:_MOST_RECIPIENTS]
        if (one := _of_recipient(group, id_, received)) is not None
    ]


def _of_recipient(fields: Mapping[str, list[str]], id_: str, received: datetime) -> Status | None:
    action = _first(fields, "action").split(" ")[0].strip(";").lower()
    state = _STATES.get(action)
    if state is None:
        return None
    code = _code(_first(fields, "status"), _first(fields, "diagnostic-code"))
    named = _first(fields, "original-recipient") or _first(fields, "final-recipient")
    who = _address(named.partition(";")[2] or named)
    return Status(_CHANNEL, id_, state, received, code if state is State.FAILED else "", who)


def _read_receipt(
    fields: Mapping[str, list[str]], id_: str, received: datetime
) -> Iterator[Status]:
    named = message_id(_first(fields, "original-message-id")) or id_
    disposition = _first(fields, "disposition").rpartition(";")[2].strip().lower()
    # Where somebody throws it away unread it was delivered all the same.
    state = State.READ if disposition.startswith("displayed") else State.DELIVERED
    if named and disposition:
        yield Status(_CHANNEL, named, state, received)


def _in_words(mail: Part, by_type: Mapping[str, list[Part]], received: datetime) -> list[Status]:
    """What a server tells in a text: that a mail has failed, by the ways in which they say so."""
    contents = [_content(one)[:_MOST_TEXT] for one in by_type.get("text/plain", ())]
    text = "\n".join(one.decode("utf-8", "replace") for one in contents)
    said, copy = text, ""
    if found := _COPY.search(text):
        said, copy = text[: found.start()], text[found.start() :]
    ids = _ID_LINE.findall(copy or text)
    id_ = _original(mail, by_type) or (message_id(ids[0]) if ids else "")
    code = _code("", said)
    failed = mail.get("x-failed-recipients")
    lines = _ADDRESS_LINE.findall(said)
    who = _address(failed.partition(",")[0]) or (_address(lines[0]) if lines else None)
    # A text of which it cannot be told that anything has failed may say that it takes longer.
    if not id_ or not (failed or code.startswith("5")):
        return []
    return [Status(_CHANNEL, id_, State.FAILED, received, code, who)]


def _original(mail: Part, by_type: Mapping[str, list[Part]]) -> str:
    """The Message-ID of the mail that a report is about, ``""`` if it names none."""
    for part in _of(by_type, _ORIGINALS):
        fields, _ = split(_content(part).lstrip(b"\r\n"))
        if found := message_id(_first(fields, "message-id")):
            return found
    for part in _of(by_type, _STATUSES):
        for group in _groups(_content(part)):
            if found := message_id(_first(group, "x-original-message-id")):
                return found
    answered = named_ids(mail.fields.get("in-reply-to", ()))
    return answered[0] if answered else next(iter(named_ids(mail.fields.get("references", ()))), "")


def _parts(mail: Part) -> list[Part]:
    """The parts of a report, and no part of what it sends back."""
    out: list[Part] = []
    left = [mail]
    while left and len(out) < _MOST_PARTS:
        part = left.pop(0)
        out.append(part)
        left[:0] = part.parts
    return out


def _of(by_type: Mapping[str, list[Part]], types: tuple[str, ...]) -> list[Part]:
    return [part for type_ in types for part in by_type.get(type_, ())]


def _groups(content: bytes) -> list[Mapping[str, list[str]]]:
    """The groups of fields, with blank lines between them."""
    pieces = re.split(rb"\r?\n[ \t]*\r?\n", content.strip())
    return [fields for piece in pieces if (fields := split(piece + b"\n\n")[0])]


def _content(part: Part) -> bytes:
    return content_of(part, [], as_text=True)


def _first(fields: Mapping[str, list[str]], name: str) -> str:
    values = fields.get(name)
    return values[0].strip() if values else ""


def _code(status: str, diagnostic: str) -> str:
    """The code that says most: one that is no more than *it failed* gives way to a better one."""
    codes = [*_CODE.findall(status), *_CODE.findall(diagnostic)]
    plain = [one for one in codes if not one.endswith(".0.0")]
    if plain or codes:
        return str((plain or codes)[0])
    numbers = _NUMBER.findall(diagnostic)
    return str(numbers[0]) if numbers else ""


def _address(text: str) -> Address | None:
    found = parse_addresses([text.strip()]) if text.strip() else ()
    return found[0] if found else parse_email(text)


def read_told(raw: bytes, received: datetime) -> list[Status]:
    """What is told by the bytes of a mail."""
    return told(parse(raw), received)
