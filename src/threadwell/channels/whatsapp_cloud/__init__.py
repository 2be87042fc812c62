"""WhatsApp by Meta's Cloud API: messages as they come. See README.md."""

from threadwell.channels.whatsapp_cloud.channel import CHANNEL

__all__ = ["CHANNEL"]
