"""What waits, why, and when it is let in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels import ReadOptions, read_path
from threadwell.channels.table import CHANNEL as TABLE
from threadwell.fhir.validation import validate
from threadwell.intake import quarantine, replay
from threadwell.intake.held.hold import DESCRIPTIONS, decode_message
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Attachment, Broken, Message
from threadwell.stores.contract import DEFAULT_PROJECT

STRANGER = "+12125550199"


def held(practice):
    return practice.run(quarantine(practice.store, DEFAULT_PROJECT))


def content(practice, item):
    id_ = item.content.partition("/")[2]
    stored = practice.run(practice.store.read(DEFAULT_PROJECT, "Binary", id_))
    return practice.run(practice.store.content(DEFAULT_PROJECT, id_, stored.version_id))


def test_a_strangers_message_is_kept_whole(practice, sms):
    message = replace(
        sms("a", "08:00", "who is this?", phone=STRANGER),
        attachments=(Attachment("a.bin", "application/x", b"\x00\xff"),),
    )
    practice.take(message)
    (item,) = held(practice)
    assert (item.reason, item.channel, item.sent) == (
        "unknown-sender",
        "sms_backup",
        "2024-04-10T08:00:00Z",
    )
    assert item.unknown == (Address(AddressKind.PHONE, STRANGER),)
    assert decode_message(content(practice, item)) == message
    assert "who is this" not in str(practice.all("Task"))


@pytest.mark.parametrize("times", [1, 2])
def test_who_is_named_twice_is_asked_about_once(practice, sms, times):
    """However often it is delivered at once."""
    stranger = Address(AddressKind.PHONE, STRANGER)
    message = replace(sms("a", "08:00", out=True), recipients=(stranger, stranger))
    practice.take(*[message] * times)
    (item,) = held(practice)
    assert (item.reason, item.unknown) == ("unknown-recipient", (stranger,))


def test_broken_bytes_are_kept_with_the_reason(practice):
    broken = Broken("email", "inbox.mbox, message 17", "no date", b"From: \xff", "message/rfc822")
    report = practice.take(broken, broken)
    assert (report.counts.read, report.counts.quarantined) == (2, 2)
    (item,) = held(practice)
    assert item.reason == "broken"
    assert item.text == f"{DESCRIPTIONS['broken']} inbox.mbox, message 17: no date"
    assert content(practice, item) == b"From: \xff"


def test_what_could_not_even_be_opened_is_told_apart_by_name(practice):
    lost = [Broken("", name, "cannot be read: Permission denied", b"") for name in ("a", "b")]
    practice.take(*lost)
    practice.take(*lost)
    assert sorted(item.text[-38:] for item in held(practice)) == [
        ". a: cannot be read: Permission denied",
        ". b: cannot be read: Permission denied",
    ]
    assert all(validate(task) == [] for task in practice.all("Task"))


@pytest.mark.parametrize("written", ["José", "Jose\u0301"])
@pytest.mark.parametrize("known", ["José", "Jose\u0301"])
def test_a_name_is_known_however_its_accents_are_written(practice, tmp_path, written, known):
    practice.patient("jose", f"table:{known}")
    export = tmp_path / "messages.csv"
    export.write_text(f"sent,from,to,text\n2024-04-10T08:00:00Z,{written},+12125550100,hola\n")
    options = ReadOptions(ZoneInfo("UTC"))
    report = practice.take(*read_path(export, options=options, channels=(TABLE,)))
    assert report.counts.new == 1
    assert [one["subject"] for one in practice.all("Encounter")] == [{"reference": "Patient/jose"}]


def test_importing_again_holds_nothing_twice(practice, sms):
    waiting = sms("a", "08:00", phone=STRANGER), Broken("email", "x", "no date", b"x")
    practice.take(*waiting)
    report = practice.take(*waiting, *waiting)
    assert (report.counts.read, report.counts.quarantined) == (4, 4)
    assert len(practice.all("Task")) == len(practice.all("Binary")) == 2


def test_what_somebody_has_looked_into_is_not_asked_again(practice):
    broken = Broken("email", "x", "no date", b"x")
    practice.take(broken)
    (task,) = practice.all("Task")
    elements = {name: value for name, value in task.items() if name not in ("id", "meta")}
    practice.put("Task", task["id"], **(elements | {"status": "cancelled"}))
    report = practice.take(broken)
    assert [one["status"] for one in practice.all("Task")] == ["cancelled"]
    assert (report.counts.known, report.counts.quarantined, report.reasons) == (1, 0, {})


def test_every_question_is_counted_once(practice, sms):
    practice.patient("bo", "(212) 555-0111")
    shared = sms("a", "08:00"), sms("b", "08:01", out=True)
    assert practice.take(*shared).reviews == 1
    assert practice.take(*shared).reviews == 0
    assert practice.take(sms("c", "08:00", phone=STRANGER)).reviews == 0


@pytest.mark.parametrize("by_import", [True, False])
def test_a_message_is_let_in_once_its_sender_is_known(practice, sms, by_import):
    practice.take(sms("a", "08:00", phone=STRANGER), sms("b", "08:01", out=True, phone=STRANGER))
    assert [item.reason for item in held(practice)] == ["unknown-sender", "unknown-recipient"]
    practice.patient("bo", "(212) 555-0199")
    report = (
        practice.take()
        if by_import
        else practice.run(replay(Seat(practice.store, DEFAULT_PROJECT, practice.settings)))
    )
    assert (report.replayed, report.counts.read) == (2, 0)
    assert held(practice) == []
    assert {one["status"] for one in practice.all("Task")} == {"completed"}
    assert [one["subject"] for one in practice.all("Encounter")] == [{"reference": "Patient/bo"}]


def test_the_future_passes(practice, sms):
    ahead = replace(sms("a", "08:00"), sent=datetime(2024, 6, 3, tzinfo=UTC))
    assert practice.take(ahead).reasons == {"future-date": 1}
    practice.now += 3 * 86_400_000
    assert practice.take().replayed == 1


def test_mail_within_the_practice_has_no_patient(practice):
    practice.put("Practitioner", "alice", telecom=[{"value": "alice@example.org"}])
    practice.put("Practitioner", "bo", telecom=[{"value": "bo@example.org"}])
    alice, bo = (Address(AddressKind.EMAIL, f"{one}@example.org") for one in ("alice", "bo"))
    sent = datetime(2024, 4, 10, tzinfo=UTC)
    report = practice.take(Message("email", "a", alice, (bo,), sent, "lunch?", "lunch?"))
    assert report.reasons == {"no-patient": 1}


def test_everything_held_is_valid_fhir(practice, sms):
    practice.take(
        sms("a", "08:00", "\ud800", phone=STRANGER), Broken("email", "x", "no date", b"x", " ")
    )
    assert [validate(one) for type_ in ("Task", "Binary") for one in practice.all(type_)] == [
        []
    ] * 4
