"""The export of Telegram Desktop: see README.md."""

from threadwell.channels.telegram.reader import CHANNEL

__all__ = ["CHANNEL"]
