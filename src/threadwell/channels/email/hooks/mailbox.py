"""Mails out of a mailbox on a mail server, which are asked for and not delivered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from urllib.parse import parse_qsl, urlsplit

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery, Refused
from threadwell.channels.email.hooks.provider import Found, Mail, Provider, Unread
from threadwell.channels.email.mailboxes import mailbox_of
from threadwell.channels.email.state import Kept

NEVER_DELIVERED = Refused("its mails are asked for, and delivered by nobody")

#: The methods of what was fetched from a mail server, and of what one has handed over, which no
#: HTTP request has.
ASKED_FOR, HANDED_OVER = "IMAP", "LMTP"

#: Flags of IMAP (RFC 3501 §2.3.2) by the letters that a Maildir has for them.
_LETTERS: Mapping[str, str] = {
    "\\draft": "D",
    "\\deleted": "T",
    "\\seen": "S",
    "\\answered": "R",
    "\\flagged": "F",
}


def refuse(_delivery: Delivery, _account: Account) -> Refused:
    """Nobody calls for such an account."""
    return NEVER_DELIVERED


def read(delivery: Delivery) -> Iterator[Found]:
    """The mail that a mailbox had.

    The URL names its ``folder``, and its ``flags`` with spaces between them. ``received`` is when
    it came there.
    """
    said = dict(parse_qsl(urlsplit(delivery.urls[0]).query))
    if not delivery.body:
        yield Unread("the mail server did not hand it over")
        return
    flags = "".join(_LETTERS.get(flag.lower(), "") for flag in said.get("flags", "").split())
    # As a mailbox file has it above each mail; it counts where nothing in the mail tells a time.
    line = f"From - {delivery.received:%a %b %d %H:%M:%S %Y}"
    kept = Kept(mailbox_of(PurePath(said.get("folder", "INBOX"))), flags, line)
    yield Mail(delivery.body, kept=kept)


MAILBOX = Provider(refuse, read, ("host", "user", "password|token"))
