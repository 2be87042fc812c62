"""Services that a message may go by inside a channel: Twilio takes texts and WhatsApp alike.

By them a reply has to go back, so they have threads of their own. The id of such a thread begins
with the name of its service and a colon. Its header, and what was written before there were names
for them, says the channel alone; people are shown the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: What people call each service.
SERVICES: Mapping[str, str] = MappingProxyType(
    {"whatsapp": "WhatsApp", "messenger": "Messenger", "rcs": "RCS"}
)

#: Channels whose messages may go by one.
SERVING = frozenset({"twilio"})


def service_of_thread(thread: str) -> str:
    """The service by which the thread of that id goes, ``""`` for the channel's own way."""
    service, colon, _ = thread.partition(":")
    return service if colon and service in SERVICES else ""


def way_of(channel: str, thread: str) -> str:
    """By which way a thread goes: ``twilio:whatsapp``, or the name of the channel alone."""
    service = service_of_thread(thread)
    return f"{channel}:{service}" if channel and service else channel


def service_of_way(way: str) -> tuple[str, str]:
    """The channel of a way, and its service, ``""`` where it has none."""
    channel, _, service = way.partition(":")
    return (channel, service) if service in SERVICES else (way, "")
