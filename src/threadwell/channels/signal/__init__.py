"""The chat history that Signal exports: see README.md."""

from threadwell.channels.signal.reader import CHANNEL

__all__ = ["CHANNEL"]
