"""Header text: encoded words (RFC 2047), raw 8-bit (RFC 6532 and worse), broken ones of both."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

from threadwell.channels.email.charsets import decode, without_controls

_BEGIN = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?")
_END = "?="
#: An encoded word has at most 75 characters (RFC 2047 §2), and far more where that is ignored.
_LONGEST = 4000
_SPACES = re.compile(r"\s+")


def header_text(value: str) -> str:
    """The text of an unstructured header value or display name, on one line.

    A word that cannot be decoded stays as it is written; nothing is lost.
    """
    if not value.isascii():
        value = _raw(value)
    if "=?" in value:
        value = _decoded(value)
    if "\n" in value or "\t" in value or "  " in value or not value.isprintable():
        value = without_controls(_SPACES.sub(" ", value))
    return value.strip()


def _raw(value: str) -> str:
    """8-bit text: what came as surrogates was no UTF-8."""
    content = value.encode("utf-8", "surrogateescape")
    return decode(content)[0]


def _decoded(value: str) -> str:
    out: list[str] = []
    pending, charset = b"", ""
    end = 0
    for word in _words(value):
        content = _bytes(word.encoding, word.text)
        plain = value[end : word.start]
        if end and not plain.strip():
            plain = ""  # White space between two encoded words is not part of the text (§6.2).
        # A character may be cut in two by the border of two words, so they are read as one.
        if pending and (plain or content is None or word.charset != charset):
            out.append(decode(pending, charset)[0])
            pending = b""
        out.append(plain)
        if content is None:
            out.append(value[word.start : word.end])
        else:
            pending += content
            charset = word.charset
        end = word.end
    if pending:
        out.append(decode(pending, charset)[0])
    out.append(value[end:])
    return "".join(out)


class _Word(NamedTuple):
    start: int
    end: int
    charset: str
    encoding: str
    text: str


def _words(value: str) -> Iterator[_Word]:
    """The encoded words, each up to the first end behind its beginning."""
    at, end = 0, 0
    while begin := _BEGIN.search(value, at):
        at = begin.end()
        if end < at:
            end = value.find(_END, at)
            if end < 0:
                return
        if end - at <= _LONGEST:
            # A charset may have a language behind it (RFC 2231 §5).
            charset = begin[1].lower().partition("*")[0]
            yield _Word(begin.start(), end + len(_END), charset, begin[2], value[at:end])
            at = end + len(_END)


def _bytes(encoding: str, text: str) -> bytes | None:
    try:
        raw = text.encode("latin-1")
        if encoding in "qQ":
            return binascii.a2b_qp(raw, header=True)
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except (UnicodeEncodeError, binascii.Error):
        return None
