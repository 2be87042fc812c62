"""What providers have delivered is taken in, as soon as it is in the journal.

A round that is broken off, or runs twice, takes in what is there already, and takes each entry out
of the journal by compare-and-set.
"""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.intake.arrivals.taking import Taking
from threadwell.intake.thread_acts.withdrawing import withdraw


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""
    taking = Taking(at.store, at.project, at.channels, at.labels, clock=at.clock, withdraw=withdraw)
    return Duty("journal", taking.round)
