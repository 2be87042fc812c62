"""What clients want loaded is fetched and written, a part at a time, and forgotten after a day.

Each step is one commit under the lease, with the resources that were written and how far the
import is by now: a round that is broken off loses no more than a part, and nothing is done twice.
"""

from __future__ import annotations

from threadwell.bulk.imports import Imports
from threadwell.duties.duty import Duty, Workplace
from threadwell.duties.lease import still_held


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""
    imports = Imports(at.store, at.project, at.sees, still_held=still_held, clock=at.clock)
    return Duty("imports", imports.round)
