"""The channel as the composition root lists it."""

from __future__ import annotations

from threadwell.channels.account import Account, Field
from threadwell.channels.channel import Channel, ChannelKind
from threadwell.channels.live import Live
from threadwell.channels.templates import TEMPLATES, WINDOW, lacks_templates, templates_of
from threadwell.channels.whatsapp_cloud.deliveries import parse
from threadwell.channels.whatsapp_cloud.files import fetch
from threadwell.channels.whatsapp_cloud.sending import LIMITS, meaning, mute, send
from threadwell.channels.whatsapp_cloud.signature import greet, verify
from threadwell.channels.whatsapp_cloud.values import NAME


def _lacks(account: Account) -> str:
    number = account.value("phone_number_id")
    if number and not (number.isascii() and number.isdigit()):
        return (
            "phone_number_id is of digits alone: the Phone number ID on the page API setup, not "
            "the number itself"
        )
    return lacks_templates(account)


CHANNEL = Channel(
    name=NAME,
    label="WhatsApp Business",
    description="WhatsApp by Meta's Cloud API: messages as they come",
    kind=ChannelKind.CHAT,
    medium="APPWRIT",
    live=Live(
        fields=(
            Field("app_secret", "App settings, Basic, App secret", secret=True),
            Field("verify_token", "words of your own; Meta asks for them, too", secret=True),
            Field("access_token", "a system user's, which does not expire", secret=True),
            Field(
                "second_app_secret", "another one, while it is changed", secret=True, required=False
            ),
            Field("phone_number_id", "to reply: WhatsApp, API setup", required=False),
            Field("api_url", "where the Graph API is, if not at Meta", required=False),
            TEMPLATES,
        ),
        verify=verify,
        parse=parse,
        greet=greet,
        fetch=fetch,
        send=send,
        limits=lambda _: LIMITS,
        meaning=meaning,
        lacks=_lacks,
        mute=mute,
        window=lambda _: WINDOW,
        templates=templates_of,
    ),
)
