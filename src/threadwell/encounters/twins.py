"""Whether two messages of different sources may be one message that came by two ways. Pure.

Their ids tell nothing: each source gives its own. What is compared is what both must have alike:
words and files. docs/adr/0016-twins.md tells why the rule is what it is.
"""

from __future__ import annotations

from threadwell.encounters.copies import same_words
from threadwell.encounters.said import File, Said

#: How far apart the times of two sources may be for one message, in microseconds.
WINDOW_US = 300_000_000

#: One message is told as either of them.
_TEXTS = frozenset({"SMSWRIT", "MMSWRIT"})


def may_be_one(one: Said, other: Said) -> bool:
    """Whether they say the same, at about the same time; who wrote to whom is not compared."""
    if abs(one.sent - other.sent) > WINDOW_US or not _same_medium(one.medium, other.medium):
        return False
    if not same_words(one, other):
        return False
    if one.files or other.files:
        return _same_files(one.files, other.files, sure=not one.text)
    return bool(one.text)


def _same_medium(one: str, other: str) -> bool:
    return not one or not other or one == other or {one, other} <= _TEXTS


def _same_files(one: tuple[File, ...], other: tuple[File, ...], *, sure: bool) -> bool:
    """Whether the files may be the same: one whose bytes are not there may be any.

    To be ``sure``, one of them at least has to be there in both.
    """
    if len(one) != len(other):
        return False
    there = [sorted(file.bytes_key for file in files if file.there) for files in (one, other)]
    few, many = sorted(there, key=len)
    if sure and not few:
        return False
    left = list(many)
    for key in few:
        if key not in left:
            return False
        left.remove(key)
    return True
