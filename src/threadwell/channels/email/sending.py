"""Replies go out as mails, by a mail server that takes them for sending."""

from __future__ import annotations

import re

from threadwell.calls.call import Called
from threadwell.calls.submission import PORT, TLS_PORT, Security, Submission
from threadwell.channels.account import Account
from threadwell.channels.email.compose import compose, message_id
from threadwell.channels.email.given_along import fields_for
from threadwell.channels.sending import Failed, Limits, Outbound
from threadwell.messages import AddressKind

_SECURITY = {"starttls": Security.STARTTLS, "yes": Security.TLS, "no": Security.NONE}
#: What a token can be put into (RFC 5321 §4.5.3.1.1 allows 64 characters before the ``@``).
_REPLY_TO = re.compile(r"[A-Za-z0-9._-]{1,36}@[A-Za-z0-9.-]{1,253}")
#: Bytes of a mail that the common servers take.
_MOST_BYTES = 25_000_000
#: Files are written in four characters for three of their bytes, and with ends of lines.
LIMITS = Limits(files=50, together=18_000_000)


def mute(account: Account) -> str:
    """Why nothing can be sent by an account; ``""`` where something can."""
    if not account.value("smtp-host"):
        return f"the account {account.name} sends nothing: it has no smtp-host"
    return ""


def unfit(account: Account) -> str:
    """What is wrong with how an account sends; ``""`` where nothing is."""
    host, port, security = _place(account)
    if account.value("smtp-host") and not (host and 0 < port < 65536):
        return "smtp-host is a host such as smtp.example.org, with :PORT if it has one"
    if security is None:
        return f"smtp-tls is one of {', '.join(_SECURITY)}"
    answered = account.value("reply-to")
    if answered and not _REPLY_TO.fullmatch(answered):
        return "reply-to is an address such as reply@clinic.example.org, without a + in it"
    if account.value("smtp-user") and not _secrets(account):
        return "smtp-user needs smtp-password or smtp-token"
    return ""


def send(out: Outbound, account: Account, _answer: Called | None) -> Submission | Failed:
    """The mail, and the server that it is handed to."""
    if why := mute(account) or unfit(account):
        return Failed(why)
    if not out.recipients or any(
        one.kind is not AddressKind.EMAIL for one in (out.own, *out.recipients)
    ):
        return Failed("only a mail address can be written to from a mail address")
    host, port, security = _place(account)
    assert security is not None  # It would be unfit.
    more = fields_for(host, message_id(out.external_id, out.own))
    content = compose(out, account.value("from-name"), _answered_at(out, account), more)
    if len(content) > _MOST_BYTES:
        return Failed(f"with its files it is larger than {_MOST_BYTES // 1_000_000} MB")
    password, token = account.value("smtp-password"), account.value("smtp-token")
    return Submission(
        message_id(out.external_id, out.own),
        host,
        port,
        out.own.value,
        tuple(one.value for one in out.recipients),
        content,
        security,
        account.value("smtp-user"),
        password,
        token,
        account.hosts,
    )


def _answered_at(out: Outbound, account: Account) -> str:
    """The address at which an answer to that message is expected, ``""`` if at its own."""
    local, at, domain = account.value("reply-to").strip().lower().partition("@")
    return f"{local}+{out.token}@{domain}" if at and out.token else ""


def _secrets(account: Account) -> str:
    return account.value("smtp-password") or account.value("smtp-token")


def _place(account: Account) -> tuple[str, int, Security | None]:
    """Where the server is, and how it is made secure; ``None`` where that is not understood."""
    host, colon, number = account.value("smtp-host").partition(":")
    port = int(number) if number.isdecimal() and len(number) < 6 else 0
    port = port if colon else PORT
    usual = "yes" if port == TLS_PORT else "starttls"
    return host, port, _SECURITY.get(account.value("smtp-tls").lower() or usual)
