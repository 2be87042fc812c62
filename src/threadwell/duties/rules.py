"""What happens by itself when a message comes, waits too long, or a session is over.

What a run does is committed with the record of it, under the lease; what it sends has an identity
of its own. So a round that is broken off, or runs twice, does nothing twice.
"""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.duties.lease import still_held
from threadwell.intake.practice import kept_settings
from threadwell.intake.rules.running import Runner
from threadwell.intake.settings import Settings


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""

    async def settings() -> Settings:
        return await kept_settings(at.store, at.project, at.labels)

    runner = Runner(
        at.store, at.project, settings, at.channels, still_held=still_held, clock=at.clock
    )
    return Duty("rules", runner.round)
