"""What providers tell beside mails: reports, events, and who it is that tells."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.channels.email.hooks_stand_in import (
    RECEIVED,
    account,
    basic,
    delivery,
    field,
    form,
    form_delivery,
    mailgun,
    sendgrid,
    signature,
)
from tests.unit.channels.email.mail_hooks import APART, BODIES, HEADER, LIVE, WHOLE, heard, one
from threadwell.channels.delivery import Delivery
from threadwell.channels.live import State, Status
from threadwell.messages import Address, AddressKind, Broken

AUTOMATIC = {
    "reply": ("Auto-Submitted: auto-replied\n", "an automatic reply"),
    "autoreply": ("X-Autoreply: yes\n", "an automatic reply"),
    # The mail names one that it answers.
    "sent": ("Auto-Submitted: auto-generated\n", "an automatic reply"),
}


@pytest.mark.parametrize("way", [APART, WHOLE], ids=["apart", "whole"])
@pytest.mark.parametrize("provider", APART)
@pytest.mark.parametrize(("fields", "note"), AUTOMATIC.values(), ids=AUTOMATIC)
def test_what_nobody_typed_is_noted(provider: str, fields: str, note: str, way: Any) -> None:
    mail = one(way[provider]((HEADER + fields).encode() + BODIES["plain"]), provider)
    assert note in mail.notes


BOUNCE = b"""\
Content-Type: multipart/report; report-type=delivery-status; boundary="r"

--r
Content-Type: text/plain; charset=utf-8

Nobody has that address.
--r
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; gone@example.org
Action: failed
Status: 5.1.1
--r
Content-Type: text/rfc822-headers

