"""Which encoding a text file is in."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(head: bytes) -> str:
    """The encoding that the byte order mark of ``head`` names; UTF-8 where there is none."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")


def text_head(head: bytes) -> str:
    """The first characters of a file; a character cut in two at the end is left out.

    Bytes that no text holds come back as U+FFFD, so that a caller can tell.
    """
    return codecs.getincrementaldecoder(encoding_of(head))("replace").decode(head)
