"""Postmark's webhooks: JSON with the mail taken apart, and whole where that is asked for.

Others tell what became of a mail that was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threadwell.channels.delivery import Delivery
from threadwell.channels.email.hooks.again import MailFile, Text, again
from threadwell.channels.email.hooks.checks import check_password
from threadwell.channels.email.hooks.events import of_postmark
from threadwell.channels.email.hooks.provider import (
    NO_MAIL,
    Found,
    Mail,
    Provider,
    Unread,
    read_json,
)

#: Fields that Postmark gives apart from ``Headers``, by their names there.
_OWN = ("From", "To", "Cc", "Subject", "Date", "ReplyTo")
_NAMES = {"ReplyTo": "Reply-To"}


def read(delivery: Delivery) -> Iterator[Found]:
    """The mail of a delivery, or what it tells of one that was sent."""
    found = read_json(delivery.body)
    if not isinstance(found, dict):
        yield Unread("it is no JSON object")
        return
    if isinstance(found.get("RecordType"), str) and found["RecordType"] != "Inbound":
        yield from of_postmark(found, delivery.received)
        return
    raw = found.get("RawEmail")
    if isinstance(raw, str) and raw.strip():
        yield Mail(raw.encode())
        return
    header = _header(found)
    if not header:
        yield Unread(NO_MAIL)
        return
    text, html = (Text(str(found.get(name) or "").encode()) for name in ("TextBody", "HtmlBody"))
    yield Mail(again(header, text, html, _files(found)))


def _header(found: dict[str, Any]) -> list[tuple[str, str]]:
    headers = found.get("Headers")
    pairs = [
        (str(one.get("Name")), str(one.get("Value") or ""))
        for one in (headers if isinstance(headers, list) else ())
        if isinstance(one, dict) and one.get("Name")
    ]
    there = {name.lower() for name, _ in pairs}
    own = [(_NAMES.get(name, name), str(found.get(name) or "")) for name in _OWN]
    own[0] = ("From", _sender(found))
    return [*((n, v) for n, v in own if v and n.lower() not in there), *pairs]


def _sender(found: dict[str, Any]) -> str:
    """``From`` is the address alone; the name stands beside it."""
    from_, full = str(found.get("From") or ""), found.get("FromFull")
    name = str(full.get("Name") or "") if isinstance(full, dict) else ""
    address = str(full.get("Email") or "") if isinstance(full, dict) else ""
    if not name or "<" in from_ or not (from_ or address):
        return from_ or address
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{from_ or address}>'


def _files(found: dict[str, Any]) -> list[MailFile]:
    files = found.get("Attachments")
    return [
        MailFile(
            str(one.get("Name") or ""),
            str(one.get("ContentType") or ""),
            content_id=str(one.get("ContentID") or "").strip("<>"),
            # The button that checks a URL says Data.
            encoded=str(one.get("Content") or one.get("Data") or "").encode(),
        )
        for one in (files if isinstance(files, list) else ())
        if isinstance(one, dict)
    ]


POSTMARK = Provider(check_password, read, ("user", "password"))
