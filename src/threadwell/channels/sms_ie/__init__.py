"""What the Android app SMS Import / Export writes: see README.md."""

from threadwell.channels.sms_ie.reader import CHANNEL

__all__ = ["CHANNEL"]
