"""What those do who are not known: each thing is recorded, but of a flood only some.

Else whoever can reach the server could fill its disk.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from time import monotonic

#: What is recorded one by one in a second.
_MOST = 20


@dataclass(slots=True)
class _Counted:
    second: int = 0
    count: int = 0
    left_out: int = 0


class Strangers:
    """Counts what was refused to them: for each project, so that a flood which comes for one
    neither hides nor tells anything in another.
    """

    def __init__(self) -> None:
        self._of: defaultdict[str, _Counted] = defaultdict(_Counted)

    def one_more(self, project: str) -> int | None:
        """How many were left out before this one; ``None`` where it is to be left out, too."""
        mine = self._of[project]
        second = int(monotonic())
        if second != mine.second:
            mine.second, mine.count = second, 0
        mine.count += 1
        if mine.count > _MOST:
            mine.left_out += 1
            return None
        before, mine.left_out = mine.left_out, 0
        return before
