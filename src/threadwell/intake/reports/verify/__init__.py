"""Whether what is in a store keeps the pattern of sessions and threads."""

from threadwell.intake.reports.verify.finding import Finding
from threadwell.intake.reports.verify.looking import verify

__all__ = ["Finding", "verify"]
