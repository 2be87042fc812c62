"""The parts of a mail (RFC 5322, RFC 2045-2046), from bytes that may break every rule.

Several times as fast as ``email.parser``, whose answers it shares on mails that keep the rules
(``tests/property/test_mail_mime.py``); what keeps none of them becomes text, with a flaw noted.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from threadwell.channels.email.parameters import parse_parameters
from threadwell.messages import gaps

#: Parts within parts, deeper than any mail program nests them.
MAX_DEPTH = 20

NO_BOUNDARY = "multipart without a usable boundary; read as text"
GUESSED_BOUNDARY = "multipart whose boundary had to be guessed"
NOT_CLOSED = gaps.CUT_OFF
TOO_DEEP = "parts are nested too deep; the innermost are kept as one file"

_HEADER_END = re.compile(rb"\n\r?\n")
_FOLD = re.compile(r"\n[ \t]+")
_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:[ \t]*(.*)")
_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
_AFTER_DELIMITER = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_FIRST_DELIMITER = re.compile(rb"(?:\A|\n)--([^\r\n]{1,200}?)[ \t]*\r?\n")
# A line of the header without a name, before one of these, is a line that should be indented.
_SURE_FIELD = re.compile(
    r"(?:content-[\w-]+|mime-version|date|from|to|cc|subject|message-id|received|references"
    r"|in-reply-to|reply-to|sender|return-path|x-[\w-]+)[ \t]*:",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Part:
    """A mail, or one part of it.

    ``fields`` has the header: lower-case name to its unfolded values, topmost first; bytes that
    are no UTF-8 are surrogates. ``type`` is lower case; ``body`` is as transported, and empty where
    there are ``parts``. ``flaws`` are plain words without any content.
    """

    fields: Mapping[str, list[str]]
    type: str
    parameters: Mapping[str, str]
    body: bytes
    parts: list[Part] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)

    def get(self, name: str) -> str:
        """The topmost value of a header field, ``""`` if absent."""
        values = self.fields.get(name)
        return values[0] if values else ""


def parse(raw: bytes) -> Part:
    """The mail with all of its parts. Never fails."""
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    if raw[:1] in b"\xef\r\n":
        raw = raw.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
    return _part(raw, "text/plain", 0)


def _part(raw: bytes, default_type: str, depth: int) -> Part:
    fields, body = split(raw)
    value = next(filter(None, fields.get("content-type", ())), "")
    type_, parameters = parse_parameters(value) if value else (default_type, {})
    if not _TYPE.fullmatch(type_):
        type_ = "text/plain" if type_ in ("", "text") else "application/octet-stream"
    part = Part(fields, type_, parameters, body)
    if type_.startswith("multipart/"):
        _open(part, depth)
    return part


def split(raw: bytes) -> tuple[dict[str, list[str]], bytes]:
    """The header fields and the body. A line that is no field begins the body."""
    if raw[:1] in b"\r\n":
        return {}, raw[raw.find(b"\n") + 1 :]
    end = _HEADER_END.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        text = head.decode("utf-8", "surrogateescape")
    fields: dict[str, list[str]] = {}
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    lines = _FOLD.sub(" ", text).split("\n")
    last: list[str] | None = None
    for index, line in enumerate(lines):
        found = _FIELD.match(line)
        if found:
            last = fields.setdefault(found[1].lower(), [])
            last.append(found[2].rstrip())
        elif last and index + 1 < len(lines) and _SURE_FIELD.match(lines[index + 1]):
            last[-1] += " " + line.strip()
        elif line.strip() and not line.startswith(("From ", ">From ")):
            return fields, _from_line(raw, line)
    return fields, body


def _from_line(raw: bytes, line: str) -> bytes:
    start = raw.find(b"\n" + line.encode("utf-8", "surrogateescape").split(b"\r")[0][:40])
    return raw[start + 1 :]


def _open(part: Part, depth: int) -> None:
    """Fill ``parts`` of a multipart; one that cannot be taken apart becomes text."""
    if depth >= MAX_DEPTH:
        part.type = "application/octet-stream"
        part.flaws.append(TOO_DEEP)
        return
    boundary = part.parameters.get("boundary", "").encode("utf-8", "surrogateescape").rstrip()
    found, closed = pieces(part.body, boundary) if boundary else ([], False)
    if not found:
        guess = _FIRST_DELIMITER.search(part.body)
        if guess:
            found, closed = pieces(part.body, guess[1])
            part.flaws.append(GUESSED_BOUNDARY)
    if not found:
        part.type = "text/plain"
        if part.body.strip():
            part.flaws = [NO_BOUNDARY]
        return
    if not closed:
        part.flaws.append(NOT_CLOSED)
    default = "message/rfc822" if part.type == "multipart/digest" else "text/plain"
    part.parts = [_part(piece, default, depth + 1) for piece in found]
    part.body = b""


def pieces(body: bytes, boundary: bytes) -> tuple[list[bytes], bool]:
    """What stands between the delimiter lines (RFC 2046 §5.1.1), and whether the last is there."""
    delimiter = b"--" + boundary
    found: list[bytes] = []
    begin = -1
    at = body.find(delimiter)
    while at >= 0:
        after = _AFTER_DELIMITER.match(body, at + len(delimiter))
        if after and (at == 0 or body[at - 1] == 0x0A):
            if begin >= 0:
                found.append(body[begin : max(begin, _line_end(body, at))])
            begin = after.end()
            if after[1]:
                return found, True
        at = body.find(delimiter, at + len(delimiter))
    if begin >= 0:
        found.append(body[begin:])
    return found, False


def _line_end(body: bytes, at: int) -> int:
    """Where the line before ``at`` ends: its line break belongs to the delimiter."""
    return at - 2 if body[at - 2 : at] == b"\r\n" else at - 1
