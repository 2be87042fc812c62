"""Postmark's inbound webhook: JSON with the mail taken apart, and whole where that is asked for."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterator
from typing import Any

from threadwell.channels.delivery import Delivery
from threadwell.channels.email.hooks.again import MailFile, again
from threadwell.channels.email.hooks.checks import check_password
from threadwell.channels.email.hooks.provider import Found, Mail, Provider, Unread

#: Fields that Postmark gives apart from ``Headers``, by their names there.
_OWN = ("From", "To", "Cc", "Subject", "Date", "ReplyTo")
_NAMES = {"ReplyTo": "Reply-To"}


def read(delivery: Delivery) -> Iterator[Found]:
    """The mail of a delivery."""
    try:
        found = json.loads(delivery.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        yield Unread("it is no JSON object")
        return
    if isinstance(found.get("RecordType"), str) and found["RecordType"] != "Inbound":
        yield Unread("it tells of a mail that was sent", set_aside=True)
        return
    raw = found.get("RawEmail")
    if isinstance(raw, str) and raw.strip():
        yield Mail(raw.encode("utf-8", "surrogatepass"))
        return
    header = _header(found)
    if not header:
        yield Unread("it has neither a mail nor the header of one")
        return
    text, html = (str(found.get(name) or "") for name in ("TextBody", "HtmlBody"))
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
    return [*((n, v) for n, v in own if v and n.lower() not in there), *pairs]


def _files(found: dict[str, Any]) -> list[MailFile]:
    files = found.get("Attachments")
    return [
        MailFile(
            str(one.get("Name") or ""),
            str(one.get("ContentType") or ""),
            _bytes(str(one.get("Content") or "")),
            str(one.get("ContentID") or "").strip("<>"),
        )
        for one in (files if isinstance(files, list) else ())
        if isinstance(one, dict)
    ]


def _bytes(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text.encode("ascii", "ignore"))
    except binascii.Error:
        return text.encode("utf-8", "surrogatepass")


POSTMARK = Provider(check_password, read)
