"""Whether a text speaks of an illness of whoever writes it: ``my own chest hurts``.

As with names, precision goes before recall: what is said of ``my son`` is not said of oneself.
"""

from __future__ import annotations

from threadwell.encounters.mentions.context import Reading
from threadwell.encounters.mentions.said import leads_to

#: Whoever else may be ill after ``my``.
_OTHERS = ("child", "sibling", "other", "title", "which")
#: What may follow an illness within the same statement.
_GOES_ON = ("and", "as", "often", "no", "soft", "begins", "past", "timebefore", "is")


def says_of_oneself(reading: Reading) -> bool:
    """Whether the sentence does."""
    return any(_is_mine(reading, at) or _is_said(reading, at) for at in range(len(reading.tokens)))


def _is_mine(reading: Reading, at: int) -> bool:
    """``my knee hurts``, ``my own rash``; not ``my son's rash``, ``my knee brace``."""
    length = reading.at("mine", at)
    if not length:
        return False
    at += length
    for start in (at, at + 1):
        if start in reading.named or any(reading.at(one, start) for one in _OTHERS):
            return False
        if sick := reading.at("sick", start):
            return _ends(reading, start + sick)
        if part := reading.at("body", start):
            return leads_to(reading, start + part, "sick", 3) or bool(
                reading.at("does", start + part)
            )
        if reading.is_mark(start):
            return False
    return False


def _is_said(reading: Reading, at: int) -> bool:
    """``I have a fever``, ``me duele la cabeza``; not ``I have Leo's cough syrup``."""
    length = reading.at("self", at)
    if not length:
        return False
    at += length
    for _ in range(4):
        if at in reading.named or any(reading.at(one, at) for one in _OTHERS):
            return False
        if sick := reading.at("sick", at):
            return _ends(reading, at + sick)
        step = reading.at("soft", at) or reading.at("article", at) or reading.at("often", at)
        if not step:
            return False
        at += step
    return False


def _ends(reading: Reading, at: int) -> bool:
    """Whether a statement may end there, or go on about the same illness."""
    while more := reading.at("sick", at) or reading.at("does", at):
        at += more
    if reading.at("of", at):  # "sick of waiting"
        return False
    return reading.is_mark(at) or any(reading.at(one, at) for one in _GOES_ON)
