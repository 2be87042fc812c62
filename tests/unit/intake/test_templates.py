"""After a day WhatsApp takes only templates: what is written knows that before it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.intake.provider import Provider
from tests.unit.intake.test_outbox import ANA, Desk, P
from threadwell.app import live_channels
from threadwell.intake.accounts import accounts, keep_account
from threadwell.intake.replies.asked import BadReply
from threadwell.intake.seat import Seat
from threadwell.intake.thread_acts.drafting import save_draft, send_draft
from threadwell.messages import Address, Message

VISIT = [{"name": "visit", "id": "HX1", "text": "Your visit is on {{1}} at {{2}}."}]
FILLED = "Your visit is on Tuesday at 9:30."


class Clinic(Desk):
    """Ana has written by WhatsApp two days ago."""

    age = timedelta(days=2)

    def header(self, who: str) -> str:
        """That of the last day."""
        mine = [
            one
            for one in self.bodies()
            if "partOf" not in one and one["subject"]["reference"] == f"Patient/{who}"
        ]
        messages = [one for one in self.bodies() if "partOf" in one]
        last = {one["partOf"][0]["reference"]: one["sent"] for one in messages}
        return max((f"Communication/{one['id']}" for one in mine), key=lambda one: last[one])

    def inbound(self, id_: str, who: Address) -> Message:
        message = super().inbound(id_, who)
        sent, thread = datetime.now(UTC) - self.age, f"whatsapp:{message.thread_hint}"
        return replace(message, thread_hint=thread, sent=sent, medium="APPWRIT")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    one = Provider()
    yield one
    one.close()


@pytest.fixture
def clinic(provider: Provider) -> Iterator[Clinic]:
    desk = Clinic(":memory:", provider)
    (account,) = desk.run(accounts(desk.store, P))
    values = {**account.values, "templates": json.dumps(VISIT)}
    desk.run(keep_account(desk.store, P, replace(account, values=values)))
    yield desk
    desk.runner.close()


def test_what_is_written_freely_is_refused_and_the_templates_are_told(clinic: Clinic) -> None:
    with pytest.raises(BadReply) as refused:
        clinic.reply("Three it is.")
    assert "24 hours" in str(refused.value)
    assert "visit: Your visit is on {{1}} at {{2}}." in str(refused.value)
    assert clinic.waiting() == []


def test_what_says_what_a_template_says_goes_out_by_it(clinic: Clinic) -> None:
    before = len(clinic.provider.sent)
    message = clinic.reply(FILLED)
    clinic.round()
    (sent,) = clinic.provider.sent[before:]
    assert sent["template"] == ("HX1", {"1": "Tuesday", "2": "9:30"})
    assert (sent["to"], sent["body"]) == (f"whatsapp:{ANA.value}", "")
    assert clinic.ids(message) == [sent["sid"]]


def test_a_slot_that_nobody_filled_in_is_refused_at_any_time(clinic: Clinic) -> None:
    clinic.take(replace(clinic.inbound("now", ANA), sent=datetime.now(UTC)))
    with pytest.raises(BadReply, match=r"fill in \{\{1\}\} first"):
        clinic.reply(VISIT[0]["text"])


def test_once_they_write_again_everything_goes(clinic: Clinic) -> None:
    clinic.take(replace(clinic.inbound("now", ANA), sent=datetime.now(UTC)))
    before = len(clinic.provider.sent)
    clinic.reply("Three it is.")
    clinic.round()
    assert [one["body"] for one in clinic.provider.sent[before:]] == ["Three it is."]


def test_a_draft_stays_a_draft(clinic: Clinic) -> None:
    seat = Seat(clinic.store, P, clinic.settings)
    draft = clinic.run(save_draft(seat, clinic.header("ana"), "Hi", sender="Practitioner/dana"))
    with pytest.raises(BadReply, match="24 hours"):
        clinic.run(send_draft(seat, draft, live_channels()))
    assert clinic.read(draft)["status"] == "preparation"


def test_texts_of_phones_go_at_any_time(provider: Provider) -> None:
    class Old(Desk):
        def inbound(self, id_: str, who: Address) -> Message:
            sent = datetime.now(UTC) - timedelta(days=300)
            return replace(super().inbound(id_, who), sent=sent)

    desk = Old(":memory:", provider)
    assert desk.reply("Three it is.")
    desk.runner.close()
