"""Mailbox files that hold many mails, one after the other (RFC 4155 and what came before it).

A mail begins with a line ``From <sender> <date>``. Everything else varies: mboxo and mboxrd mask
such lines within a text with ``>``, mboxcl counts bytes instead (its counts are often wrong and
are not used), some programs leave the blank line out, Thunderbird writes the word and nothing else.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from threadwell.channels.email.from_line import Candidate, Doubt, doubt

_MASKED = re.compile(rb"^>(>*From )", re.MULTILINE)
_BLANK = (b"\n", b"\r\n")
_PIECE = 16 * 1024


class Boxed(NamedTuple):
    """One mail of a mailbox file.

    ``from_line`` is the line that it begins with, ``raw`` what follows, unmasked.
    """

    from_line: str
    raw: bytes


def split(lines: Iterable[bytes]) -> Iterator[Boxed]:
    """The mails of a mailbox file, given its lines with their ends.

    Holds one mail at a time. What stands before the first ``From `` line is a mail of its own,
    with an empty ``from_line``, unless it is blank.
    """
    first = ""
    kept: list[bytes] = []
    candidate: Candidate | None = None
    was_blank = True
    for line in lines:
        if candidate is not None:
            begins = candidate.take(line)
            if begins is None:
                continue
            if begins:
                yield from _boxed(first, kept)
                first, kept = candidate.line.decode("latin-1").strip(), candidate.following
            else:
                kept += [candidate.line, *candidate.following]
            candidate = None
            was_blank = False
            if begins:
                continue
        if line.startswith(b"From") and (found := doubt(line)) is not Doubt.FULL:
            candidate = Candidate(line, found, after_blank=was_blank)
        else:
            kept.append(line)
            was_blank = line in _BLANK
    if candidate is not None:
        kept += [candidate.line, *candidate.following]
    yield from _boxed(first, kept)


def is_mbox(head: bytes) -> bool:
    """Whether a file begins with the ``From `` line of a mailbox file."""
    lines = iter(head.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n").splitlines(keepends=True))
    first = next(lines, b"")
    found = doubt(first)
    if found is Doubt.FULL:
        return False
    candidate = Candidate(first, found, after_blank=True)
    return next((begins for line in lines if (begins := candidate.take(line)) is not None), False)


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a mailbox file with their ends; a byte order mark is none of its content.

    Where lines end in ``\\r`` alone, as on the first Macintoshes, they end in ``\\n`` here.
    """
    head = file.read(_PIECE)
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    file.seek(mark)
    return iter(file) if b"\n" in head or b"\r" not in head else _old_lines(file)


def _old_lines(file: BinaryIO) -> Iterator[bytes]:
    begun: list[bytes] = []
    while piece := file.read(_PIECE):
        end, *lines = piece.split(b"\r")
        begun.append(end)
        for line in lines:
            yield b"".join(begun) + b"\n"
            begun = [line]
    if any(begun):
        yield b"".join(begun)


def _boxed(from_line: str, lines: list[bytes]) -> Iterator[Boxed]:
    raw = b"".join(lines)
    if not from_line and not raw.strip():
        return
    if b">From " in raw:
        raw = _MASKED.sub(rb"\1", raw)
    # The blank line before the next mail belongs to the file, not to the mail.
    if raw.endswith(b"\r\n\r\n"):
        raw = raw[:-2]
    elif raw.endswith(b"\n\n"):
        raw = raw[:-1]
    yield Boxed(from_line, raw)
