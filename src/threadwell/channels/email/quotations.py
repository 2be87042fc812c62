"""How mail programs mark the mail that is answered, in many languages."""

from __future__ import annotations

import re
from typing import NamedTuple

_WROTE = (
    r"wrote|writes|schrieb|schrieben|a écrit|écrit|escribió|escribio|escreveu|ha scritto|scrisse"
    r"|schreef|geschreven|skrev|kirjoitti|napsal(?:\(a\)|a)?|napísal(?:a)?|napisał(?:\(a\)|a)?"
    r"|написал(?:\(а\)|а)?|пишет|пише|írta|yazdı|a scris|έγραψε|写道|寫道|작성"
)
_BEGINS = re.compile(
    r"[\s*-]*(?:On|Am|Le|El|Il|Em|Op|Den|På|Dne|Dňa|Dnia|W dniu|Pe|La|Στις|在|于|於"
    r"|\d{1,4}[./年-]|\d{1,2}\.? [^\W\d]{3,}"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w*,|\w+day,|(?:пн|вт|ср|чт|пт|сб|вс),)"
)
#: Begins so too, unless a line above it begins better.
_BEGINS_WITH_NAME = re.compile(r"\S+@\S+|\"?[A-ZÀ-Þ][\w .,'’-]{1,60}\"? <\S+@\S+>")
# The end of an introduction; the verb may stand before the name (German) or last (English).
_ENDS = re.compile(rf"(?:{_WROTE})[^\n:：]{{0,120}}[:：]\s*$", re.IGNORECASE)
_ADDRESS_AND_COLON = re.compile(r"<\S+@\S+>\s*[:：]\s*$")
_DAY = re.compile(r"\d{1,4}[./-]\d|\b\d{1,2}\b|年|@")

_FIELDS = re.compile(
    r"[\s*_]{0,3}(?P<name>From|Von|De|Da|Van|Från|Fra|Lähettäjä|От кого|От|Od|发件人|差出人"
    r"|Sent|Date|Gesendet|Datum|Envoyé|Enviado(?: el)?|Fecha|Data|Inviato|Verzonden|Skickat|Sendt"
    r"|Дата|Отправлено|Wysłano|发送时间|日時"
    r"|To|An|À|A|Para|Aan|Till|Til|Кому|Do|收件人|宛先"
    r"|Cc|Kopie|Copie|Bcc|Reply-To|Kopia|Копия"
    r"|Subject|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|Ämne|Emne|Тема|Temat|主题|件名)"
    r"\*?\s?[:：]",
    re.IGNORECASE,
)
_SENDER_NAMES = frozenset(
    (
        "from",
        "von",
        "de",
        "da",
        "van",
        "från",
        "fra",
        "lähettäjä",
        "от кого",
        "от",
        "od",
        "发件人",
        "差出人",
    )
)
_RULE = re.compile(
    r"\s*(?:_{10,}|-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine"
    r"|message original|mensaje original|mensagem original|messaggio originale"
    r"|oorspronkelijk bericht|originalmeddelande|исходное сообщение|wiadomość oryginalna"
    r"|原始邮件)\s*-{2,})\s*",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"\s*(?:-{3,}\s*(?:forwarded message|weitergeleitete nachricht|message transféré"
    r"|mensaje reenviado|mensagem encaminhada|messaggio inoltrato|doorgestuurd bericht"
    r"|vidarebefordrat meddelande|пересылаемое сообщение)\s*-{3,}"
    r"|(?:begin forwarded message|anfang der weitergeleiteten nachricht"
    r"|début du message réexpédié|inicio del mensaje reenviado)\s*:)\s*",
    re.IGNORECASE,
)
_BLOCK_FIELDS = 3
_INTRODUCTION_LINES = 4
_INTRODUCTION_LENGTH = 400


def quoted(line: str) -> bool:
    """Whether the line is marked with ``>``, and does not only say "more than" (``>38.5``)."""
    return line.startswith((">", " >")) and not line.lstrip()[1:2].isdigit()


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
    found = _introductions(lines)
    found += [Opening(at, at, True) for at, line in enumerate(lines) if _FORWARD.fullmatch(line)]
    block = _header_block(lines)
    if block is not None:
        found.append(block)
    return sorted(found)


def _introductions(lines: list[str]) -> list[Opening]:
    """Each "On … wrote:". With a mail address it is certain: people don't write them in prose."""
    found: list[Opening] = []
    for last, line in enumerate(lines):
        if not line.rstrip().endswith((":", "：")) or quoted(line):
            continue
        first = _introduction(lines, last)
        if first is not None:
            found.append(Opening(first, last, any("@" in line for line in lines[first : last + 1])))
    return found


def _header_block(lines: list[str]) -> Opening | None:
    """The first header of a quoted mail as Outlook writes it, with the rule above it.

    At least three fields with nothing between them, the sender's among the first two.
    """
    for index, line in enumerate(lines):
        if ":" not in line and "：" not in line:
            continue
        last, names = _block(lines, index)
        if len(names) >= _BLOCK_FIELDS and _SENDER_NAMES.intersection(names[:2]):
            return Opening(_rule_above(lines, index), last, True)
    return None


def _introduction(lines: list[str], last: int) -> int | None:
    """The first line of the introduction that ends in ``last``."""
    text = ""
    named = None
    for first in range(last, max(-1, last - _INTRODUCTION_LINES), -1):
        if not lines[first].strip() or quoted(lines[first]):
            break
        text = f"{lines[first].strip()} {text}".strip()
        if len(text) > _INTRODUCTION_LENGTH:
            break
        if _DAY.search(text) and (_ENDS.search(text) or _ADDRESS_AND_COLON.search(text)):
            if _BEGINS.match(text):
                return first
            if named is None and _BEGINS_WITH_NAME.match(text):
                named = first
    return named


def _block(lines: list[str], start: int) -> tuple[int, list[str]]:
    """The last line and the field names of the header that begins at ``start``."""
    names: list[str] = []
    last = at = start
    while at < len(lines):
        found = _FIELDS.match(lines[at])
        if found:
            names.append(found["name"].lower())
            last = at
        elif not names or not lines[at].strip() or at - last > 1:
            break
        at += 1
    return last, names


def _is_rule(line: str) -> bool:
    return bool(_RULE.fullmatch(line) or _FORWARD.fullmatch(line))


def _rule_above(lines: list[str], index: int) -> int:
    above = index - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and _is_rule(lines[above]) else index
