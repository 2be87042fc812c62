"""Messages of a patient app, by the API that ``api/chat`` serves: see README.md."""

from threadwell.channels.chat.channel import CHANNEL

__all__ = ["CHANNEL"]
