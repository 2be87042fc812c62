"""Mails that providers deliver are in the record once, beside their copies from a mailbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.channels.email.hooks_stand_in import (
    CARE,
    account,
    basic,
    delivery,
    form_delivery,
    mailgun,
    mailgun_whole,
    postmark,
    postmark_whole,
    sendgrid,
    sendgrid_whole,
    signature,
)
from threadwell.app import channel_labels, live_channels
from threadwell.channels.account import Account
from threadwell.channels.channel import ReadOptions
from threadwell.channels.delivery import Delivery
from threadwell.channels.email import read
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.journal import ARRIVED, entries
from threadwell.intake.arrivals.settings import live_settings
from threadwell.intake.arrivals.statuses import sent_state
from threadwell.intake.arrivals.taking import Taking
from threadwell.intake.importing import import_messages
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.zones import UTC_ZONE

WAYS: dict[str, tuple[str, Callable[[bytes], Delivery]]] = {
    "SendGrid": ("sendgrid", sendgrid),
    "SendGrid, whole": ("sendgrid", sendgrid_whole),
    "Mailgun": ("mailgun", mailgun),
    "Mailgun, whole": ("mailgun", mailgun_whole),
    "Postmark": ("postmark", postmark),
    "Postmark, whole": ("postmark", postmark_whole),
}

MAIL = b"""\
From: Ana Prado <ana@example.org>
To: care@clinic.example.org
Subject: Rash
Date: Sun, 10 Mar 2024 10:15:00 +0000
Message-ID: <rash-1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="m"

--m
Content-Type: text/plain; charset=utf-8

Since Leonora is back it itches.
--m
Content-Type: image/png
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="arm.png"

