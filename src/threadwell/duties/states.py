"""What providers tell of sent messages is put on these.

To put it on twice changes nothing; a version that somebody else has written is never overwritten.
"""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.intake.arrivals.telling import Telling


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""

    def meaning(channel: str, code: str) -> str:
        known = at.channels.get(channel)
        return known.live.meaning(code) if known and known.live else ""

    return Duty("states", Telling(at.store, at.project, clock=at.clock, meaning=meaning).round)
