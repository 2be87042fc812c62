"""Since when threads are looked after, by whom, and how soon an answer is due."""

from __future__ import annotations

from dataclasses import dataclass

from threadwell.encounters.todo import FRONT_DESK, Pool
from threadwell.intake.hours import OpeningHours

_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Tracking:
    """Which messages need an answer: those of patients' sides from ``since`` on.

    That is in microseconds since 1970 UTC. What nobody has taken is for ``pool``. An answer is due
    ``within_us`` after the message, of the ``hours`` in which the practice is open.
    """

    since: int
    pool: Pool = FRONT_DESK
    within_us: int = 24 * _HOUR_US
    hours: OpeningHours | None = None

    def due(self, at: int) -> int:
        """When an answer to a message of that time is due."""
        return self.hours.after(at, self.within_us) if self.hours else at + self.within_us
