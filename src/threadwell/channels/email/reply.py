"""What the sender of a mail wrote now: its text without quoted mails and signature.

Nothing that may be the sender's own words is left out. Where it is not certain that a line is
quoted, it stays; where nothing would be left, everything stays.
"""

from __future__ import annotations

import re
from itertools import groupby

from threadwell.channels.email.quotations import quotation_openings, quoted

_SIGNATURE_LINES = 20
_PHONE_LINE_LENGTH = 60
_MANY_QUOTED = 3
#: With its space: two dashes alone are also what people draw between two things they say.
_SIGNATURE_MARK = "-- "

_LINK = re.compile(r"\s?[<(\[]https?://[^>)\]]*[>)\]]")
_DEVICE = (
    r"i\s?(?:phone|pad|pod)|android|blackberry|samsung|galaxy|huawei|xiaomi|nokia|motorola|pixel"
    r"|windows|outlook|yahoo|gmail|proton|mobile|phone|smartphone|handy|tablet|verizon|at&t|t-mobile"
    r"|mailbox|sparrow|gmx|web\.de|telefon|téléphone|móvil|celular"
)
_SENT_FROM = re.compile(
    rf"(?:(?:sent|gesendet|envoyé|enviado|inviato|verzonden|verstuurd|skickat|sendt|wysłano"
    rf"|отправлено)\b.{{0,20}}\b(?:from|via|with|using|mit|von|vom|depuis|de|desde|do|da|dal|vanaf|met"
    rf"|från|fra|z|с)\b.{{0,25}}(?:{_DEVICE})\b[^,;.!?]{{0,25}}\.?"
    rf"|von meinem .{{0,25}}(?:{_DEVICE}).{{0,12}} gesendet\.?"
    rf"|(?:get|holen sie sich|obtenez|obtener) outlook for .{{0,20}}"
    rf"|(?:{_DEVICE})(?:から送信|傳送|发送)|从我的.{{0,12}}发送)",
    re.IGNORECASE,
)


def new_text(text: str, *, answers: bool = False) -> str:
    """The part of ``text`` that was written now.

    Answers between and below quoted lines are kept, in their order. ``answers`` says that the
    mail is known to answer another one, so that even a single ``>`` line is a quotation.
    """
    if not text:
        return text
    lines = text.split("\n")
    keep = [True] * len(lines)
    if _drop_quotations(lines, keep, answers) | _drop_signature(lines, keep):
        left = "\n".join(_joined(lines, keep)).strip()
        if left:
            return left
    return text


def _drop_quotations(lines: list[str], keep: list[bool], answers: bool) -> bool:
    marked = [quoted(line) for line in lines]
    openings = quotation_openings(lines)
    if any(marked) and (answers or openings or sum(marked) >= _MANY_QUOTED):
        keep[:] = [not mark for mark in marked]
    for opening in openings:
        following = _next_said(lines, opening.last + 1)
        if following is None or marked[following]:
            _drop(keep, opening.first, opening.last + 1)
        elif opening.certain and _said_before(lines, keep, opening.first):
            _drop(keep, opening.first, len(lines))
            break
    return not all(keep)


def _drop_signature(lines: list[str], keep: list[bool]) -> bool:
    """Leave out what follows ``-- `` (RFC 3676 §4.3), and a phone's advertisement."""
    dropped = False
    end = 0
    for kept, stretch in groupby(tuple(keep)):
        start, end = end, end + sum(1 for _ in stretch)
        at = _signature(lines, start, end) if kept else None
        if at is not None and _said_before(lines, keep, at):
            _drop(keep, at, end)
            dropped = True
    last = next((at for at in reversed(range(len(lines))) if keep[at] and lines[at].strip()), None)
    if last is not None and _is_advertisement(lines[last]):
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


def _is_advertisement(line: str) -> bool:
    line = _LINK.sub("", line).strip().strip("*_<>[]()")
    return len(line) <= _PHONE_LINE_LENGTH and bool(_SENT_FROM.fullmatch(line))


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
