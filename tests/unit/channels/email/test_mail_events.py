"""What SendGrid and Postmark tell of mails that were sent, and how they name them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from tests.unit.channels.email.hooks_stand_in import RECEIVED, account, delivery
from threadwell.channels.account import Account
from threadwell.channels.email.compose import message_id
from threadwell.channels.email.hooks.live import LIVE
from threadwell.channels.live import State, Status
from threadwell.channels.sending import Outbound
from threadwell.messages import Address, AddressKind, Broken

ANA = Address(AddressKind.EMAIL, "ana@example.org")
ID = "14c5d75ce93ab0f2@clinic.example.org"
AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def heard(told: Any, provider: str) -> list[Any]:
    given = delivery("application/json; charset=utf-8", json.dumps(told).encode())
    return list(LIVE.parse(given, account(provider), "US"))


def sendgrid(event: str, **more: Any) -> dict[str, Any]:
    """An event, with what SendGrid puts beside every one."""
    usual = {"email": ANA.value, "timestamp": int(AT.timestamp()), "sg_event_id": "bGFtYg"}
    return {**usual, "event": event, "smtp-id": f"<{ID}>", **more}


def postmark(kind: str, **more: Any) -> dict[str, Any]:
    """A webhook of Postmark, with the number that it gives to a mail."""
    usual = {"MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Tag": "", "ServerID": 23}
    return {**usual, "RecordType": kind, "Metadata": {"threadwell": ID}, **more}


BLOCKED = "550 5.7.1 Message rejected due to local policy"
NO_USER = "smtp;550 5.1.1 The email account that you tried to reach does not exist."


@pytest.mark.parametrize(
    ("told", "state", "code"),
    [
        (sendgrid("processed"), State.QUEUED, ""),
        (sendgrid("delivered", response="250 2.0.0 OK"), State.DELIVERED, ""),
        (sendgrid("open"), State.READ, ""),
        (sendgrid("bounce", type="bounce", status="5.1.1", reason=NO_USER), State.FAILED, "5.1.1"),
        (sendgrid("bounce", type="blocked", reason=BLOCKED), State.FAILED, "5.7.1"),
        (sendgrid("bounce", type="blocked", reason="no words"), State.FAILED, "blocked"),
        (sendgrid("dropped", reason="Bounced Address"), State.FAILED, ""),
    ],
    ids=str,
)
def test_what_sendgrid_tells(told: dict[str, Any], state: State, code: str) -> None:
    assert heard([told], "sendgrid") == [Status("email", ID, state, AT, code, ANA)]
    # Events of what is opened do not name the Message-ID, but what was given along.
    given = {name: value for name, value in told.items() if name != "smtp-id"}
    assert heard([{**given, "threadwell": ID}], "sendgrid") == heard([told], "sendgrid")


def test_several_events_are_told_together() -> None:
    other = "<another@clinic.example.org>"
    told = [
        sendgrid("processed"),
        sendgrid("deferred", response="451 4.7.1 greylisted"),
        sendgrid("delivered"),
        sendgrid("bounce", **{"smtp-id": other, "email": "nobody", "timestamp": "soon"}),
        {"event": "unsubscribe", "email": ANA.value},
    ]
    states = heard(told, "sendgrid")
    assert [(one.external_id, one.state) for one in states] == [
        (ID, State.QUEUED),
        (ID, State.DELIVERED),
        ("another@clinic.example.org", State.FAILED),
    ]
    assert (states[-1].recipient, states[-1].at) == (None, RECEIVED)


@pytest.mark.parametrize(
    ("told", "state", "code"),
    [
        (postmark("Delivery", Recipient=ANA.value, DeliveredAt="AT"), State.DELIVERED, ""),
        (postmark("Open", Recipient=ANA.value, ReceivedAt="AT", FirstOpen=True), State.READ, ""),
        (
            postmark("Bounce", Type="HardBounce", Email=ANA.value, BouncedAt="AT", Details=NO_USER),
            State.FAILED,
            "5.1.1",
        ),
        (
            postmark("Bounce", Type="SoftBounce", Email=ANA.value, BouncedAt="AT", Details="full"),
            State.FAILED,
            "SoftBounce",
        ),
        (
            postmark("Bounce", Type="Blocked", Email=ANA.value, BouncedAt="AT", Details="x" * 99),
            State.FAILED,
            "Blocked",
        ),
    ],
    ids=str,
)
def test_what_postmark_tells(told: dict[str, Any], state: State, code: str) -> None:
    # As it writes times: a fraction of seven digits, in a zone of its own.
    written = "2026-03-04T04:30:00.0000000-05:00"
    told = {name: written if value == "AT" else value for name, value in told.items()}
    assert heard(told, "postmark") == [Status("email", ID, state, AT, code, ANA)]


@pytest.mark.parametrize(
    ("told", "provider", "set_aside"),
    [
        ([sendgrid("deferred")], "sendgrid", True),
        ([sendgrid("deferred"), sendgrid("unsubscribe")], "sendgrid", True),
        ([sendgrid("delivered", **{"smtp-id": ""})], "sendgrid", True),
        ([sendgrid("delivered", **{"smtp-id": 5, "threadwell": [ID]})], "sendgrid", True),
        ([sendgrid("spamreport")], "sendgrid", False),
        ([], "sendgrid", False),
        ({"event": "delivered"}, "sendgrid", False),
        ([5, None], "sendgrid", False),
        (postmark("Bounce", Type="Transient"), "postmark", True),
        (postmark("Bounce", Type="AutoResponder"), "postmark", True),
        (postmark("SubscriptionChange"), "postmark", True),
        (postmark("Delivery", Metadata={"user": "43"}), "postmark", True),
        (postmark("Delivery", Metadata=None), "postmark", True),
        (postmark("Delivery", Metadata={"Threadwell": 43}), "postmark", True),
        (postmark("SpamComplaint"), "postmark", False),
    ],
    ids=str,
)
def test_what_tells_nothing_of_a_mail_is_kept_once(
    told: Any, provider: str, set_aside: bool
) -> None:
    [broken] = heard(told, provider)
    assert isinstance(broken, Broken)
    assert broken.set_aside is set_aside


@pytest.mark.parametrize("domain", ["clinic.example.org", f"{'a' * 60}.{'b' * 60}.example.org"])
@pytest.mark.parametrize(
    "host", ["smtp.sendgrid.net", "smtp.postmarkapp.com:465", "smtp.mailgun.org"]
)
def test_the_provider_is_told_by_what_to_name_a_mail(host: str, domain: str) -> None:
    own = Address(AddressKind.EMAIL, f"care@{domain}")
    values = {"provider": "smtp", "smtp-host": host}
    out = Outbound("reply:7", own, (ANA,), "", "At three.", AT, (), "", "m1@example.org", "Re: A")
    submission: Any = LIVE.send(out, Account("mail", "email", (own,), values), None)  # type: ignore[misc]
    sent = message_from_bytes(submission.content, policy=default)
    id_ = message_id("reply:7", own)
    assert sent["Message-ID"] == f"<{id_}>"
    named = [value for value in (sent["X-SMTPAPI"], sent["X-PM-Metadata-threadwell"]) if value]
    if "sendgrid" in host:
        assert json.loads(named[0]) == {"unique_args": {"threadwell": id_}}
    elif "postmark" in host:
        assert sent["X-PM-KeepID"] == "true"
        # It takes 80 characters.
        assert named == ([id_] if len(id_) <= 80 else [])
    else:
        assert named == []
