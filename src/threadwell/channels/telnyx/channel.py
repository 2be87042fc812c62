"""The channel as the composition root lists it."""

from __future__ import annotations

from threadwell.channels.account import Field
from threadwell.channels.channel import Channel, ChannelKind
from threadwell.channels.live import Live
from threadwell.channels.telnyx.events import NAME, fetch, parse
from threadwell.channels.telnyx.sending import LIMITS, meaning, mute, send
from threadwell.channels.telnyx.signature import lacks, verify

CHANNEL = Channel(
    name=NAME,
    label="Text message (Telnyx)",
    description="Telnyx: text messages and MMS as they come",
    kind=ChannelKind.SMS,
    medium="SMSWRIT",
    live=Live(
        fields=(
            Field("public_key", "Mission Control Portal, Keys & Credentials, Public Key"),
            Field("second_public_key", "another one, while it is changed", required=False),
            Field("api_key", "to reply: API Keys", secret=True, required=False),
            Field("api_url", "where the API is, if not at Telnyx", required=False),
        ),
        verify=verify,
        parse=parse,
        fetch=fetch,
        send=send,
        limits=lambda _: LIMITS,
        meaning=meaning,
        lacks=lacks,
        mute=mute,
    ),
)
