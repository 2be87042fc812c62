"""A message that a log has, and that came by itself before or after: one message."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from threadwell.channels import ReadOptions
from threadwell.channels.twilio.logs.entry import read_entry
from threadwell.channels.twilio.message import Told, message_of
from threadwell.encounters import codes
from threadwell.intake import verify
from threadwell.messages import Address, AddressKind, Attachment, Message, gaps
from threadwell.stores.contract import DEFAULT_PROJECT

OWN = Address(AddressKind.PHONE, "+12125550180")
ANA = "+12125550111"
SID = "MM" + "a7" * 16
OPTIONS = ReadOptions(None)
LOGGED = {
    "sid": SID,
    "from": ANA,
    "to": OWN.value,
    "body": "Look at this rash",
    "direction": "inbound",
    "status": "received",
    "nummedia": "1",
    "datesent": "Wed, 01 May 2024 12:00:01 +0000",
}
OUT = {**LOGGED, "from": OWN.value, "to": ANA, "direction": "outbound-api", "sid": "SM" + "b8" * 16}


def logged(**changed: str) -> Message:
    message = read_entry({**LOGGED, **changed}, OPTIONS)
    assert isinstance(message, Message)
    return message


def delivered(seconds: float = 1) -> Message:
    """The same as a webhook brings it: with its file, and when the practice was told of it."""
    sent = logged().sent + timedelta(seconds=seconds)
    file = Attachment("ME01.jpg", "image/jpeg", b"rash")
    told = Told(SID, ANA, OWN.value, inbound=True, sent=sent, body="Look at this rash")
    message = message_of(replace(told, files=(file,)), OPTIONS)
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize("seconds", [0, 0.4, 3, 90])
def test_a_log_and_a_webhook_bring_one_message(practice: Any, seconds: float) -> None:
    copies = (delivered(seconds), logged(), logged(body=""))
    ends = []
    for order in permutations(copies):
        one = type(practice)()
        one.patient("ana", ANA, given="Ana")
        counts = [one.take(copy).counts for copy in order]
        assert [count.new for count in counts] == [1, 0, 0]
        (child,) = [each for each in one.live("Communication") if "partOf" in each]
        ends.append({name: child[name] for name in ("id", "sent", "payload", "recipient")})
        assert "note" not in child
        assert one.run(verify(one.store, DEFAULT_PROJECT)) == []
        assert [one.take(copy).counts.known for copy in copies] == [1, 1, 1]
    assert ends[0]["payload"][0]["contentString"] == "Look at this rash"
    assert ends[0]["payload"][1]["contentAttachment"]["contentType"] == "image/jpeg"
    assert all(end == ends[0] for end in ends)


def test_a_number_that_nobody_was_told_of_is_the_practices(practice: Any) -> None:
    practice.patient("ana", ANA, given="Ana")
    report = practice.take(logged(), message(OUT))
    assert (report.counts.new, report.counts.quarantined) == (2, 0)
    children = [one for one in practice.live("Communication") if "partOf" in one]
    senders = {one["sender"]["reference"].partition("/")[0] for one in children}
    assert senders == {"Patient", "Organization"}
    later = {**OUT, "sid": "SM" + "c9" * 16, "datesent": "Wed, 01 May 2024 12:05:00 +0000"}
    assert practice.take(message(later)).counts.new == 1
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []


def test_no_patient_is_made_of_the_practices_number(practice: Any) -> None:
    practice.settings = replace(practice.settings, unknown="patient")
    assert practice.take(message(OUT)).counts.new == 1
    patients = [one["telecom"][0]["value"] for one in practice.live("Patient")]
    assert ANA in patients
    assert OWN.value not in patients


def test_somebody_who_has_the_number_stays_who_they_are(practice: Any) -> None:
    practice.patient("ana", ANA, given="Ana")
    practice.put("Practitioner", "okafor", telecom=[{"system": "phone", "value": OWN.value}])
    practice.take(message(OUT))
    (child,) = [one for one in practice.live("Communication") if "partOf" in one]
    assert child["sender"]["reference"] == "Practitioner/okafor"


def test_what_came_to_nobody_says_so(practice: Any) -> None:
    practice.patient("ana", ANA, given="Ana")
    practice.take(message({**OUT, "status": "undelivered", "errorcode": "30003"}))
    (child,) = [one for one in practice.live("Communication") if "partOf" in one]
    assert [note["text"] for note in child["note"]][:1] == [
        "it was not delivered, and nobody has received it (Twilio: undelivered, error 30003)"
    ]


def test_deleted_words_are_no_empty_message(practice: Any) -> None:
    practice.patient("ana", ANA, given="Ana")
    practice.take(logged(sid="SM" + "d1" * 16, body="", nummedia="0"))
    (child,) = [one for one in practice.live("Communication") if "partOf" in one]
    assert [note["text"] for note in child["note"]] == [gaps.NO_WORDS]
    absent = child["payload"][0]["_contentString"]["extension"][0]
    assert absent["url"] == codes.DATA_ABSENT


def message(members: dict[str, str]) -> Message:
    out = read_entry(members, OPTIONS)
    assert isinstance(out, Message)
    return out
