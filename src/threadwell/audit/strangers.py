"""What those do who are not known: each thing is recorded, but of a flood only some.

Else whoever can reach the server could fill its disk.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from time import monotonic

from threadwell.audit.record import Who
from threadwell.audit.trail import Trail

#: What is recorded one by one in a second.
_MOST = 20


@dataclass(slots=True)
class _Counted:
    second: int = 0
    count: int = 0
    left_out: int = 0


class Strangers:
    """Counts what was refused in this process: for each project, so that a flood which comes for
    one neither hides nor tells anything in another.
    """

    def __init__(self) -> None:
        self._of: defaultdict[str, _Counted] = defaultdict(_Counted)

    def refused(
        self, trail: Trail, project: str, by: Who, act: str, status: int, asked: str
    ) -> None:
        """Record that something was refused, and how many others were that are not recorded.

        Of whoever is known each thing is: a flood of strangers hides nothing of theirs.
        """
        if by.who or by.client:
            trail.event(project, act, by, status=status, asked=asked)
            return
        mine = self._of[project]
        second = int(monotonic())
        if second != mine.second:
            mine.second, mine.count = second, 0
        mine.count += 1
        if mine.count > _MOST:
            mine.left_out += 1
            return
        if mine.left_out:
            by = Who(way=by.way, address=by.address, name=f"{mine.left_out} more were left out")
            mine.left_out = 0
        trail.event(project, act, by, status=status, asked=asked)
