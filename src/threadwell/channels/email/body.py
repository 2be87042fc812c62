"""What a mail says and what it brings: its text, and its files."""

from __future__ import annotations

import binascii
import mimetypes
import re
from dataclasses import dataclass, field

from threadwell.channels.email.charsets import decode, without_controls
from threadwell.channels.email.flowed import unflow
from threadwell.channels.email.html import html_to_text
from threadwell.channels.email.mime import Part
from threadwell.channels.email.parameters import parse_parameters
from threadwell.channels.email.words import header_text
from threadwell.messages import Attachment

FROM_HTML = "text taken from HTML"
BAD_BASE64 = "a part's base64 is damaged; what could be decoded was kept"
UNKNOWN_ENCODING = "a part names an unknown transfer encoding and was kept as it is"

_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\r\n]*\r?\n", re.MULTILINE)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_AS_IT_IS = frozenset(("", "7bit", "8bit", "binary", "7-bit", "8-bit", "plain"))
_TEXT_TYPES = frozenset(("text/plain", "text/html"))
_EXTENSIONS = {
    "message/rfc822": ".eml",
    "text/plain": ".txt",
    "image/jpeg": ".jpg",
    "application/pgp-signature": ".asc",
    "text/calendar": ".ics",
}
#: Python's own table, so that a name does not depend on the machine.
_TYPES = mimetypes.MimeTypes()


@dataclass(slots=True)
class Body:
    """``text`` has ``\\n`` line ends; ``notes`` are plain words without any content."""

    text: str
    attachments: list[Attachment]
    notes: list[str]


def read_body(mail: Part) -> Body:
    """The text and the files of a mail.

    Of alternatives the plain text is taken, HTML only where there is none. Text parts that follow
    each other are joined. Everything else is an attachment: inline images, forwarded mails (whole,
    as ``.eml``), signatures of any kind, ``winmail.dat``.
    """
    contents = _Contents()
    _gather(mail, contents)
    texts = [text for text in contents.texts if text.strip()]
    text = "\n\n".join(text.strip("\n") for text in texts) if len(texts) > 1 else "".join(texts)
    return Body(text.rstrip(), contents.attachments, list(dict.fromkeys(contents.notes)))


@dataclass(slots=True)
class _Contents:
    texts: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _gather(part: Part, into: _Contents, *, files_only: bool = False) -> None:
    into.notes += part.flaws
    if part.type == "multipart/alternative" and part.parts:
        _gather_alternative(part, into, files_only)
    elif part.parts:
        for child in part.parts:
            _gather(child, into, files_only=files_only)
    elif part.type in _TEXT_TYPES and not _is_file(part):
        if not files_only:
            into.texts.append(_text(part, into.notes))
    elif part.body.strip() or part.type not in ("text/plain", "application/octet-stream"):
        into.attachments.append(_attachment(part, len(into.attachments) + 1, into.notes))


def _gather_alternative(part: Part, into: _Contents, files_only: bool) -> None:
    """The best of several forms of one text, and the files of all of them."""
    types = [_first_text_type(child) for child in part.parts]
    ranked = sorted(range(len(types)), key=lambda index: types[index] != "text/plain")
    found: set[int] = set()
    beside = False
    for index in ranked:
        child = part.parts[index]
        # Two plain texts side by side are no alternatives, whatever the sender calls them.
        more = not found or (beside and child.type == "text/plain")
        form = _Contents()
        _gather(child, form, files_only=files_only or not more)
        if "".join(form.texts).strip():
            found.add(index)
            into.texts += form.texts
            beside = child.type == "text/plain"
        into.attachments += form.attachments
        into.notes += form.notes


def _first_text_type(part: Part) -> str:
    if part.parts:
        return next(filter(None, map(_first_text_type, part.parts)), "")
    return part.type if part.type in _TEXT_TYPES and not _is_file(part) else ""


def _is_file(part: Part) -> bool:
    disposition = part.get("content-disposition")
    if not disposition:
        return bool(part.parameters.get("name")) and part.type != "text/html"
    kind, parameters = parse_parameters(disposition)
    return kind == "attachment" or bool(parameters.get("filename"))


def _text(part: Part, notes: list[str]) -> str:
    content = _content(part, notes)
    text, note = decode(content, part.parameters.get("charset", ""))
    if note:
        notes.append(note)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if part.type == "text/html":
        text = html_to_text(text)
        if text:
            notes.append(FROM_HTML)
    elif part.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, part.parameters.get("delsp", "").lower() == "yes")
    return without_controls(text.removeprefix("\ufeff"))


def _attachment(part: Part, number: int, notes: list[str]) -> Attachment:
    content = _content(part, notes)
    _, parameters = parse_parameters(part.get("content-disposition"))
    name = parameters.get("filename") or part.parameters.get("name") or ""
    # A path in a name was put there by a careless program, or by somebody with bad intentions.
    name = _UNSAFE.sub("_", re.split(r"[/\\]", name)[-1]).strip(" .")
    if not name and part.type == "message/rfc822":
        name = f"message-{number}.eml"
    if not name:
        extension = _EXTENSIONS.get(part.type) or _TYPES.guess_extension(part.type) or ".bin"
        name = f"attachment-{number}{extension}"
    return Attachment(name[-200:], part.type, content)


def _content(part: Part, notes: list[str]) -> bytes:
    """The bytes of a part, its transfer encoding undone (RFC 2045 §6)."""
    encoding = header_text(part.get("content-transfer-encoding")).strip(" ;'\"").lower()
    encoding = encoding.split(";")[0].split(" ")[0]
    if encoding in _AS_IT_IS:
        return part.body
    if encoding == "quoted-printable":
        return binascii.a2b_qp(part.body)
    if encoding == "base64":
        return _base64(part.body, notes)
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _uuencoded(part.body, notes)
    notes.append(UNKNOWN_ENCODING)
    return part.body


def _base64(body: bytes, notes: list[str]) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        notes.append(BAD_BASE64)
    kept = _NO_BASE64.sub(b"", body)
    whole = len(kept) - (1 if len(kept) % 4 == 1 else 0)
    return binascii.a2b_base64(kept[:whole] + b"=" * (-whole % 4))


def _uuencoded(body: bytes, notes: list[str]) -> bytes:
    begin = _UU_BEGIN.search(body)
    if begin is None:
        if body.strip():
            notes.append(UNKNOWN_ENCODING)
        return body
    out = []
    for line in body[begin.end() :].splitlines():
        if line.strip() in (b"end", b"`"):
            break
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Some encoders count a line's bytes wrong; the characters say how many there are.
            count = (((line[0] - 32) & 63) * 4 + 5) // 3
            out.append(binascii.a2b_uu(line[:count]) if line else b"")
    return b"".join(out)
