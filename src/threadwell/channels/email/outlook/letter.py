"""An item of Outlook as the mail that it is: the bytes of RFC 5322, read on like any other.

The header is the one that the mail came with, where Outlook has kept it, so that the same mail out
of another mailbox is known; what it lacks is made of the item's properties (MS-OXPROPS).
"""

from __future__ import annotations

import re
from base64 import b64encode, encodebytes
from collections.abc import Iterator
from email.utils import format_datetime
from urllib.parse import quote

from threadwell.channels.email.mime import split
from threadwell.channels.email.outlook.codepages import charset_of
from threadwell.channels.email.outlook.compound import Attached, Item
from threadwell.channels.email.outlook.properties import Properties
from threadwell.channels.email.outlook.rich_text import MARKED, rich_text
from threadwell.messages.looks import has_marks, without_marks

_CLASS, _FLAGS, _HEADERS = 0x001A, 0x0E07, 0x007D
_SUBJECT, _TEXT, _RICH_TEXT, _HTML, _HTML_CODE_PAGE = 0x0037, 0x1000, 0x1009, 0x1013, 0x3FDE
_MESSAGE_ID, _IN_REPLY_TO, _REFERENCES = 0x1035, 0x1042, 0x1039
_SUBMITTED, _DELIVERED = 0x0039, 0x0E06
_UNSENT = 0x8
#: Name, address that mail servers know, address, type of the address; on whose behalf, and who.
_AUTHOR = (0x0042, 0x5D02, 0x0065, 0x0064)
_SENDER = (0x0C1A, 0x5D01, 0x0C1F, 0x0C1E)
_RECIPIENT = (0x3001, 0x39FE, 0x3003, 0x3002)
_RECIPIENT_KIND = 0x0C15
_KINDS = {1: "To", 2: "Cc", 3: "Bcc"}
_FILE, _NAMES, _TYPE, _CONTENT_ID, _PLACE = 0x3701, (0x3707, 0x3704, 0x3001), 0x370E, 0x3712, 0x370D
_METHOD, _LINKED = 0x3705, 7

_LINE_BREAKS = re.compile(r"[\r\n\0]+")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)


def why_no_mail(item: Item) -> str:
    """What an item is that is no mail, in plain words; ``""`` for a mail."""
    kind = item.properties.text(_CLASS).upper()
    if not kind or kind == "IPM" or kind.startswith("IPM.NOTE"):
        return ""
    if kind.startswith("REPORT."):
        return "a delivery report or read receipt"
    if kind.startswith(("IPM.SCHEDULE", "IPM.APPOINTMENT")):
        return "an appointment or an invitation of Outlook, not a mail"
    if kind.startswith("IPM.SKYPETEAMS"):
        return "a chat of Teams, not a mail"
    return "an item of Outlook that is not a mail"


def as_mail(item: Item) -> bytes:
    """The mail that an item is."""
    return _mail(item, 0)


def _mail(item: Item, depth: int) -> bytes:
    fields = [*_fields(item)]
    # What is attached stays byte for byte as it was read by earlier builds.
    if not depth and (looks := _looks(item.properties)):
        fields.append((MARKED, looks))
    header = "".join(f"{name}: {_LINE_BREAKS.sub(' ', value)}\r\n" for name, value in fields)
    parts = [*_texts(item.properties), *(_attached(one, depth) for one in item.attachments)]
    return header.encode("utf-8", "replace") + _joined(parts, f"outlook-{depth}")


def _fields(item: Item) -> Iterator[tuple[str, str]]:
    """The header, without the fields that tell of the parts."""
    properties = item.properties
    kept, _ = split(properties.text(_HEADERS).lstrip().encode("utf-8", "replace"))
    fields = {name: values for name, values in kept.items() if not _tells_of_parts(name)}
    for name, values in fields.items():
        yield from ((name.title(), value) for value in values)
    if properties.integer(_FLAGS) & _UNSENT:
        yield "X-Unsent", "1"
    for name, value in _made_fields(item):
        if value and name.lower() not in fields:
            yield name, value


def _tells_of_parts(name: str) -> bool:
    return name.startswith("content-") or name in ("mime-version", MARKED.lower())


