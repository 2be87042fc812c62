"""What people change over FHIR or on the pages counts at once, without an import.

New people have what was held for them, an address that somebody got later too; corrected subjects,
answers, merged patients and acts take effect.
"""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.intake.live import Intake
from threadwell.intake.practice import kept_settings
from threadwell.intake.settings import Settings

#: How many seconds a change may wait. The news of that time are gone through together.
_PAUSE = 1.0


def duty(workplace: Workplace) -> Duty:
    """The duty; a round done twice changes nothing."""

    async def settings() -> Settings:
        return await kept_settings(workplace.store, workplace.project, workplace.labels)

    intake = Intake(workplace.store, workplace.project, settings, clock=workplace.clock)

    async def look() -> float | None:
        await intake.look()
        return _PAUSE

    return Duty("noticing", look, heeds_stirs=False)
