"""The message store of RingCentral: see README.md."""

from threadwell.channels.ringcentral.reader import CHANNEL

__all__ = ["CHANNEL"]
