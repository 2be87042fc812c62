"""What ways of messages are called in lists: told without the channels, which take long to load."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from threadwell.channels.services import SERVICES, service_of_way

#: What people call an SMS, whichever way it came.
TEXT = "Text message"
#: Of a message that tells no way.
UNKNOWN = "Unknown"
#: What a channel is called in a list, and what a medium alone tells.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "": UNKNOWN,
        "sms": TEXT,
        "app": "App",
        "sms_backup": TEXT,
        "twilio": TEXT,
        "sms_ie": TEXT,
        "ringcentral": TEXT,
        "quo": TEXT,
        "whatsapp": "WhatsApp",
        "google_voice": TEXT,
        "imessage": "iMessage",
        "signal": "Signal",
        "email": "E-mail",
        "slack": "Slack",
        "telegram": "Telegram",
        "whatsapp_cloud": "WhatsApp Business",
        "telnyx": TEXT,
        "chat": "App",
        "table": "Messages",
    }
)


def called(way: str) -> str:
    """What people call a way (``twilio:whatsapp``): its service, else its channel; where nobody
    has said what that is called, its name.
    """
    channel, service = service_of_way(way)
    if service:
        return SERVICES[service]
    return _WORDS[channel] if channel in _WORDS else _label(channel)


@cache
def _label(name: str) -> str:
    """What a channel that is not among these words says of itself; its name where it is none."""
    try:
        module = import_module(f"{__package__}.{name}") if name.isidentifier() else None
    except ModuleNotFoundError:
        return name
    label = getattr(getattr(module, "CHANNEL", None), "label", name)
    return str(label)
