"""The text that WhatsApp's "Export chat" writes: see README.md."""

from threadwell.channels.whatsapp.reader import CHANNEL

__all__ = ["CHANNEL"]
