"""What clients want exported is made, a page at a time, and removed when its time is over.

Each step is one commit under the lease, which compares how far the export was: what is done twice
is kept once, and a round that is broken off loses no more than a page.
"""

from __future__ import annotations

from threadwell.bulk.exports import Exports
from threadwell.duties.duty import Duty, Workplace
from threadwell.duties.lease import still_held


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""
    exports = Exports(at.store, at.project, at.sees, still_held=still_held, clock=at.clock)
    return Duty("exports", exports.round)
