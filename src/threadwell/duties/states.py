"""What providers tell of sent messages is put on these.

To put it on twice changes nothing; a version that somebody else has written is never overwritten.
"""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.intake.arrivals.telling import Telling


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""
    return Duty("states", Telling(at.store, at.project, clock=at.clock).round)
