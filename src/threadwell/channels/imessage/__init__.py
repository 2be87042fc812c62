"""The database in which a Mac or an iPhone keeps its messages: see README.md."""

from threadwell.channels.imessage.reader import CHANNEL

__all__ = ["CHANNEL"]
