"""Messages that go through Twilio, out of its message logs: see README.md."""

from threadwell.channels.twilio.channel import CHANNEL

__all__ = ["CHANNEL"]
