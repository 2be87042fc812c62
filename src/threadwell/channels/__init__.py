"""Channels: what arrives becomes messages. One folder a channel.

No channel imports another; ``threadwell.app`` lists them.
"""

from threadwell.channels.channel import HEAD_BYTES, Channel, ReadOptions
from threadwell.channels.reading import UnknownChannel, read_path

__all__ = ["HEAD_BYTES", "Channel", "ReadOptions", "UnknownChannel", "read_path"]
