"""What people of the practice have written is sent, as soon as it is in the outbox.

A round that is broken off leaves a mark on what it was sending: the next one asks the provider, and
does not send it again.
"""

from __future__ import annotations

from threadwell.calls import HttpCaller
from threadwell.duties.duty import Duty, Workplace
from threadwell.duties.lease import still_held
from threadwell.intake.replies.sending import AT_ONCE, Outbox


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""
    outbox = Outbox(
        at.store,
        at.project,
        at.channels,
        at.labels,
        HttpCaller(at_once=AT_ONCE),
        at.links,
        still_held=still_held,
        clock=at.clock,
    )
    return Duty("outbox", outbox.round)
