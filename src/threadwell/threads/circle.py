"""A circle: the patients whom a message may be about, going by its addresses.

Messages of two circles never meet in one thread, whatever they name. That is what keeps one
patient's words out of another's record.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

#: More patients than this (a message to a whole class) are named by a digest.
_MOST_NAMED = 8


def circle_key(patients: Iterable[str]) -> str:
    """The name of the circle of these patients, given as ``Patient/…``, in any order."""
    ordered = sorted(set(patients))
    if len(ordered) > _MOST_NAMED:
        return "sha256:" + sha256("\n".join(ordered).encode()).hexdigest()
    return "+".join(ordered)
