"""A documented table of messages, as CSV or JSON Lines: see README.md."""

from threadwell.channels.table.reader import CHANNEL

__all__ = ["CHANNEL"]
