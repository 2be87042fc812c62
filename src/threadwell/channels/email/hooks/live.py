"""The part of the channel that hears: mails that a provider delivers by webhook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from threadwell.channels.account import Account, Field
from threadwell.channels.delivery import Delivery, Refused
from threadwell.channels.email.hooks.mailgun import MAILGUN
from threadwell.channels.email.hooks.postmark import POSTMARK
from threadwell.channels.email.hooks.provider import Found, Mail, Provider, Unread
from threadwell.channels.email.hooks.sendgrid import SENDGRID
from threadwell.channels.email.mail import broken, read_mail
from threadwell.channels.live import Heard, Live
from threadwell.messages import Attachment, Broken, Message
from threadwell.zones import UTC_ZONE

PROVIDERS: Mapping[str, Provider] = {
    "sendgrid": SENDGRID,
    "mailgun": MAILGUN,
    "postmark": POSTMARK,
}

_FIELDS = (
    Field("provider", f"one of {', '.join(PROVIDERS)}"),
    Field("signing-key", "Mailgun: HTTP webhook signing key", secret=True, required=False),
    Field("user", "SendGrid, Postmark: the user in the URL that you give to them", required=False),
    Field("password", "SendGrid, Postmark: the password in that URL", secret=True, required=False),
)


def verify(delivery: Delivery, account: Account) -> Refused | None:
    """Why a delivery is not from the account's provider."""
    provider = PROVIDERS.get(account.value("provider").lower())
    if provider is None:
        return Refused(f"the account's provider is none of {', '.join(PROVIDERS)}")
    return provider.verify(delivery, account)


def parse(delivery: Delivery, account: Account, _country: str) -> Iterator[Heard]:
    """The mail that a verified delivery holds."""
    provider = PROVIDERS[account.value("provider").lower()]
    for found in provider.read(delivery):
        yield _heard(found, delivery, account)


def _heard(found: Found, delivery: Delivery, account: Account) -> Heard:
    source = f"a delivery to {account.name}"
    match found:
        case Mail(raw, missing):
            own = {address.key for address in account.addresses}
            read = read_mail(raw, source, UTC_ZONE, delivery.received, own=own)
            return read if isinstance(read, Broken) else _finished(read, missing, delivery)
        case Unread(reason, set_aside):
            return broken(delivery.body, source, reason, set_aside=set_aside)
    return found


def _finished(message: Message, missing: tuple[Attachment, ...], delivery: Delivery) -> Message:
    return replace(
        message,
        attachments=(*message.attachments, *missing),
        received=message.received or delivery.received,
    )


LIVE = Live(fields=_FIELDS, verify=verify, parse=parse)
