"""The pages that Google Takeout writes of Google Voice: see README.md."""

from threadwell.channels.google_voice.reader import CHANNEL

__all__ = ["CHANNEL"]
