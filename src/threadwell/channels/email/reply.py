"""What the sender of a mail wrote now: its text without quoted mails and signature.

Nothing that may be the sender's own words is left out. Where it is not certain that a line is
quoted, it stays; where nothing would be left, everything stays.
"""

from __future__ import annotations

import re
from itertools import groupby

from threadwell.channels.email.advertisement import is_advertisement
from threadwell.channels.email.quotations import Opening, quotation_openings, quoted_lines

_SIGNATURE_LINES = 20
#: Without any of these, nothing in a text is quoted.
_SIGNS = (">", ":", "：", "---")
#: With its space: two dashes alone are also what people draw between two things they say.
_SIGNATURE_MARK = "-- "

#: Said below a signature all the same.
_POSTSCRIPT = re.compile(r"\s*(?:p\.?\s?p?\.?\s?s\b|n\.?b\b|з\.?\s?ы\b)[.:,\s]", re.IGNORECASE)


def new_text(text: str, *, answers: bool = False) -> str:
    """The part of ``text`` that was written now.

    Answers between and below quoted lines are kept, in their order. ``answers`` says that the
    mail is known to answer another one, so that even a single ``>`` line is a quotation.
    """
    if not text:
        return text
    lines = text.split("\n")
    keep = [True] * len(lines)
    may_quote = any(sign in text for sign in _SIGNS)
    if (may_quote and _drop_quotations(lines, keep, answers)) | _drop_signature(lines, keep):
        left = "\n".join(_joined(lines, keep)).strip()
        if left:
            return left
    return text


def _drop_quotations(lines: list[str], keep: list[bool], answers: bool) -> bool:
    openings = quotation_openings(lines)
    quoted = quoted_lines(lines, openings, answers)
    keep[:] = [not one for one in quoted]
    for number, opening in enumerate(openings):
        following = _next_said(lines, opening.last + 1)
        if following is None:
            if opening.certain:
                _drop(keep, opening.first, opening.last + 1)
        elif quoted[following]:
            _drop(keep, opening.first, opening.last + 1)
        elif (opening.certain or _opens_at(openings, number + 1, following)) and _said_before(
            lines, keep, opening.first
        ):
            _drop(keep, opening.first, len(lines))
            break
    return not all(keep)


def _opens_at(openings: list[Opening], number: int, line: int) -> bool:
    """Whether the opening of that number begins in that line, and is certain."""
    following = openings[number] if number < len(openings) else None
    return following is not None and following.first == line and following.certain


def _drop_signature(lines: list[str], keep: list[bool]) -> bool:
    """Leave out what follows ``-- `` (RFC 3676 §4.3), and a phone's advertisement."""
    dropped = False
    end = 0
    for kept, stretch in groupby(tuple(keep)) if _SIGNATURE_MARK in lines else ():
        start, end = end, end + sum(1 for _ in stretch)
        at = _signature(lines, start, end) if kept else None
        if at is not None and _said_before(lines, keep, at):
            after = (line for line in range(at, end) if _POSTSCRIPT.match(lines[line]))
            _drop(keep, at, next(after, end))
            dropped = True
    last = next((at for at in reversed(range(len(lines))) if keep[at] and lines[at].strip()), None)
    if last is not None and is_advertisement(lines[last]):
        keep[last] = False
        dropped = True
    return dropped


def _signature(lines: list[str], start: int, end: int) -> int | None:
    """Where the signature begins that ends before ``end``; a long one is none."""
    found = None
    said = 0
    for at in range(end - 1, start - 1, -1):
        said += bool(lines[at].strip())
        if said > _SIGNATURE_LINES:
            break
        if lines[at] == _SIGNATURE_MARK:
            found = at
    return found


def _drop(keep: list[bool], start: int, end: int) -> None:
    keep[start:end] = [False] * (end - start)


def _next_said(lines: list[str], start: int) -> int | None:
    return next((at for at in range(start, len(lines)) if lines[at].strip()), None)


def _said_before(lines: list[str], keep: list[bool], end: int) -> bool:
    return any(keep[at] and lines[at].strip() for at in range(end))


def _joined(lines: list[str], keep: list[bool]) -> list[str]:
    """The lines that are kept; where something was left out, one blank line at most."""
    out: list[str] = []
    gap = False
    for line, kept in zip(lines, keep, strict=True):
        if not kept:
            gap = True
            continue
        if gap:
            while out and not out[-1].strip():
                out.pop()
            if not line.strip():
                continue
            if out:
                out.append("")
            gap = False
        out.append(line)
    return out
