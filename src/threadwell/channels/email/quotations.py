"""What opens a quotation or a forwarded mail, and which lines with ``>`` are quoted.

Nothing is a quotation because it looks a little like one. People write ``From:``, ``> 180`` and
"he wrote:" as well: what only a mail program writes has to be there.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from threadwell.channels.email.header_names import ROLES, Role
from threadwell.channels.email.introductions import introduction_ending, is_dated

_FIELD = re.compile(r"[\s*_>]{0,4}([^\W\d_][^:：*]{0,24})\*?\s?[:：]\*?(.*)")
#: People draw lines as well, so this one says less than those below.
_LINE = re.compile(r"\s*+_{10,}+\s*+")
_RULE = re.compile(
    r"\s*+(?:-{2,}+\s*+(?:original message|ursprüngliche nachricht|message d'origine"
    r"|message original|mensaje original|mensagem original|messaggio originale"
    r"|oorspronkelijk bericht|originalmeddelande|oprindelig meddelelse|alkuperäinen viesti"
    r"|исходное сообщение|wiadomość oryginalna|původní zpráva|eredeti üzenet|özgün ileti"
    r"|原始邮件|原始郵件|元のメッセージ|원본 메시지)\s*+-{2,}+)\s*+",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"\s*+(?:-{3,}+\s*+(?:forwarded message|weitergeleitete nachricht|message transféré"
    r"|mensaje reenviado|mensagem encaminhada|messaggio inoltrato|doorgestuurd bericht"
    r"|vidarebefordrat meddelande|videresendt besked|videresendt melding|пересылаемое сообщение"
    r"|wiadomość przekazana dalej|转发的邮件|轉寄郵件|転送メール)\s*+-{3,}+"
    r"|(?:begin forwarded message|anfang der weitergeleiteten nachricht"
    r"|début du message réexpédié|inicio del mensaje reenviado|inizio messaggio inoltrato"
    r"|início da mensagem reencaminhada)\s*+:)\s*+",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[>\s]*+")
_NUMBERED = re.compile(r"\d{1,2}[.)]\s")
_VALUE = re.compile(r"[=~≈<≥≤±+-]?\s?[$€£]?[\d½¼¾⅓⅔]")
_DIGIT = re.compile(r"\d")
_SHORT = 40
_BLOCK_FIELDS = 3
_BLOCK_LINES = 30
_PROSE_LINES = 3
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
#: A line above that ends in a colon brings a list of the sender's own, unless it says who said it.
_SAID = re.compile(
    r"\b(?:wrote|said|says?|asked|ask|question|schrieb|schreib|fragte|frage|écri|demand|dit|escrib"
    r"|pregunt|dijo|escrev|pergunt|disse|scri|chiest|vroeg|schreef|skrev|frågade|spurgte|пис|спрос)",
    re.IGNORECASE,
)


class Opening(NamedTuple):
    """The lines, first to last, that a mail program writes above a quotation.

    ``certain`` says that they cannot be the sender's own words, even if the lines below bear no
    marks.
    """

    first: int
    last: int
    certain: bool


def quotation_openings(lines: list[str]) -> list[Opening]:
    """What opens a quotation or a forwarded mail, from the top."""
    found: list[Opening] = []
    after = 0
    for at, line in enumerate(lines):
        if ":" not in line and "---" not in line and "：" not in line:
            continue
        if at < after or is_marked(line):
            continue
        if _FORWARD.fullmatch(line):
            found.append(Opening(at, at, True))
        else:
            opening = introduction_ending(lines, at) or _header_block(lines, at)
            if opening is not None:
                found.append(Opening(*opening))
                after = opening.last + 1
    return found


def is_marked(line: str) -> bool:
    """Whether the line bears the mark of a quotation; ``>38.5`` only says "more than"."""
    return line.startswith((">", " >")) and not line.lstrip()[1:2].isdigit()


def quoted_lines(lines: list[str], openings: list[Opening], answers: bool) -> list[bool]:
    """Which of the marked lines are a quotation, stretch by stretch.

    ``answers`` says that the mail is known to answer another one.
    """
    quoted = [False] * len(lines)
    stretches = _stretches(lines)
    evidence = answers or bool(openings) or any(_is_sure(_said(lines, one)) for one in stretches)
    for stretch in stretches:
        if _is_quoted(lines, stretch, openings, evidence):
            quoted[stretch.start : stretch.stop] = [True] * len(stretch)
    return quoted


def _stretches(lines: list[str]) -> list[range]:
    """The lines with marks that follow each other."""
    found: list[range] = []
    for at, line in enumerate(lines):
        if not is_marked(line):
            continue
        if found and found[-1].stop == at:
            found[-1] = range(found[-1].start, at + 1)
        else:
            found.append(range(at, at + 1))
    return found


def _said(lines: list[str], stretch: range) -> list[str]:
    """What stands behind the marks."""
    return [text for at in stretch if (text := _behind_marks(lines[at]))]


def _behind_marks(line: str) -> str:
    return line[_MARKS.match(line).end() :].rstrip()  # type: ignore[union-attr]


def _is_quoted(lines: list[str], stretch: range, openings: list[Opening], evidence: bool) -> bool:
    above = next((at for at in range(stretch.start - 1, -1, -1) if lines[at].strip()), None)
    opening = next((one for one in openings if one.last == above), None)
    if opening is not None and opening.certain:
        return True
    said = _said(lines, stretch)
    if _are_values(said):
        return False
    if opening is not None:
        return True
    if _is_sure(said):
        return True
    if above == stretch.start - 1 and lines[above].rstrip().endswith((":", "：")):
        return evidence and bool(_SAID.search(lines[above]))
    return evidence or _is_prose(said)


def _are_values(said: list[str]) -> bool:
    """Whether lines with their marks read "more than …", or are readings one below the other."""
    if any(map(_NUMBERED.match, said)):
        return False
    if all(map(_VALUE.match, said)):
        return bool(said)
    short = all(len(text) <= _SHORT and not text.endswith(_SENTENCE_ENDS) for text in said)
    return short and len(said) > 1 and all(map(_DIGIT.search, said))


def _is_sure(said: list[str]) -> bool:
    """Whether what is marked holds the header of a mail: old Hotmail marks that as well."""
    roles = {role for text in said[:8] if (field := _field(text)) for role in [field[0]]}
    return {Role.SENDER, Role.SUBJECT} <= roles and len(roles) >= _BLOCK_FIELDS


def _is_prose(said: list[str]) -> bool:
    """Whether sentences run over several marked lines, as in a mail that was cut into lines."""
    if len(said) < _PROSE_LINES or not said[-1].endswith(_SENTENCE_ENDS):
        return False
    if said[0][:1].islower() or not said[0][:1].isalpha():
        return False
    return any(
        not line.endswith((*_SENTENCE_ENDS, ":", ";", ",")) and following[:1].islower()
        for line, following in pairwise(said)
    )


def _field(line: str) -> tuple[Role, str] | None:
    found = _FIELD.match(line)
    role = ROLES.get(found[1].strip().lower()) if found else None
    return None if found is None or role is None else (role, found[2])


def _header_block(lines: list[str], start: int) -> Opening | None:
    """The header of a quoted mail as Outlook writes it, with the rule above it.

    At least three fields with nothing between them, the sender's among the first two. What it says
    must be what only a mail's header says: people write ``From:`` and ``To:`` of journeys and
    doses, too.
    """
    first = [field[0] for line in lines[start : start + 2] if (field := _field(line))]
    if Role.SENDER not in first:
        return None
    fields: list[tuple[Role, str]] = []
    last = at = start
    while at < min(len(lines), start + _BLOCK_LINES):
        field = _field(lines[at])
        if field:
            fields.append(field)
            last = at
        elif not fields or not lines[at].strip() or at - last > 1:
            break
        at += 1
    if len(fields) < _BLOCK_FIELDS:
        return None
    above = next((at for at in range(start - 1, -1, -1) if lines[at].strip()), None)
    named = above is not None and _is_rule(lines[above])
    drawn = above is not None and bool(_LINE.fullmatch(lines[above]))
    begin = above if above is not None and (named or drawn) else start
    return Opening(begin, last, True) if _is_of_a_mail(fields, named, drawn) else None


def _is_of_a_mail(fields: list[tuple[Role, str]], named: bool, drawn: bool) -> bool:
    """Whether a mail's header says so, below a rule that names a mail, or one that is drawn."""
    values = dict(fields)
    subject, sent = Role.SUBJECT in values, Role.SENT in values
    address = "@" in values[Role.SENDER]
    dated = any(is_dated(values.get(role, "")) for role in (Role.SENT, Role.DATE))
    if named or drawn:
        return address or dated or sent or (named and subject)
    # Within one house Outlook writes names only, but its fields in their order.
    in_order = [role for role, _ in fields[:2]] == [Role.SENDER, Role.SENT]
    return dated and ((address and (subject or sent)) or (in_order and subject))


def _is_rule(line: str) -> bool:
    return bool(_RULE.fullmatch(line) or _FORWARD.fullmatch(line))
