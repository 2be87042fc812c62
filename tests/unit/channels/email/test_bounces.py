"""Reports of mail servers and programs, in the forms in which they write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.channels.email.automatic import AUTOMATIC, AUTOMATIC_REPLY, COMPLAINT
from threadwell.channels.email.hooks.live import LIVE
from threadwell.channels.email.mail import read_mail
from threadwell.channels.live import State, Status
from threadwell.messages import Address, AddressKind, Broken, Message
from threadwell.zones import UTC_ZONE

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CARE = Address(AddressKind.EMAIL, "care@clinic.example.org")
OWN = "0123456789abcdef0123456789abcdef@clinic.example.org"
HEAD = """From: {sender}
To: care@clinic.example.org
Date: Mon, 2 Mar 2026 09:29:00 +0000
Subject: {subject}
Message-ID: <report@mx.example.net>
Return-Path: <>
"""
SENT = f"""From: care@clinic.example.org
To: ana@example.org
Subject: Re: Tomorrow
Message-ID: <{OWN}>

Three it is.
"""


def report(
    status: str, sent: str = SENT, kind: str = "delivery-status", more: str = "", how: str = ""
) -> str:
    return (
        HEAD.format(sender="Mail Delivery System <MAILER-DAEMON@mx.example.net>", subject="Failed")
        + more
        + f"""Content-Type: multipart/report; report-type={kind}; boundary="r"

--r
Content-Type: text/plain

It could not be delivered.

--r
Content-Type: message/{how or kind}

{status}
--r
Content-Type: {"text/rfc822-headers" if sent.count(chr(10)) < 5 else "message/rfc822"}

{sent}
--r--
"""
    )


def dsn(action: str, status: str, diagnostic: str = "", who: str = "ana@example.org") -> str:
    lines = [
        "Reporting-MTA: dns; mx.example.net",
        "",
        f"Final-Recipient: rfc822; {who}",
        f"Action: {action}",
        f"Status: {status}",
    ]
    return "\n".join([*lines, *([f"Diagnostic-Code: {diagnostic}"] if diagnostic else []), ""])


QMAIL = (
    HEAD.format(sender="MAILER-DAEMON@mx.example.net", subject="failure notice")
    + f"""
Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.

<ana@example.org>:
192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 No such user
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <care@clinic.example.org>
{SENT}"""
)
EXIM = (
    HEAD.format(sender="Mail Delivery System <Mailer-Daemon@mx.example.net>", subject="failed")
    + f"""X-Failed-Recipients: ana@example.org
Auto-Submitted: auto-replied

A message that you sent could not be delivered.

  ana@example.org
    host mx.example.com: 552 mailbox full

------ This is a copy of the message, including all the headers. ------