Message-ID: <sent-1@clinic.example.org>
Subject: Your results
--r--
"""


@pytest.mark.parametrize("way", [APART, WHOLE], ids=["apart", "whole"])
@pytest.mark.parametrize("provider", APART)
def test_a_report_of_a_mail_server_is_set_aside(provider: str, way: Any) -> None:
    header = HEADER.replace('"Ana Prado" <ana@example.org>', "MAILER-DAEMON@mx.example.org")
    broken, *told = heard(way[provider](header.encode() + BOUNCE), provider)
    assert isinstance(broken, Broken)
    assert broken.set_aside
    # What it says of the mail is told beside it, where its parts are there.
    assert [one.external_id for one in told] == (
        ["sent-1@clinic.example.org"] if way is WHOLE else []
    )
    assert "delivery report" in broken.reason


def test_a_report_is_known_by_its_kind_whoever_sends_it() -> None:
    for make in (sendgrid, mailgun):
        broken = one(make(HEADER.encode() + BOUNCE), make.__name__)
        assert (type(broken), broken.set_aside) == (Broken, True)


EVENT = {"event": "delivered", "timestamp": 1717240000.25, "recipient": "ana@example.org"}


ID = {"message": {"headers": {"message-id": "sent-1@clinic.example.org"}}}


TOLD = datetime(2024, 6, 1, 11, 6, 40, 250000, tzinfo=UTC)


ANA = Address(AddressKind.EMAIL, "ana@example.org")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({**EVENT, **ID}, (State.DELIVERED, TOLD, "")),
        ({**EVENT, **ID, "event": "opened"}, (State.READ, TOLD, "")),
        ({**EVENT, **ID, "event": "accepted"}, (State.QUEUED, TOLD, "")),
        (
            {**EVENT, **ID, "event": "failed", "delivery-status": {"code": 550}},
            (State.FAILED, TOLD, "550"),
        ),
        ({**EVENT, **ID, "timestamp": "soon"}, (State.DELIVERED, RECEIVED, "")),
        ({**EVENT, **ID, "timestamp": 1e300}, (State.DELIVERED, RECEIVED, "")),
        ({**EVENT, **ID, "timestamp": -1}, (State.DELIVERED, RECEIVED, "")),
        ({**EVENT, **ID, "event": "failed", "severity": "temporary"}, None),
        ({**EVENT, **ID, "event": "clicked"}, None),
        (EVENT, None),
        ({**EVENT, "message": []}, None),
        ("event", None),
    ],
)
def test_events_of_mails_that_were_sent(event: Any, expected: Any) -> None:
    body = json.dumps({"signature": signature(), "event-data": event}).encode()
    given = delivery("application/json", body)
    assert LIVE.verify(given, account("mailgun")) is None  # type: ignore[union-attr]
    found = one(given, "mailgun")
    if expected is None:
        assert isinstance(found, Broken)
        assert found.set_aside is isinstance(event, dict)
    else:
        assert found == Status("email", "sent-1@clinic.example.org", *expected, recipient=ANA)


def test_events_of_the_older_webhooks() -> None:
    said = {"event": "bounced", "Message-Id": "<sent-1@clinic.example.org>", "code": "550"}
    said |= {"recipient": "ana@example.org", "timestamp": "1717240000"}
    found = one(form_delivery([field(*pair) for pair in said.items()]), "mailgun")
    at = TOLD.replace(microsecond=0)
    assert found == Status("email", "sent-1@clinic.example.org", State.FAILED, at, "550", ANA)


def test_a_file_that_mailgun_keeps_is_named() -> None:
    kept = [{"name": "scan.pdf", "content-type": "application/pdf", "url": "https://x.example/1"}]
    given = mailgun(HEADER.encode() + BODIES["plain"])
    more = form([field("attachments", json.dumps(kept))])
    mail = one(replace(given, body=given.body.removesuffix(b"--xYzZY--\r\n") + more), "mailgun")
    (attached,) = mail.attachments
    assert (attached.filename, attached.content) == ("scan.pdf", None)
    assert "kept by Mailgun" in attached.note


def good(provider: str) -> Delivery:
    raw = HEADER.encode() + BODIES["plain"]
    made = APART[provider](raw)
    if provider == "mailgun":
        return made
    return replace(made, headers={**made.headers, "authorization": basic()})


def signed_with(**said: Any) -> Delivery:
    body = json.dumps({"signature": said, "event-data": {}}).encode()
    return delivery("application/json", body)


@pytest.mark.parametrize("provider", APART)
def test_what_the_provider_sends_is_believed(provider: str) -> None:
    assert LIVE.verify(good(provider), account(provider)) is None  # type: ignore[union-attr]
    assert LIVE.verify(good(provider), account(provider.upper())) is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "values", "said"),
    [
        (good("mailgun"), {"signing-key": ""}, "no signing key"),
        (good("mailgun"), {"signing-key": "another"}, "not one by"),
        (good("mailgun"), {"provider": "sendgrid"}, "not those"),
        (good("sendgrid"), {"provider": "mailgun"}, "no signature"),
        (good("sendgrid"), {"provider": "pigeon"}, "none of sendgrid"),
        (good("sendgrid"), {"password": ""}, "no user and password"),
        (good("postmark"), {"user": ""}, "no user and password"),
        (good("postmark"), {"password": "other"}, "not those"),
        (good("postmark"), {"user": "hook:of", "password": "ours"}, "not those"),
        (delivery("text/plain", b"x"), {"provider": "mailgun"}, "no signature"),
        (delivery("application/json", b"["), {"provider": "mailgun"}, "no signature"),
        (signed_with(), {"provider": "mailgun"}, "no signature"),
        (signed_with(**signature(), extra=1), {"provider": "mailgun"}, ""),
        (signed_with(**{**signature(), "timestamp": "1717243201"}), {"provider": "mailgun"}, "not"),
        (signed_with(**{**signature(), "signature": "\ud800ü"}), {"provider": "mailgun"}, "not"),
        (signed_with(**{**signature(), "token": ["\udfff"]}), {"provider": "mailgun"}, "not"),
        *(
            (delivery("application/json", b"{}", authorization=value), {}, "not those")
            for value in (
                "",
                "Basic",
                "Basic ",
                "Basic ????",
                "Basic \xff\xfe",
                "Bearer " + basic()[6:],
                basic("hook", "of-our"),
                basic("hook", ""),
                basic("", ""),
                basic()[:-1],
            )
        ),
    ],
)
def test_what_the_provider_did_not_send_is_refused(
    given: Delivery, values: dict[str, str], said: str
) -> None:
    provider = values.pop("provider", "mailgun" if b"signature" in given.body else "postmark")
    refused = LIVE.verify(given, account(provider, **values))  # type: ignore[union-attr]
    if not said:
        assert refused is None
        return
    assert refused is not None
    assert said in refused.reason


@pytest.mark.parametrize(
    ("provider", "given", "said"),
    [
        ("sendgrid", delivery("application/json", b"{}"), "no event"),
        ("sendgrid", delivery("text/plain", b"Hi"), "no form"),
        ("sendgrid", form_delivery([field("from", "ana@example.org")]), "neither"),
        ("sendgrid", delivery("multipart/form-data", b"--x\r\n"), "ends before"),
        ("sendgrid", form_delivery([field("headers", HEADER)], end=""), "ends before"),
        ("sendgrid", form_delivery([field("headers", "Subject: Hi\n")]), "no sender"),
        ("sendgrid", form_delivery([field("email", b"\n")]), "no header"),
        ("mailgun", delivery("text/plain", b"Hi"), "neither a form nor JSON"),
        ("mailgun", form_delivery([field("message-headers", "[")]), "neither"),
        ("mailgun", form_delivery([field("message-headers", '{"a": 1}')]), "neither"),
        ("mailgun", form_delivery([field("message-headers", '[["From"], 5]')]), "neither"),
        ("mailgun", form_delivery([field("message-headers", "[" * 100_000)]), "neither"),
        ("mailgun", form_delivery([field("body-mime", b"From: a@example.org")], end=""), "ends"),
        ("postmark", delivery("application/json", b"[]"), "no JSON object"),
        ("postmark", delivery("application/json", b'{"From": '), "no JSON object"),
        ("postmark", delivery("application/json", b"{}"), "neither"),
        ("postmark", delivery("application/json", b'{"Headers": 5, "Attachments": 5}'), "neither"),
        ("postmark", delivery("application/json", b'{"From": "ana@example.org"}'), "no date"),
    ],
)
def test_what_cannot_be_read_is_kept_whole(provider: str, given: Delivery, said: str) -> None:
    broken = one(given, provider)
    assert isinstance(broken, Broken)
    assert said in broken.reason
    assert not broken.set_aside
    assert broken.content


def test_what_postmark_says_is_a_mail_is_one() -> None:
    body = json.dumps({"RecordType": "Inbound", "RawEmail": HEADER + "\nHi\n"}).encode()
    assert one(delivery("application/json", body), "postmark").text == "Hi"


@pytest.mark.parametrize("provider", APART)
def test_a_delivery_cut_anywhere_stops_nothing(provider: str) -> None:
    whole = APART[provider](HEADER.encode() + BODIES["files"])
    for at in range(0, len(whole.body), 7):
        found = one(replace(whole, body=whole.body[:at]), provider)
        assert isinstance(found, Broken), at
