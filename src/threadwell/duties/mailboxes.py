"""Mailboxes of accounts are read over IMAP, as soon as a mail server tells that something is new.

What it commits is done once: how far a folder was read is changed by compare-and-set, in the commit
of the mails, and under the lease.
"""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.duties.lease import still_held
from threadwell.intake.arrivals.mailboxes import Mailboxes


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""
    mailboxes = Mailboxes(at.store, at.project, clock=at.clock, pre=still_held)
    return Duty("mailboxes", mailboxes.round, heeds_stirs=False)
