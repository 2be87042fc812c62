"""What people and other programs add is kept: in place, and where a session moves to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from threadwell.encounters import codes
from threadwell.fhir.validation import validate
from threadwell.intake import recut, verify
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT

MOTHER = "+12125550122"
INTERPRETER = {"individual": {"reference": "Practitioner/interpreter"}}
COACH = {"reference": "Practitioner/coach"}
REASON = {"reasonCode": [{"text": "knee"}]}


@pytest.fixture
def by_gap(practice):
    practice.settings = replace(practice.settings, policy="inactivity-gap")
    return practice


def change(practice, resource, **elements):
    """Write a stored resource with some elements more, as somebody else would."""
    rest = {name: value for name, value in resource.items() if name not in ("id", "resourceType")}
    practice.put(resource["resourceType"], resource["id"], **(rest | elements))


def the_session(practice):
    (session,) = [one for one in practice.live("Encounter") if "partOf" not in one]
    return session


def the_header(practice):
    (header,) = [one for one in practice.live("Communication") if "partOf" not in one]
    return header


def individuals(encounter):
    return [one["individual"]["reference"] for one in encounter.get("participant", ())]


def all_fine(practice):
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    for type_ in ("Encounter", "Communication", "Provenance", "Task"):
        assert [issue for one in practice.all(type_) for issue in validate(one)] == []


def test_participants_and_recipients_stay(practice, sms):
    practice.take(sms("a", "08:00"))
    change(practice, the_session(practice), participant=[INTERPRETER])
    header = the_header(practice)
    change(practice, header, recipient=[*header["recipient"], COACH, {"display": "her sister"}])
    practice.take(sms("b", "09:00"))
    joined, added = the_session(practice)["participant"]
    assert joined["individual"] == {"reference": COACH["reference"]}
    assert added == INTERPRETER
    assert the_session(practice)["period"]["end"] == "2024-04-10T09:00:00Z"
    assert the_header(practice)["recipient"] == [
        *header["recipient"],
        COACH,
        {"display": "her sister"},
    ]
    all_fine(practice)


def test_another_practitioner_at_the_address_replaces_the_former(practice, sms):
    owner = replace(practice.settings, owner=())
    practice.settings = owner
    practice.put("Practitioner", "alice", telecom=[{"value": "+12125550100"}])
    practice.take(sms("a", "08:00", out=True))
    change(
        practice,
        the_session(practice),
        participant=[*the_session(practice)["participant"], INTERPRETER],
    )
    practice.put("Practitioner", "alice", active=False)
    practice.put("Practitioner", "bob", telecom=[{"value": "+12125550100"}])
    practice.take(sms("b", "08:10", out=True))
    assert individuals(the_session(practice)) == [
        "Practitioner/bob",
        "Practitioner/interpreter",
    ]


def test_a_session_that_moves_takes_it_along(by_gap, sms):
    by_gap.take(sms("b", "10:00"))
    old = the_session(by_gap)
    telephone = {"coding": [{"system": codes.SNOMED, "code": "185317003"}]}
    change(
        by_gap,
        old,
        **REASON,
        account=[{"reference": "Account/7"}],
        serviceType={"text": "orthopaedics"},
        participant=[INTERPRETER],
        type=[old["type"][0], telephone],
        meta={"tag": [{"system": "https://example.org/tags", "code": "follow-up"}]},
    )
    change(by_gap, the_header(by_gap), note=[{"text": "call back"}])
    version = next(one for one in by_gap.all("Encounter"))["meta"]["versionId"]
    by_gap.take(sms("a", "08:00"))
    new = the_session(by_gap)
    assert new["id"] != old["id"]
    assert new["reasonCode"] == REASON["reasonCode"]
    assert new["account"] == [{"reference": "Account/7"}]
    assert new["serviceType"] == {"text": "orthopaedics"}
    assert new["participant"] == [INTERPRETER]
    assert new["type"] == [old["type"][0], telephone]
    assert new["meta"]["tag"] == [{"system": "https://example.org/tags", "code": "follow-up"}]
    assert the_header(by_gap)["note"] == [{"text": "call back"}]
    told = [
        one["entity"]
        for one in by_gap.all("Provenance")
        if one["target"] == [{"reference": f"Encounter/{new['id']}"}]
    ]
    source = {"reference": f"Encounter/{old['id']}/_history/{version}"}
    assert told == [[{"role": "source", "what": source}]]
    all_fine(by_gap)


def test_nothing_is_told_where_nothing_was_added(by_gap, sms):
    by_gap.take(sms("b", "10:00"))
    by_gap.take(sms("a", "08:00"))
    assert [one for one in by_gap.all("Provenance") if "entity" in one] == []


def test_two_sessions_that_become_one_give_both_of_theirs(by_gap, sms):
    by_gap.take(sms("a", "08:00"), sms("c", "18:00"))
    for encounter, text in zip(by_gap.all("Encounter"), ("knee", "hip"), strict=True):
        change(by_gap, encounter, reasonCode=[{"text": text}], priority={"text": text})
    by_gap.take(sms("b", "13:00"))
    assert the_session(by_gap)["reasonCode"] == [{"text": "knee"}, {"text": "hip"}]
    assert the_session(by_gap)["priority"] == {"text": "knee"}


def test_a_billed_session_does_not_move(by_gap, sms):
    by_gap.take(sms("b", "10:00"))
    change(by_gap, the_session(by_gap), meta={"tag": [codes.BILLED]})
    billed = the_session(by_gap)
    report = by_gap.take(sms("a", "08:00"))
    assert report.reasons == {"locked-session": 1}
    assert the_session(by_gap) == billed


def test_the_care_of_one_patient_stays_with_that_patient(by_gap, sms):
    by_gap.mother_of("Leo", "Mia", phone=MOTHER)
    by_gap.take(sms("b", "10:00", "Leo coughs", phone=MOTHER))
    change(by_gap, the_session(by_gap), **REASON)
    by_gap.take(sms("a", "08:00", "Mia sleeps", phone=MOTHER))
    reasons = {
        one["subject"]["reference"]: one.get("reasonCode") for one in by_gap.live("Encounter")
    }
    assert reasons.pop("Patient/leo") == REASON["reasonCode"]
    assert list(reasons.values()) == [None, None]
    all_fine(by_gap)

    leos = next(one for one in by_gap.live("Encounter") if "reasonCode" in one)
    change(by_gap, leos, diagnosis=[{"condition": {"reference": "Condition/1"}}])
    by_gap.take(sms("0", "07:00", "hello", phone=MOTHER))
    moved = next(one for one in by_gap.live("Encounter") if "diagnosis" in one)
    assert moved["id"] != leos["id"]
    assert (moved["subject"], moved["reasonCode"]) == (leos["subject"], REASON["reasonCode"])
    all_fine(by_gap)


def test_a_question_keeps_who_works_on_it(by_gap, sms):
    by_gap.mother_of("Leo", "Mia", phone=MOTHER)
    by_gap.take(sms("b", "10:00", "a cough", phone=MOTHER))
    (task,) = by_gap.all("Task")
    owner = {"reference": "Practitioner/alice"}
    change(by_gap, task, status="in-progress", owner=owner)
    by_gap.take(sms("a", "08:00", "hello", phone=MOTHER))
    (moved,) = [one for one in by_gap.all("Task") if one["status"] != "cancelled"]
    assert moved["id"] != task["id"]
    assert (moved["status"], moved["owner"]) == ("in-progress", owner)
    assert moved["focus"] == {"reference": f"Encounter/{the_session(by_gap)['id']}"}


def test_another_policy_takes_it_along_and_says_so(practice, sms):
    practice.take(sms("a", "08:00"), sms("b", "18:30"))
    change(practice, the_session(practice), **REASON)
    by_gap = replace(practice.settings, policy="inactivity-gap")
    practice.run(recut(Seat(practice.store, DEFAULT_PROJECT, by_gap, clock=lambda: practice.now)))
    first, second = sorted(practice.live("Encounter"), key=lambda one: one["period"]["start"])
    assert first["reasonCode"] == REASON["reasonCode"]
    assert "reasonCode" not in second
    whys = {one["reason"][0]["text"] for one in practice.all("Provenance") if "entity" not in one}
    assert whys == {"The session policy was changed. See the live resources of the same messages."}
    all_fine(practice)
