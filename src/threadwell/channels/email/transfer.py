"""The bytes of a part, as they were before they were made fit for the way (RFC 2045 §6)."""

from __future__ import annotations

import binascii
import re

from threadwell.channels.email.mime import Part
from threadwell.channels.email.words import header_text

BAD_BASE64 = "a part's base64 is damaged; what could be decoded was kept"
UNKNOWN_ENCODING = "a part names an unknown transfer encoding and was kept as it is"

_AS_IT_IS = frozenset(("", "7bit", "8bit", "binary", "7-bit", "8-bit", "plain"))
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
#: A line of something else, as lists append it: what no base64 has, or words.
_PROSE = re.compile(rb"[^A-Za-z0-9+/=\s]|[^\s][ \t]++[^\s]")
_PADDED = re.compile(rb"[^=]*+=++\s*+")
# A line that goes on ends in "="; what the way has put behind it does not count.
_SOFT_BREAK = re.compile(rb"=[ \t]++(?=\r?\n|\Z)")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\r\n]*\r?\n", re.MULTILINE)


def content_of(part: Part, notes: list[str], *, as_text: bool = False) -> bytes:
    """The bytes of a part, its transfer encoding undone. What was odd goes into ``notes``.

    What stands behind the encoded part, as lists append it, belongs to a text and not to a file.
    """
    encoding = header_text(part.get("content-transfer-encoding")).strip(" ;'\"").lower()
    encoding = encoding.split(";")[0].split(" ")[0]
    if encoding in _AS_IT_IS:
        return part.body
    if encoding == "quoted-printable":
        return binascii.a2b_qp(_SOFT_BREAK.sub(b"=", part.body))
    if encoding == "base64":
        return _base64(part.body, notes, as_text)
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _uuencoded(part.body, notes)
    notes.append(UNKNOWN_ENCODING)
    return part.body


def _base64(body: bytes, notes: list[str], as_text: bool) -> bytes:
    padding = body.find(b"=")
    if padding < 0 or not body[padding:].strip(b"=\r\n\t "):
        try:
            return binascii.a2b_base64(body)
        except binascii.Error:
            return _piece(body, notes)
    return _pieces(body, notes, as_text)


def _pieces(body: bytes, notes: list[str], as_text: bool) -> bytes:
    """Several encodings, one behind the other, each padded; or one with other text behind it."""
    out: list[bytes] = []
    at = 0
    while found := _PADDED.match(body, at):
        if at and _PROSE.search(found[0]):
            break
        out.append(_piece(found[0], notes))
        at = found.end()
    rest = body[at:]
    if not rest.strip():
        return b"".join(out)
    if not _PROSE.search(rest):
        return b"".join((*out, _piece(rest, notes)))
    if not as_text:
        notes.append(BAD_BASE64)
    return b"".join((*out, b"\n", rest) if as_text else out)


def _piece(coded: bytes, notes: list[str]) -> bytes:
    kept = _NO_BASE64.sub(b"", coded)
    whole = len(kept) - (1 if len(kept) % 4 == 1 else 0)
    padded = len(coded.rstrip()) - len(coded.rstrip().rstrip(b"="))
    if whole != len(kept) or (len(kept) + padded) % 4:
        notes.append(BAD_BASE64)
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
