"""Text messages and MMS by Telnyx, as they come: see README.md."""

from threadwell.channels.telnyx.channel import CHANNEL

__all__ = ["CHANNEL"]
