"""The age from which a patient is asked themselves: until when others stand for them, and from when
a grant is theirs.

A practice chooses it for a project (``choose_age``); none is chosen at first, and then nothing here
is asked. A birth date that lacks its day, or its month and day, may be any of several days. What
others may see ends on the first day that may be meant, and what begins with the age begins on the
last: in between nobody sees what may not be theirs. An unknown birth date is any day, so neither
holds. Whoever was born on 29 February is a year older on 1 March of other years: the day before is
still within the year.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import MAXYEAR, date

#: Years that may be chosen.
YOUNGEST, OLDEST = 1, 25
#: Who stands for somebody else, or for themselves. A grant of anybody else hangs on no age.
_RELATED = ("RelatedPerson", "Patient")
#: The ready-made role of those who stand for a patient, whatever they act as.
PROXY = "proxy"
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


class BadAge(ValueError):
    """No age that can be chosen."""


def parse_age(text: str) -> int:
    """The years of an age, ``0`` for ``none``; raises ``BadAge``."""
    if text == "none":
        return 0
    if not text.isascii() or not text.isdigit() or not YOUNGEST <= int(text[:9]) <= OLDEST:
        raise BadAge(f"an age is {YOUNGEST} to {OLDEST} years, or none: {text[:64]}")
    return int(text)


def day_of_age(birth_date: str, years: int, *, last: bool = False) -> date | None:
    """The first day on which somebody may be of that age, or the ``last``; ``None`` if unknown.

    ``birth_date`` is a date of FHIR (R4 §2.24.0.1): ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``.
    """
    match = _DATE.fullmatch(birth_date)
    if match is None:
        return None
    year, month, day = (int(one) if one else 0 for one in match.groups())
    try:
        month = month or (12 if last else 1)
        day = day or (monthrange(year, month)[1] if last else 1)
        born = date(year, month, day)
    except ValueError:
        return None
    if born.year + years > MAXYEAR:
        return date.max
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def stood_for(policy: str, profile: str, parameters: dict[str, str], *, own: bool) -> list[str]:
    """The patients whom a grant stands for, as references.

    They are those that its variables name. Where it has an age of its ``own`` it may be anybody's;
    else it is one of ``PROXY``, or of somebody who acts as a relative or as another patient.
    """
    related = profile.partition("/")[0] in _RELATED
    if not (own or related or policy == PROXY):
        return []
    return [one for one in patients(parameters) if one != profile]


def patients(parameters: dict[str, str]) -> list[str]:
    """The patients that the variables of a grant name, as references."""
    return list(dict.fromkeys(one for one in parameters.values() if one.startswith("Patient/")))
