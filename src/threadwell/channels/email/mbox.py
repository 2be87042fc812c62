"""Mailbox files that hold many mails, one after the other (RFC 4155 and what came before it).

A mail begins with a line ``From <sender> <date>``. Everything else varies: mboxo and mboxrd mask
such lines within a text with ``>``, mboxcl counts bytes instead (its counts are often wrong and
are not used), some programs leave the blank line out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_DATE = re.compile(
    rb"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} +\d{1,2}:\d\d(?::\d\d)?\b"
    rb".*\b\d{4}\b"
)
_LONGEST_LINE = 1000
_BARE = re.compile(rb"From +(?:\S+@\S+|-|MAILER-DAEMON)\s*")
_FIELD = re.compile(rb"(?:[!-9;-~]+[ \t]*:|>?From )")
_MASKED = re.compile(rb"^>(>*From )", re.MULTILINE)


class Boxed(NamedTuple):
    """One mail of a mailbox file.

    ``from_line`` is the line that it begins with, ``raw`` what follows, unmasked.
    """

    from_line: str
    raw: bytes


def is_from_line(line: bytes, following: bytes, after_blank: bool) -> bool:
    """Whether a line that begins with ``From `` begins a mail, and is not a line of a text.

    ``following`` is the next line, which must be a header field. The date may only be missing
    ``after_blank``, after an empty line or at the start of the file.
    """
    if not line.startswith(b"From ") or len(line) > _LONGEST_LINE or not _FIELD.match(following):
        return False
    return bool(_DATE.search(line)) or (after_blank and bool(_BARE.fullmatch(line)))


def split(lines: Iterable[bytes]) -> Iterator[Boxed]:
    """The mails of a mailbox file, given its lines with their ends.

    Holds one mail at a time. What stands before the first ``From `` line is a mail of its own,
    with an empty ``from_line``, unless it is blank.
    """
    first = ""
    kept: list[bytes] = []
    waiting = b""
    after_blank = was_blank = True
    for line in lines:
        if waiting:
            if is_from_line(waiting, line, after_blank):
                yield from _boxed(first, kept)
                first, kept = waiting.decode("latin-1").strip(), []
            else:
                kept.append(waiting)
            waiting = b""
            was_blank = False
        if line.startswith(b"From "):
            waiting, after_blank = line, was_blank
        else:
            kept.append(line)
            was_blank = line in (b"\n", b"\r\n")
    if waiting:
        kept.append(waiting)
    yield from _boxed(first, kept)


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