{SENT}"""
)
DELAYED = EXIM.replace("X-Failed-Recipients: ana@example.org\n", "").replace("552 ", "452 ")
MDN = f"""Reporting-UA: phone
Final-Recipient: rfc822; ana@example.org
Original-Message-ID: <{OWN}>
Disposition: manual-action/MDN-sent-manually; {{}}
"""


def heard(text: str) -> list[Any]:
    raw = text.replace("\n", "\r\n").encode()
    account = Account("mail", "email", (CARE,), {"provider": "imap"})
    delivery = Delivery("IMAP", ("imap://h/?folder=INBOX&uid=1",), {}, raw, AT)
    return list(LIVE.parse(delivery, account, "US"))


IN_REPLY = f"In-Reply-To: <{OWN}>\n"
REFERENCES = f"References: <{OWN}>\n"
FAILED, SENT_ON, DELIVERED, READ = State.FAILED, State.SENT, State.DELIVERED, State.READ


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (report(dsn("failed", "5.1.1")), (FAILED, "5.1.1")),
        (report(dsn("Failed", "5.0.0", "smtp; 550 5.1.10 not found")), (FAILED, "5.1.10")),
        (report(dsn("failed", "5.0.0 (what)", "smtp;550 no")), (FAILED, "5.0.0")),
        (report(dsn("failed", "", "smtp; 550 no")), (FAILED, "550")),
        (report(dsn("failed (given up)", "4.4.7")), (FAILED, "4.4.7")),
        (report(dsn("delivered", "2.0.0")), (DELIVERED, "")),
        (report(dsn("relayed", "2.0.0")), (SENT_ON, "")),
        (report(dsn("delayed", "4.4.1")), None),
        (report(dsn("expanded", "2.0.0")), None),
        (report(dsn("failed", "5.1.1"), sent=f"Message-ID: <{OWN}>\n"), (FAILED, "5.1.1")),
        (
            report(dsn("failed", "5.1.1"), sent="", more=IN_REPLY),
            (FAILED, "5.1.1"),
        ),
        (report(dsn("failed", "5.1.1"), sent="", more=REFERENCES), (FAILED, "5.1.1")),
        (report(dsn("failed", "5.1.1"), sent="nothing of it\n"), None),
        (report("", more=IN_REPLY), None),
        (
            report(dsn("failed", "5.1.1"), kind="delivery-status", how="global-delivery-status"),
            (FAILED, "5.1.1"),
        ),
        (QMAIL, (FAILED, "5.1.1")),
        (EXIM, (FAILED, "552")),
        (DELAYED, None),
        (report(MDN.format("displayed"), kind="disposition-notification"), (READ, "")),
        (report(MDN.format("deleted"), kind="disposition-notification"), (DELIVERED, "")),
    ],
    ids=str,
)
def test_a_report_tells_of_the_mail_and_is_none(text: str, wanted: Any) -> None:
    broken, *told = heard(text)
    assert isinstance(broken, Broken)
    assert broken.set_aside
    assert broken.content == text.replace("\n", "\r\n").encode()
    if wanted is None:
        assert told == []
        return
    [status] = told
    assert isinstance(status, Status)
    assert (status.channel, status.external_id, status.at) == ("email", OWN, AT)
    assert (status.state, status.code) == wanted
    if status.state is not READ and "disposition" not in text:
        assert status.recipient is not None
        assert status.recipient.value == "ana@example.org"


def test_each_recipient_is_told_of() -> None:
    both = dsn("failed", "5.1.1") + "\n" + dsn("delivered", "2.1.5", who="bea@example.org")[36:]
    _, *told = heard(report(both))
    assert [(one.state, one.recipient and one.recipient.value) for one in told] == [
        (FAILED, "ana@example.org"),
        (DELIVERED, "bea@example.org"),
    ]


def test_who_takes_a_mail_for_spam_is_shown_to_people() -> None:
    text = report("Feedback-Type: abuse\nUser-Agent: x\n", kind="feedback-report")
    [broken] = heard(text.replace("MAILER-DAEMON", "feedback"))
    assert (broken.reason, broken.set_aside) == (COMPLAINT, False)


@pytest.mark.parametrize("cut", range(0, 1200, 37))
def test_a_report_that_is_damaged_stops_nothing(cut: int) -> None:
    for text in (report(dsn("failed", "5.1.1")), QMAIL, EXIM):
        assert all(isinstance(one, Message | Broken | Status) for one in heard(text[:cut]))
        assert heard(text[:cut] + "\0\xff" + text[cut + 3 :])


ANSWER = "Automatic reply: Tomorrow"


@pytest.mark.parametrize(
    ("fields", "subject", "note"),
    [
        ({"Auto-Submitted": "auto-replied (vacation)"}, "Away", AUTOMATIC_REPLY),
        ({"Auto-Submitted": "auto-generated"}, ANSWER, AUTOMATIC_REPLY),
        ({"Auto-Submitted": "auto-generated"}, "Your order", AUTOMATIC),
        ({"Auto-Submitted": "auto-generated", "In-Reply-To": "<x@y>"}, "Re: a", AUTOMATIC_REPLY),
        ({"Return-Path": "<>", "References": "<x@y>"}, "Re: a", AUTOMATIC_REPLY),
        ({"Auto-Submitted": "no"}, "Tomorrow", ""),
        ({"X-Autoreply": "yes"}, "Away", AUTOMATIC_REPLY),
        ({"X-Autogenerated": "Reply"}, "Away", AUTOMATIC_REPLY),
        ({"Precedence": "auto_reply"}, "Away", AUTOMATIC_REPLY),
        ({"Precedence": "bulk"}, "Abwesenheitsnotiz: Morgen", AUTOMATIC_REPLY),
        ({"Precedence": "bulk"}, "News of the village", ""),
        ({"X-Auto-Response-Suppress": "All"}, "Respuesta automática: Mañana", AUTOMATIC_REPLY),
        ({"X-Auto-Response-Suppress": "DR, OOF, AutoReply"}, "Tomorrow", ""),
        ({"Return-Path": "<>"}, "Away", AUTOMATIC),
        ({"Return-Path": "<ana@example.org>"}, ANSWER, ""),
        # Who types such a subject by hand has typed the mail, too.
        ({}, ANSWER, ""),
        ({"Auto-Submitted": "auto-generated"}, "Autoresponses: how do I stop them?", AUTOMATIC),
    ],
    ids=str,
)
def test_who_has_typed_it(fields: dict[str, str], subject: str, note: str) -> None:
    head = {
        "From": "ana@example.org",
        "To": "care@clinic.example.org",
        "Message-ID": "<a@example.org>",
        "Date": "Mon, 2 Mar 2026 09:29:00 +0000",
        "Subject": subject,
        **fields,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    message = read_mail(f"{lines}\r\nHello\r\n".encode(), "here", UTC_ZONE, AT)
    assert isinstance(message, Message)
    found = [one for one in message.notes if one in (AUTOMATIC, AUTOMATIC_REPLY)]
    assert found == ([note] if note else [])