iVBORw0KGgoA/w==
--m--
"""
PICTURE = b"\x89PNG\r\n\x1a\n\x00\xff"


class Clinic:
    """A clinic with a patient and an account at a provider."""

    def __init__(self, api: Any) -> None:
        self.api = api
        api.make(telecom=[{"system": "email", "value": "ana@example.org"}])

    def account(self, provider: str) -> None:
        kept: Account = account(provider)
        self.api.run(keep_account(self.api.store, DEFAULT_PROJECT, kept))

    def deliver(self, given: Delivery, authorization: str | None = basic()) -> int:
        return self.api.call(
            "POST",
            "/hooks/mail",
            given.body,
            authorization=authorization,
            content_type=given.headers["content-type"],
        ).status_code

    def take(self) -> None:
        options = (self.api.store, DEFAULT_PROJECT, live_channels(), channel_labels())
        self.api.run(Taking(*options, clock=self.api.clock).round())

    def import_mailbox(self, path: Path) -> Any:
        async def all_() -> Any:
            settings = await live_settings(self.api.store, DEFAULT_PROJECT, channel_labels())
            messages = read(path, ReadOptions(UTC_ZONE, owner=(CARE,)))
            return await import_messages(Seat(self.api.store, DEFAULT_PROJECT, settings), messages)

        return self.api.run(all_())

    def waiting(self) -> int:
        return len(self.api.run(entries(self.api.store, DEFAULT_PROJECT, ARRIVED)))

    def found(self, query: str) -> list[dict[str, Any]]:
        answer = self.api.call("GET", f"{query}&_count=100").json()
        return [entry["resource"] for entry in answer.get("entry", [])]

    def children(self) -> list[dict[str, Any]]:
        return self.found("Communication?part-of:missing=false")


@pytest.fixture
def clinic(new_api: Any, store: Any) -> Clinic:
    return Clinic(new_api(store=store, channels=live_channels))


@pytest.mark.parametrize(("provider", "make"), WAYS.values(), ids=WAYS)
def test_a_mail_is_kept_then_taken_in(clinic: Clinic, provider: str, make: Any) -> None:
    clinic.account(provider)
    assert clinic.deliver(make(MAIL)) == 204
    assert clinic.deliver(make(MAIL)) == 204
    assert (clinic.waiting(), clinic.children()) == (1, [])
    clinic.take()
    (child,) = clinic.children()
    assert clinic.waiting() == 0
    text, file = child["payload"]
    assert text == {"contentString": "Since Leonora is back it itches."}
    attached = clinic.api.call("GET", file["contentAttachment"]["url"], accept="image/png")
    assert (file["contentAttachment"]["title"], attached.content) == ("arm.png", PICTURE)
    assert child["sent"] == "2024-03-10T10:15:00Z"
    assert child["medium"][0]["coding"][0]["code"] == "EMAILWRIT"
    assert len(clinic.found("Encounter?class=VR")) == 1


@pytest.mark.parametrize("first", ["delivered", "imported"])
def test_its_copy_in_a_mailbox_is_the_same_mail(clinic: Clinic, first: str, tmp_path: Path) -> None:
    box = tmp_path / "inbox.mbox"
    box.write_bytes(b"From ana@example.org Sun Mar 10 10:15:03 2024\n" + MAIL + b"\n")
    if first == "imported":
        assert clinic.import_mailbox(box).counts.new == 1
    for provider, make in WAYS.values():
        clinic.account(provider)
        clinic.api.clock.now += 1000
        assert clinic.deliver(make(MAIL)) == 204
        clinic.take()
        assert len(clinic.children()) == 1
    if first == "delivered":
        counts = clinic.import_mailbox(box).counts
        assert (counts.new, counts.known) == (0, 1)
    (child,) = clinic.children()
    assert [len(child["payload"]), clinic.found("Task?status=requested")] == [2, []]


@pytest.mark.parametrize("provider", ["sendgrid", "mailgun", "postmark"])
def test_what_the_provider_did_not_send_leaves_no_trace(
    clinic: Clinic, provider: str, caplog: Any
) -> None:
    clinic.account(provider)
    if provider == "mailgun":
        given = form_delivery([("body-mime", MAIL, "", ""), ("token", b"1", "", "")])
        answers = [clinic.deliver(given)]
    else:
        make = dict(WAYS.values())[provider]
        answers = [clinic.deliver(make(MAIL), said) for said in (None, basic("hook", "else"))]
    assert set(answers) == {403}
    clinic.take()
    assert (clinic.waiting(), clinic.children()) == (0, [])
    assert clinic.found("Task?status=requested") == []
    assert "Leonora" not in caplog.text


def test_an_automatic_reply_says_so_and_a_bounce_is_nobodys(clinic: Clinic) -> None:
    clinic.account("sendgrid")
    away = MAIL.replace(b"MIME-Version", b"Auto-Submitted: auto-replied\nMIME-Version")
    clinic.deliver(sendgrid(away))
    bounce = MAIL.replace(b"rash-1", b"bounce-1").replace(b"multipart/mixed", b"multipart/report")
    clinic.deliver(sendgrid(bounce))
    clinic.take()
    (child,) = clinic.children()
    assert [note["text"] for note in child["note"]] == ["an automatic reply"]
    (held,) = clinic.found("Task?status=requested")
    assert "delivery report" in str(held)


def test_a_mail_of_the_practice_that_comes_back_is_the_one_that_it_sent(clinic: Clinic) -> None:
    clinic.account("postmark")
    sent = MAIL.replace(b"From: Ana Prado <ana@example.org>", b"From: care@clinic.example.org")
    sent = sent.replace(b"To: care@clinic.example.org", b"To: ana@example.org")
    clinic.deliver(postmark(sent))
    back = b"Received: from mx by mx.example.org; Sun, 10 Mar 2024 10:16:00 +0000\n" + sent
    clinic.deliver(postmark_whole(b"X-Loop: care@clinic.example.org\n" + back))
    clinic.take()
    (child,) = clinic.children()
    assert child["recipient"][0]["reference"].startswith("Patient/")


def test_what_becomes_of_sent_mails_is_no_message(clinic: Clinic) -> None:
    clinic.account("mailgun")
    body = (
        '{"signature": %s, "event-data": {"event": "failed", "timestamp": 1710064800,'
        ' "severity": "permanent", "delivery-status": {"code": 550},'
        ' "message": {"headers": {"message-id": "sent-1@clinic.example.org"}}}}'
    )
    signed = str(signature()).replace("'", '"')
    assert clinic.deliver(delivery("application/json", (body % signed).encode())) == 204
    clinic.take()
    assert (clinic.children(), clinic.found("Task?status=requested")) == ([], [])
    state = clinic.api.run(
        sent_state(clinic.api.store, DEFAULT_PROJECT, "email", "sent-1@clinic.example.org")
    )
    assert (state.state, state.code) == ("failed", "550")
