"""Mails that no person wrote."""

from __future__ import annotations

from threadwell.channels.email.mime import Part
from threadwell.messages.automatic import AUTOMATIC, AUTOMATIC_REPLY

#: Why a report is not a message: it would make a patient or a thread out of a mail server.
DELIVERY_REPORT = "a delivery report, written by a mail server"
READ_RECEIPT = "a read receipt, written by a mail program"

_SERVERS = ("mailer-daemon", "postmaster", "mail-daemon")
_REPLY_MARKS = ("x-autoreply", "x-autorespond", "x-autoresponse", "x-auto-reply-from")


def report(mail: Part, sender: str) -> str:
    """What kind of report the mail is; ``""`` for a message. ``sender`` is its mail address.

    Reports are multipart/report (RFC 3464, RFC 8098), or come from a server with an empty return
    path, as older ones do.
    """
    # As it is declared: a report that cannot be taken apart is one all the same.
    if mail.get("content-type").lower().startswith("multipart/report"):
        kind = mail.parameters.get("report-type", "").lower()
        if kind == "disposition-notification":
            return READ_RECEIPT
        if kind in ("", "delivery-status"):
            return DELIVERY_REPORT
    server = sender.removeprefix("email:").partition("@")[0] in _SERVERS
    if server and (mail.get("return-path").strip() in ("", "<>") or mail.get("auto-submitted")):
        return DELIVERY_REPORT
    return ""


def automatic(mail: Part) -> str:
    """A note that nobody typed this (RFC 3834 §5); ``""`` if it says nothing of the kind."""
    submitted = mail.get("auto-submitted").partition(";")[0].strip().lower()
    if submitted == "auto-replied" or any(mail.get(name) for name in _REPLY_MARKS):
        return AUTOMATIC_REPLY
    if mail.get("precedence").strip().lower() == "auto_reply":
        return AUTOMATIC_REPLY
    if submitted and submitted != "no":
        return AUTOMATIC
    return ""
