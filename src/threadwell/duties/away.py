"""Threads whose owner is away go back to their pool, where the practice wants that.

What goes back is changed by compare-and-set, under the lease, and once for each time that somebody
is away. It looks each minute at the threads that somebody has claimed, which are few.
"""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.duties.lease import still_held
from threadwell.intake.kept_rules import kept_rules
from threadwell.intake.seat import Stand
from threadwell.intake.todos.away import give_back

#: Seconds between two looks.
_PAUSE = 60.0


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""

    async def look() -> float | None:
        rules = await kept_rules(at.store, at.project)
        if rules is not None and rules.away:
            stand = Stand(at.store, at.project, clock=at.clock)
            await give_back(stand, still_held=still_held)
        return _PAUSE

    return Duty("away", look, heeds_stirs=False)
