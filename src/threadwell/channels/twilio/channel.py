"""The channel as the composition root lists it."""

from __future__ import annotations

from threadwell.channels.channel import Channel, ChannelKind
from threadwell.channels.twilio.identity import NAME
from threadwell.channels.twilio.logs.reader import nearly, read, sniff
from threadwell.channels.twilio.message import MEDIUM
from threadwell.channels.twilio.webhook import LIVE

CHANNEL = Channel(
    name=NAME,
    label="Text message",
    description="Twilio: messages as they come, and the logs of its API, console and bulk exports",
    sniff=sniff,
    read=read,
    nearly=nearly,
    zoned=True,
    kind=ChannelKind.SMS,
    medium=MEDIUM,
    live=LIVE,
)
