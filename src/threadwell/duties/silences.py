"""The duty that finishes sessions whose time is over, though nobody writes any more."""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.intake.practice import kept_settings
from threadwell.intake.settings import Settings
from threadwell.intake.silences import finish_silent


def duty(workplace: Workplace) -> Duty:
    """The duty; a round done twice changes nothing.

    It heeds stirs: what has just been written may be over before what was open before.
    """

    async def settings() -> Settings:
        return await kept_settings(workplace.store, workplace.project, workplace.labels)

    async def finish() -> float | None:
        return await finish_silent(
            workplace.store, workplace.project, settings, clock=workplace.clock
        )

    return Duty("silences", finish)
