"""The part of the channel that hears: mails that a provider delivers, or a mail server has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from threadwell.channels.account import Account, Field
from threadwell.channels.delivery import Delivery, Refused
from threadwell.channels.email.automatic import REPORTS
from threadwell.channels.email.bounces import read_told
from threadwell.channels.email.compose import message_id
from threadwell.channels.email.hooks.mailbox import ASKED_FOR, HANDED_OVER, MAILBOX, refuse
from threadwell.channels.email.hooks.mailgun import MAILGUN
from threadwell.channels.email.hooks.postmark import POSTMARK
from threadwell.channels.email.hooks.provider import Found, Mail, Provider, Unread
from threadwell.channels.email.hooks.sendgrid import SENDGRID
from threadwell.channels.email.mail import broken, read_mail
from threadwell.channels.email.sending import LIMITS, mute, send, unfit
from threadwell.channels.email.subjects import answering
from threadwell.channels.live import Heard, Live
from threadwell.messages import Attachment, Broken, Message, parse_email
from threadwell.zones import UTC_ZONE

PROVIDERS: Mapping[str, Provider] = {
    "sendgrid": SENDGRID,
    "mailgun": MAILGUN,
    "postmark": POSTMARK,
    "imap": MAILBOX,
    "lmtp": Provider(refuse, MAILBOX.read, ()),
    "smtp": Provider(refuse, lambda _: (), ("smtp-host",)),
}

NO_PROVIDER = "nobody knows any more which provider has delivered it"

_FIELDS = (
    Field("provider", f"one of {', '.join(PROVIDERS)}"),
    Field("signing-key", "Mailgun: HTTP webhook signing key", secret=True, required=False),
    Field("user", "the user: of the mailbox, or in the URL for SendGrid, Postmark", required=False),
    Field("password", "the password of that user", secret=True, required=False),
    Field("token", "imap: an OAuth 2.0 access token, if no password", secret=True, required=False),
    Field("host", "imap: the mail server, with :PORT if it is not 993", required=False),
    Field("folders", "imap: folders, with commas between them; else INBOX", required=False),
    Field("since", "imap: leave out what came before that day, YYYY-MM-DD", required=False),
    Field("tls", "imap: no, for a server that has none and is allowed", required=False),
    Field("smtp-host", "the server that sends, with :PORT if it is not 587", required=False),
    Field("smtp-user", "the user there", required=False),
    Field("smtp-password", "the password of that user", secret=True, required=False),
    Field("smtp-token", "an OAuth 2.0 access token, if no password", secret=True, required=False),
    Field("smtp-tls", "starttls; yes, which port 465 means; no, if it is allowed", required=False),
    Field("reply-to", "address to answer at; mails to it with +… come here too", required=False),
    Field("from-name", "the name beside the address of what is sent", required=False),
)


def verify(delivery: Delivery, account: Account) -> Refused | None:
    """Why a delivery is not from the account's provider."""
    provider = PROVIDERS.get(account.value("provider").lower())
    if provider is None:
        return Refused(f"the account's provider is none of {', '.join(PROVIDERS)}")
    return provider.verify(delivery, account)


def lacks(account: Account) -> str:
    """What has to be said of an account before it can be used; ``""`` where all is there."""
    named = account.value("provider").lower()
    provider = PROVIDERS.get(named)
    if provider is None:
        return f"provider is one of {', '.join(PROVIDERS)}"
    for need in provider.needs:
        names = need.split("|")
        if not any(map(account.value, names)):
            return f"an account of {named} needs {' or '.join(names)}"
    if account.value("tls").lower() not in ("", "yes", "no"):
        return "tls is yes or no"
    for field in ("tls", "smtp-tls"):
        if account.value(field).lower() == "no" and not account.hosts:
            return f"{field}=no is for a server that --allow-host names, too"
    if why := unfit(account):
        return why
    if complete(account).addresses:
        return ""
    if named == "lmtp":
        return "an account of lmtp needs an address: mails to any other are refused"
    if named == "imap":
        return "an account of imap needs the address of its mailbox, as its user is none"
    return "an account with smtp-host needs an address to send from" * bool(
        account.value("smtp-host")
    )


def complete(account: Account) -> Account:
    """The account with the address of its mailbox: its user's, unless another one was given."""
    is_mailbox = account.value("provider").lower() == "imap"
    if account.addresses or not is_mailbox or "@" not in account.value("user"):
        return account
    own = parse_email(account.value("user"))
    return replace(account, addresses=(own,)) if own else account


def called(account: Account) -> bool:
    """Whether its provider delivers by calling the server."""
    provider = PROVIDERS.get(account.value("provider").lower())
    return provider is not None and provider.verify is not refuse


def parse(delivery: Delivery, account: Account, _country: str) -> Iterator[Heard]:
    """The mail that a verified delivery holds."""
    is_asked_for = delivery.method in (ASKED_FOR, HANDED_OVER)
    provider = MAILBOX if is_asked_for else PROVIDERS.get(account.value("provider").lower())
    if provider is None:
        # The account was forgotten, or changed, before this was taken in.
        yield broken(delivery.body, f"a delivery to {account.name}", NO_PROVIDER)
        return
    for found in provider.read(delivery):
        heard = _heard(found, delivery, account)
        yield heard
        if isinstance(found, Mail) and isinstance(heard, Broken) and heard.reason in REPORTS:
            yield from read_told(found.raw, delivery.received)


def _heard(found: Found, delivery: Delivery, account: Account) -> Heard:
    source = f"a delivery to {account.name}"
    match found:
        case Mail(raw, missing, kept):
            own = {address.key for address in account.addresses}
            read = read_mail(raw, source, UTC_ZONE, delivery.received, kept=kept, own=own)
            if isinstance(read, Broken):
                return read
            return _finished(read, missing, delivery, account)
        case Unread(reason, set_aside):
            return broken(delivery.body, source, reason, set_aside=set_aside)
    return found


def _finished(
    message: Message, missing: tuple[Attachment, ...], delivery: Delivery, account: Account
) -> Message:
    ours = {one.key for one in account.addresses}
    is_ours = message.sender.key in ours
    return replace(
        message,
        attachments=(*message.attachments, *missing),
        # When a copy of what the practice has sent was put away tells nothing.
        received=message.received or (None if is_ours else delivery.received),
        ours=tuple(one for one in (message.sender, *message.recipients) if one.key in ours),
    )


LIVE = Live(
    fields=_FIELDS,
    verify=verify,
    parse=parse,
    lacks=lacks,
    complete=complete,
    called=called,
    send=send,
    limits=lambda _: LIMITS,
    mute=mute,
    attaches=True,
    known_as=message_id,
    answering=answering,
    source=lambda _: "",
)
