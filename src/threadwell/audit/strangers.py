"""What those do who are not known: each thing is recorded, but of a flood only some.

Else whoever can reach the server could fill its disk.
"""

from __future__ import annotations

from time import monotonic

from threadwell.audit.record import Who
from threadwell.audit.trail import Trail

#: What is recorded one by one in a second.
_MOST = 20


class Strangers:
    """Counts what was refused in this process."""

    def __init__(self) -> None:
        self._second = 0
        self._count = 0
        self._left_out = 0

    def refused(
        self, trail: Trail, project: str, by: Who, act: str, status: int, asked: str
    ) -> None:
        """Record that something was refused, and how many others were that are not recorded.

        Of whoever is known each thing is: a flood of strangers hides nothing of theirs.
        """
        if by.who or by.client:
            trail.event(project, act, by, status=status, asked=asked)
            return
        second = int(monotonic())
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        if self._count > _MOST:
            self._left_out += 1
            return
        if self._left_out:
            by = Who(way=by.way, address=by.address, name=f"{self._left_out} more were left out")
            self._left_out = 0
        trail.event(project, act, by, status=status, asked=asked)
