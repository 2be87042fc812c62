"""Files of messages that were taken in without them are fetched from their providers.

To ask for a file twice does no harm, and the message that has it already stays as it is. What a
delivery does not say is asked for in the same way, before that is taken in.
"""

from __future__ import annotations

from threadwell.calls import HttpCaller
from threadwell.duties.duty import Duty, Workplace
from threadwell.intake.arrivals.files import Files
from threadwell.intake.arrivals.seeking import Seeking


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""
    caller = HttpCaller()
    files = Files(at.store, at.project, at.channels, at.labels, caller, clock=at.clock)
    seeking = Seeking(at.store, at.project, at.channels, caller, clock=at.clock)

    async def round_() -> float | None:
        waits = [await seeking.round(), await files.round()]
        return min((one for one in waits if one is not None), default=None)

    return Duty("files", round_)