def _made_fields(item: Item) -> Iterator[tuple[str, str]]:
    properties = item.properties
    sender = _person(properties, _SENDER)
    author = _person(properties, _AUTHOR) or sender
    yield "From", author
    if sender != author:
        yield "Sender", sender
    for kind, name in _KINDS.items():
        people = (
            _person(one, _RECIPIENT)
            for one in item.recipients
            if one.integer(_RECIPIENT_KIND) & 0xF == kind
        )
        yield name, ", ".join(filter(None, people))
    sent = properties.time(_SUBMITTED, _DELIVERED)
    yield "Date", format_datetime(sent) if sent else ""
    yield "Subject", properties.text(_SUBJECT)
    yield "Message-ID", properties.text(_MESSAGE_ID)
    yield "In-Reply-To", properties.text(_IN_REPLY_TO)
    yield "References", properties.text(_REFERENCES)


def _person(properties: Properties, ids: tuple[int, int, int, int]) -> str:
    """A person as a header names them; the address of an Exchange server is none for mail."""
    name, known, address, kind = ids
    value = properties.text(known)
    if not value and properties.text(kind).upper() != "EX":
        value = properties.text(address)
    if "@" not in value:
        return ""
    shown = properties.text(name).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}" <{value}>' if shown and shown != value else f"<{value}>"


def _texts(properties: Properties) -> list[bytes]:
    """The text of a mail in its forms, as one part; none where it says nothing."""
    plain, html = properties.text(_TEXT), properties.content(_HTML)
    if not plain and html is None:
        coded = properties.content(_RICH_TEXT)
        plain = without_marks(rich_text(coded)) if coded else properties.text(_HTML)
    forms = []
    if plain:
        forms.append(_part("text/plain; charset=utf-8", plain.encode("utf-8", "replace")))
    if html is not None:
        charset = charset_of(properties.integer(_HTML_CODE_PAGE))
        named = f"; charset={charset}" if charset else ""
        forms.append(_part(f"text/html{named}", html))
    if len(forms) < 2:
        return forms
    return [_joined(forms, "outlook-forms", kind="alternative")]


def _looks(properties: Properties) -> str:
    """The rich text with marks, for the header: ids are made of the parts, which stay as they were.

    Beside an HTML it says nothing more.
    """
    coded = properties.content(_RICH_TEXT)
    if not coded or properties.content(_HTML) is not None:
        return ""
    marked = rich_text(coded, if_looks=True)
    return b64encode(marked.encode("utf-8", "replace")).decode() if has_marks(marked) else ""


def _attached(attached: Attached, depth: int) -> bytes:
    properties = attached.properties
    name = properties.text(*_NAMES)
    if attached.item is not None:
        inner = _mail(attached.item, depth + 1)
        return _part("message/rfc822", inner, name=f"{name or 'mail'}.eml", coded=False)
    if properties.integer(_METHOD) == _LINKED:
        place = _LINE_BREAKS.sub("", properties.text(_PLACE)).encode("utf-8", "replace")
        return _part("text/uri-list", place + b"\r\n", name=f"{name or 'file'}.url")
    kind = properties.text(_TYPE)
    kind = kind if _MEDIA_TYPE.fullmatch(kind) else "application/octet-stream"
    content_id = _LINE_BREAKS.sub("", properties.text(_CONTENT_ID)).strip("<>")
    return _part(kind, properties.content(_FILE) or b"", name=name or "file", content_id=content_id)


def _part(
    kind: str, content: bytes, *, name: str = "", content_id: str = "", coded: bool = True
) -> bytes:
    """A part of a mail; with a ``name`` it is a file."""
    fields = [f"Content-Type: {kind}"]
    if name:
        fields.append(f"Content-Disposition: attachment; filename*=utf-8''{quote(name, safe='')}")
    if content_id:
        fields.append(f"Content-ID: <{content_id}>")
    if coded:
        fields.append("Content-Transfer-Encoding: base64")
        content = encodebytes(content)
    return "\r\n".join((*fields, "", "")).encode("utf-8", "replace") + content


def _joined(parts: list[bytes], boundary: str, *, kind: str = "mixed") -> bytes:
    """The parts of a mail, from the field that says what they are on."""
    if not parts:
        return b"Content-Type: text/plain\r\n\r\n"
    if len(parts) == 1:
        return parts[0]
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    line = f"--{boundary}".encode()
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts)
    return head + body + line + b"--\r\n"
