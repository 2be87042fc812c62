"""The channel as the composition root lists it."""

from __future__ import annotations

from dataclasses import replace

from threadwell.calls.call import Call, Called
from threadwell.channels.account import Account, Field
from threadwell.channels.channel import Channel, ChannelKind
from threadwell.channels.chat.names import NAME, origins_of, own_address
from threadwell.channels.chat.posted import MOST_BYTES, MOST_FILES, parse
from threadwell.channels.chat.tokens import FEWEST
from threadwell.channels.delivery import Delivery, Refused
from threadwell.channels.live import Live
from threadwell.channels.sending import Found, Limits, Outbound, Sent


def _verify(_delivery: Delivery, _account: Account) -> Refused:
    return Refused("an app delivers at /chat, where each patient has a token")


def _send(out: Outbound, _account: Account, _answer: Called | None) -> Call | Sent:
    # The app reads it out of the record: there it is, and nobody else has to be asked.
    return Sent(_sent_id(out), on_its_way=True)


def _ask(out: Outbound, _account: Account, _answer: Called | None) -> Found:
    return Found((_sent_id(out),))


def _sent_id(out: Outbound) -> str:
    return f"sent:{out.external_id}"


def _limits(_thread: str) -> Limits:
    return Limits(files=MOST_FILES, together=MOST_BYTES)


def _lacks(account: Account) -> str:
    for name in ("secret", "second_secret"):
        if 0 < len(account.value(name).encode()) < FEWEST:
            return f"{name} is too short: it has at least {FEWEST} bytes, made at random"
    for origin in account.value("origins").split():
        if origin not in origins_of(account):
            return f"origin {origin!r} is none: write it as https://app.example.org"
    if account.value("page") not in ("", "yes", "no"):
        return "page is yes or no"
    return ""


def _complete(account: Account) -> Account:
    return replace(account, addresses=(own_address(account.name),))


CHANNEL = Channel(
    name=NAME,
    label="App",
    description="chat: messages of a patient app, by REST and WebSocket",
    kind=ChannelKind.CHAT,
    medium="APPWRIT",
    live=Live(
        fields=(
            Field("secret", "random, at least 32 bytes: patients' tokens are signed by it", True),
            Field("second_secret", "another one, while it is changed", True, required=False),
            Field("origins", "of the web pages that may use it, with spaces", required=False),
            Field("page", "yes: serve the example page at /chat/NAME/", required=False),
        ),
        verify=_verify,
        parse=parse,
        send=_send,
        ask=_ask,
        limits=_limits,
        lacks=_lacks,
        complete=_complete,
        place=NAME,
    ),
)
