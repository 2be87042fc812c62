"""What is kept for apps for a while goes when its time is over: files that no message named, and
receipts of long ago.

A round that runs twice, or is broken off, removes what is there by compare-and-set.
"""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.intake.chat.due import let_go

#: Seconds until it looks again: what is kept is kept for a day at least.
_LONGEST = 3600.0


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""

    async def round_() -> float | None:
        due = await let_go(at.store, at.project, at.clock())
        return _LONGEST if due is None else min(due, _LONGEST)

    return Duty("chat", round_, heeds_stirs=False)
