"""Messages of Quo, which was OpenPhone: see README.md."""

from threadwell.channels.quo.reader import CHANNEL

__all__ = ["CHANNEL"]
