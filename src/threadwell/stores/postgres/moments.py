"""What a process knows of how far the projects of a database have come.

To ask for that costs as much as a read. So what reads tells it along, once somebody has asked:
the position of the project's last change as of the same statement.
"""

from __future__ import annotations

from collections.abc import Sequence

from asyncpg import Record

#: The position of the last change of project $1.
LAST = "SELECT max(position) AS position FROM change WHERE pid = $1"


class Moments:
    """Counts the moments that statements have seen: another number, another state.

    Who starts a statement after one has told of a state sees that state or a later one. So what
    was found out of resources while the number stayed the same holds for whoever reads and is told
    the same number after it.
    """

    def __init__(self) -> None:
        self._positions: dict[int, int | None] = {}
        self._now = 0
        #: Whether anybody wants to know: others read without it.
        self.wanted = False

    def saw(self, pid: int, position: int | None) -> None:
        """A statement has seen the project of that number as it was after that change."""
        if self._positions.get(pid) != position:
            self._positions[pid] = position
            self._now += 1

    def saw_rows(self, pid: int, rows: Sequence[Record]) -> Sequence[Record]:
        """A ``dated`` statement has: the rows of what it found."""
        self.saw(pid, rows[0]["position"])
        return rows if rows[0]["id"] is not None else ()

    def forget(self) -> None:
        """The database may be another one, or have been put back to an earlier state."""
        self._positions.clear()
        self._now += 1

    @property
    def now(self) -> int:
        """The moment that was seen last."""
        return self._now

    def asked(self) -> int | None:
        """The same for who has read; ``None`` where nothing has been told yet."""
        if not self.wanted:
            self.wanted = True
            return None
        return self._now


def dated(sql: str, *order: str) -> str:
    """A statement with the position of the project's last change beside each row; of one that
    finds nothing there is a row of nothing else. ``order`` is the statement's own.
    """
    return (
        f"SELECT s.*, m.position FROM ({LAST}) m LEFT JOIN LATERAL ({sql}) s ON true"
        f" ORDER BY {', '.join(f's.{one}' for one in order)}"
    )
