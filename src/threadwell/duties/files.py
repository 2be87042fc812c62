"""Files of messages that were taken in without them are fetched from their providers.

To ask for a file twice does no harm, and the message that has it already stays as it is.
"""

from __future__ import annotations

from threadwell.calls import HttpCaller
from threadwell.duties.duty import Duty, Workplace
from threadwell.intake.arrivals.files import Files


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""
    files = Files(at.store, at.project, at.channels, at.labels, HttpCaller(), clock=at.clock)
    return Duty("files", files.round)
