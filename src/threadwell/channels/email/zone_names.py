"""Time zones as the dates of mails name them: by an offset, or by letters.

RFC 5322 §4.3 gives a meaning to ten of them; the others here mean one thing wherever they are used.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import NamedTuple

#: No place on earth is further from UTC.
_FURTHEST = timedelta(hours=14)

_OFFSET = re.compile(
    r"(?:(?:GMT|UTC|UT|Z|[A-Z]{3,5}(?= ?[+-]\d{2}:?\d{2}\b)) ?)?"
    r"([+-])(\d{1,2})(?::?(\d{2})(?::(\d{2}))?)?(?![\d:])",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[A-Za-z]+(?![\w/])")

_HOURS = {
    -10: "HST",
    -9: "AKST",
    -8: "PST AKDT",
    -7: "MST PDT",
    -6: "CST MDT",
    -5: "EST CDT",
    -4: "EDT",
    -3.5: "NST",
    -3: "BRT",
    -2.5: "NDT",
    0: "Z UT UTC GMT WET",
    1: "CET MET MEZ WEST",
    2: "CEST MEST MESZ EET SAST",
    3: "EEST MSK EAT",
    7: "WIB",
    8: "AWST HKT SGT",
    9: "JST KST",
    9.5: "ACST",
    10: "AEST",
    10.5: "ACDT",
    11: "AEDT",
    12: "NZST",
    13: "NZDT",
}
_EXACT = {name: hours for hours, names in _HOURS.items() for name in names.split()}
#: Letters that mean several zones, and the one that most who write them mean.
_LIKELY = {"BST": 1, "IST": 5.5, "AST": -4, "ADT": -3}


class Offset(NamedTuple):
    """How far a zone is from UTC, and whether what was written can mean nothing else."""

    value: timedelta
    certain: bool


class Impossible(ValueError):
    """An offset that no place has, or that is none."""


def offset_in(text: str) -> Offset | None:
    """The offset that ``text``, what follows a time, begins with; ``None`` if it names none.

    Raises ``Impossible``.
    """
    found = _OFFSET.match(text)
    if found:
        sign, hours, minutes, seconds = found.groups()
        value = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
        if value > _FURTHEST or int(minutes or 0) > 59:
            raise Impossible
        return Offset(-value if sign == "-" else value, True)
    if text.startswith(("+", "-")):
        raise Impossible
    letters = _LETTERS.match(text)
    if letters is None or text[letters.end() :].strip(" .,;"):
        return None
    name = letters[0].upper()
    if name in _EXACT:
        return Offset(timedelta(hours=_EXACT[name]), True)
    if name in _LIKELY:
        return Offset(timedelta(hours=_LIKELY[name]), False)
    return None
