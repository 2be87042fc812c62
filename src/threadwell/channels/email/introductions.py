"""The lines that a mail program writes above what it quotes: "On …, Ana Prado wrote:"."""

from __future__ import annotations

import re
from typing import NamedTuple

#: Verbs that end the line.
_LAST = (
    *("wrote", "writes", "a écrit", "écrit", "escribió", "escribio", "escreveu", "ha scritto"),
    *(
        "scrisse",
        "kirjoitti",
        "napsal",
        "napsala",
        "napsal(a)",
        "napísal",
        "napísala",
        "napísal(a)",
    ),
    *("napisał", "napisała", "napisał(a)", "написал", "написала", "написал(а)", "пишет", "пише"),
    *(
        "írta",
        "yazdı",
        "a scris",
        "έγραψε",
        "写道",
        "寫道",
        "작성",
        "geschreven",
        "menulis",
        "đã viết",
    ),
    *("va escriure", "idatzi du", "เขียนว่า", "ने लिखा", "نوشت", "كتب"),
)
#: Verbs behind which the writer's name or the time may follow.
_BEFORE_NAME = ("schrieb", "schrieben", "schreef", "skrev", "wrote on", "wrote at")
_HUNGARIAN = "ezt írta ("
#: A colon that is none of a time of day.
_OTHER_COLON = re.compile(r"(?<!\d)[:：]|[:：](?!\d)")
_NAME_LENGTH = 120
_BEGINS = re.compile(
    r"[\s*-]{0,8}(?:On|Am|Le|El|Il|Em|Op|Den|På|Dne|Dňa|Dnia|W dniu|Pe|La|În|Στις|Vào|Pada|在|于|於"
    r"|\d{1,4}[./年년-]|\d{1,2}\.? [^\W\d]{3,}"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w*,|\w+day,|(?:пн|вт|ср|чт|пт|сб|вс|нд),"
    r"|(?:man|tir|ons|tor|fre|lør|søn|pon|wt|śr|czw|pt|sob|niedz)\.,?"
    r"|(?:po|út|st|čt|pá|so|ne|ma|ti|ke|to|pe|la|su) \d)"
)
#: Begins so too, unless a line above it begins better.
_BEGINS_WITH_NAME = re.compile(r"[^\s@]+@\S+|\"?[A-ZÀ-Þ][\w .,'’-]{1,60}\"? <[^<>@\s]+@[^<>\s]+>")
_DAY = re.compile(r"\d{1,4}[./-]\d|\b\d{1,2}\b|年|@")
_ADDRESS = re.compile(r"<[^<>@\s]+@[^<>@\s]+>|\[mailto:[^\]\s@]+@[^\]\s]+\]")
_BARE_ADDRESS = re.compile(r"(?<![^\s@<>(\[])[^\s@<>(\[]+@[^\s@<>)\],:]+\.[^\s@<>)\],:]+")
_CLOCK = re.compile(r"(?<!\d)\d{1,2}[:.h]\d\d(?!\d)")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|[٠-٩]{4}|[۰-۹]{4}")
_SHORT_DATE = re.compile(r"(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d{2}(?!\d)")
#: A program speaks of nobody so: whoever says "I wrote" is the sender.
_FIRST_PERSON = re.compile(r"\b(?:I|ich|je|yo|io|eu|ik|jag|jeg|я)\b")
_UNSEEN = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INSIDE = re.compile(r"<[^<>]*>")
_SPACES = re.compile(r"\s+")

_MOST_LINES = 4
_MOST_LENGTH = 400
_COLONS = (":", "：")


class Introduction(NamedTuple):
    """The lines ``first`` to ``last``; ``certain`` if no person writes so in a sentence."""

    first: int
    last: int
    certain: bool


def introduction_ending(lines: list[str], last: int) -> Introduction | None:
    """The introduction that ends in the line ``last``, over as many lines as it was broken into."""
    if not _may_end(lines, last):
        return None
    text = ""
    found: Introduction | None = None
    for first in range(last, max(-1, last - _MOST_LINES), -1):
        line = _plain(lines[first])
        if not line or line.startswith(">") or len(line) + len(text) > _MOST_LENGTH:
            break
        text = _joined(line, text)
        if not (_DAY.search(text) and _ends(text)) or _FIRST_PERSON.search(text):
            continue
        certain = _is_certain(text)
        if _BEGINS.match(text):
            return Introduction(first, last, certain)
        foreign = certain and not text[:1].isascii()
        if found is None and (foreign or _BEGINS_WITH_NAME.match(text)):
            found = Introduction(first, last, certain)
    return found


def is_dated(text: str) -> bool:
    """Whether a text names a day of a year and a time of that day, as programs write them."""
    day = _YEAR.search(text) or _SHORT_DATE.search(text)
    return bool(day and _CLOCK.search(text))


def _may_end(lines: list[str], last: int) -> bool:
    """What is cheap to see: a colon, and before it a verb, an address, or a name behind a verb."""
    line = _plain(lines[last])
    if not line.endswith(_COLONS):
        return False
    if line[:-1].rstrip().endswith(">") or _ends(line):
        return True
    above = lines[max(0, last - _MOST_LINES + 1) : last]
    return any(verb in line for line in above for verb in _BEFORE_NAME)


def _plain(line: str) -> str:
    return (line if line.isascii() else _UNSEEN.sub("", line)).strip()


def _joined(line: str, text: str) -> str:
    """The line before the text; within ``<…>`` there was no space where it was broken."""
    joined = f"{line} {text}" if text else line
    return (
        joined
        if "<" not in joined
        else _INSIDE.sub(lambda found: _SPACES.sub("", found[0]), joined)
    )


def _ends(text: str) -> bool:
    """Whether a text that ends in a colon ends as introductions do."""
    said = text[-2 * _NAME_LENGTH : -1].rstrip().lower()
    if said.endswith(_LAST):
        return True
    if said.endswith(">"):
        return bool(_ADDRESS.search(text))
    if said.endswith(")") and _HUNGARIAN in said:
        return True
    return any(verb in said and _is_name(said.rpartition(verb)[2]) for verb in _BEFORE_NAME)


def _is_name(text: str) -> bool:
    return len(text) <= _NAME_LENGTH and not _OTHER_COLON.search(text)


def _is_certain(text: str) -> bool:
    """An address, the day with its year, and the time: nobody types these to introduce a saying."""
    if _ADDRESS.search(text):
        return is_dated(text) or bool(_SHORT_DATE.search(text))
    return bool(_BARE_ADDRESS.search(text)) and is_dated(text)
