"""Two records of one patient are merged: threads and sessions go to the one that stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent
from threadwell.fhir.json import decode
from threadwell.intake import (
    BadMerge,
    Intake,
    close_session,
    correct_attribution,
    merge_patients,
    open_session,
    quarantine,
    verify,
)
from threadwell.stores.contract import DEFAULT_PROJECT

OTHER = "+12125550112"
MOTHER = "+12125550122"
BY = Agent("Nils Berg", reference="Practitioner/nils")


def merged(practice, old, new):
    return practice.run(merge_patients(practice.seat(BY), old, new))


def cut(practice):
    """The live sessions, headers and messages, without what a server adds."""
    return {
        f"{one['resourceType']}/{one['id']}": {n: v for n, v in one.items() if n != "meta"}
        for type_ in ("Encounter", "Communication")
        for one in practice.live(type_)
    }


def check(practice):
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    for type_ in ("Encounter", "Communication", "Group"):
        for one in practice.all(type_):
            if one.get("status") != "entered-in-error" and one.get("active") is not False:
                assert "Patient/again" not in str(one)


@pytest.mark.parametrize("policy", ["per-day", "per-thread", "inactivity-gap"])
@pytest.mark.parametrize("scope", ["thread", "patient"])
def test_it_is_as_if_there_had_been_one_record(practice, sms, policy, scope):
    practice.settings = replace(practice.settings, policy=policy, scope=scope)
    practice.patient("again", OTHER, given="Ana")
    messages = [sms("a", "08:00"), sms("b", "08:30", phone=OTHER), sms("c", "09:00", phone=OTHER)]
    practice.take(*messages)
    assert merged(practice, "Patient/again", "ana").patient == "Patient/ana"
    check(practice)
    after = cut(practice)
    fresh = type(practice)()
    fresh.settings = practice.settings
    fresh.patient("ana", "+12125550111", OTHER, given="Ana")
    fresh.take(*messages)
    assert after == cut(fresh)
    # Taken in again, and merged again, nothing changes.
    assert practice.take(*messages).counts.known == 3
    merged(practice, "again", "ana")
    assert cut(practice) == after


def test_the_records_say_so(practice, sms):
    practice.patient("again", OTHER, given="Ana")
    practice.take(sms("b", "08:30", phone=OTHER))
    (session,) = practice.live("Encounter")
    merged(practice, "again", "ana")
    people = {one["id"]: one for one in practice.all("Patient")}
    other = {"reference": "Patient/ana"}
    assert people["again"]["active"] is False
    assert people["again"]["link"] == [{"other": other, "type": "replaced-by"}]
    assert people["ana"]["link"] == [{"other": {"reference": "Patient/again"}, "type": "replaces"}]
    assert OTHER in str(people["ana"]["telecom"])
    told = {one["reason"][0]["text"]: one for one in practice.all("Provenance")}
    whole = told["Two records of one patient were merged."]
    assert whole["target"] == [other, {"reference": "Patient/again"}]
    assert whole["agent"] == [{"who": {"reference": "Practitioner/nils", "display": "Nils Berg"}}]
    withdrawn = [
        one["target"][0]["reference"] for text, one in told.items() if "live resources" in text
    ]
    assert all("merged" in text for text in told)
    assert withdrawn
    assert practice.live("Encounter")[0]["id"] != session["id"]


def test_what_others_have_added_goes_on(practice, sms):
    practice.patient("again", OTHER, given="Ana")
    practice.take(sms("b", "08:30", phone=OTHER))
    (session,) = practice.live("Encounter")
    elements = {n: v for n, v in session.items() if n not in ("id", "meta", "resourceType")}
    practice.put("Encounter", session["id"], **elements, reasonCode=[{"text": "Cough"}])
    merged(practice, "again", "ana")
    (after,) = practice.live("Encounter")
    assert after["subject"] == {"reference": "Patient/ana"}
    assert after["reasonCode"] == [{"text": "Cough"}]
    check(practice)


def test_acts_go_with_the_sessions(practice, sms):
    practice.now = 1_712_739_600_000  # 10 April 2024, 09:00
    practice.patient("again", OTHER, given="Ana")
    practice.take(sms("b", "08:30", phone=OTHER))
    (session,) = practice.live("Encounter")
    practice.run(close_session(practice.seat(), f"Encounter/{session['id']}"))
    merged(practice, "again", "ana")
    (after,) = practice.live("Encounter")
    assert after["status"] == "finished"
    (act,) = (one for one in practice.all("Task") if "close-session" in str(one))
    assert "Patient/again" not in str(act)
    check(practice)


@pytest.mark.parametrize("policy", ["explicit", "inactivity-gap", "per-thread"])
@pytest.mark.parametrize("scope", ["thread", "patient"])
@pytest.mark.parametrize("whom", [("ben",), ("again",), ("ben", "again")])
@pytest.mark.parametrize("written", [0, 1, 2])
def test_what_was_opened_goes_with_its_act(practice, sms, policy, scope, whom, written):
    """It is named by the act: so it is the same session in the circle of those who stay."""
    practice.settings = replace(practice.settings, policy=policy, scope=scope)
    practice.now = 1_712_739_600_000  # 10 April 2024, 09:00
    practice.mother_of("Again", "Ben", phone=MOTHER)
    opened = practice.run(open_session(practice.seat(), [f"Patient/{one}" for one in whom]))
    practice.now += 3_600_000
    texts = ["hello", "Again coughs", "thanks"]
    those = [sms(text, "09:30", text, phone=MOTHER) for text in texts]
    practice.take(*those[:written])
    id_ = opened.session.removeprefix("Encounter/")
    before = next(one for one in practice.live("Encounter") if one["id"] == id_)
    elements = {n: v for n, v in before.items() if n not in ("id", "meta", "resourceType")}
    practice.put("Encounter", id_, **elements, reasonCode=[{"text": "Cough"}])
    merged(practice, "Patient/again", "ana")
    check(practice)
    after = next(one for one in practice.live("Encounter") if one["id"] == id_)
    assert after["reasonCode"] == [{"text": "Cough"}]
    # Life goes on: nobody waits for others who are not there.
    practice.take(*those[written:])
    check(practice)


def test_a_child_who_was_there_twice(practice, sms):
    """What was said of messages holds for the record that stays."""
    practice.mother_of("Leo", "Mia", "Again", phone=MOTHER)
    practice.take(sms("a", "08:00", "a fever", phone=MOTHER), sms("b", "08:10", phone=MOTHER))
    (session,) = practice.live("Encounter")
    subject = f"Encounter/{session['id']}"
    correcting = correct_attribution(practice.seat(), subject, ["Patient/again"])
    practice.run(correcting)
    merged(practice, "again", "leo")
    (after,) = practice.live("Encounter")
    assert after["subject"] == {"reference": "Patient/leo"}
    check(practice)
    practice.take(sms("c", "08:05", "still there?", phone=MOTHER))
    (after,) = practice.live("Encounter")
    assert after["subject"] == {"reference": "Patient/leo"}


def test_what_was_billed_stays_as_it_was_billed(practice, sms):
    practice.patient("again", OTHER, given="Ana")
    practice.take(sms("b", "08:30", phone=OTHER))
    (session,) = practice.live("Encounter")
    elements = {n: v for n, v in session.items() if n not in ("id", "meta", "resourceType")}
    practice.put("Encounter", session["id"], **elements, meta={"tag": [codes.BILLED]})
    before = practice.live("Encounter")
    merged(practice, "again", "ana")
    assert practice.live("Encounter") == before
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []


def test_a_phone_that_both_had_is_shared_no_longer(practice, sms):
    practice.patient("again", "+12125550111", given="Ana")
    practice.take(sms("a", "08:00"))
    assert len(practice.run(quarantine(practice.store, DEFAULT_PROJECT))) == 1
    assert merged(practice, "again", "ana").report.replayed == 1
    assert practice.run(quarantine(practice.store, DEFAULT_PROJECT)) == []
    check(practice)


@pytest.mark.parametrize("live", [False, True])
def test_whoever_writes_the_link_has_merged_them(practice, sms, live):
    """By FHIR alone: the next import, or the live intake, does the rest."""
    practice.patient("again", OTHER, given="Ana")
    first, second = sms("b", "08:30", phone=OTHER), sms("c", "08:40", phone=OTHER)
    link = [{"other": {"reference": "Patient/ana"}, "type": "replaced-by"}]
    gone = {"active": False, "link": link, "telecom": [{"value": OTHER}]}

    async def arrive():
        async def settings():
            return practice.settings

        intake = Intake(practice.store, DEFAULT_PROJECT, settings, clock=lambda: practice.now)
        await intake.take([first])
        await asyncio.to_thread(practice.put, "Patient", "again", **gone)
        await intake.take([second])

    if live:
        practice.run(arrive())
    else:
        practice.take(first)
        practice.put("Patient", "again", **gone)
        practice.take(second)
    (session,) = practice.live("Encounter")
    assert session["subject"] == {"reference": "Patient/ana"}
    check(practice)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("ana", "ana", "themselves"),
        ("ana", "nobody", "no Patient/nobody"),
        ("nobody", "ana", "no Patient/nobody"),
        ("ana", "gone", "not active"),
        ("gone", "ana", "was merged into Patient/other"),
    ],
)
def test_what_cannot_be_merged(practice, old, new, says):
    practice.patient("other")
    link = [{"other": {"reference": "Patient/other"}, "type": "replaced-by"}]
    practice.put("Patient", "gone", active=False, link=link)
    with pytest.raises(BadMerge, match=says):
        merged(practice, old, new)


def test_two_who_replace_each_other_are_left_alone(practice, sms):
    practice.patient("again", OTHER, given="Ana")
    practice.take(sms("b", "08:30", phone=OTHER))
    for one, other in (("ana", "again"), ("again", "ana")):
        link = [{"other": {"reference": f"Patient/{other}"}, "type": "replaced-by"}]
        practice.put("Patient", one, active=False, link=link)
    practice.take()
    (session,) = practice.live("Encounter")
    assert session["subject"] == {"reference": "Patient/again"}
    assert decode(practice.run(practice.store.read(DEFAULT_PROJECT, "Patient", "ana")).body)["link"]


@pytest.mark.parametrize("phone", [MOTHER, OTHER], ids=["siblings", "strangers"])
def test_a_circle_too_large_to_be_named(practice, sms, phone):
    """Its key is a digest, and who was in it follows from whom its addresses belong to now."""
    children = [f"Kid{number}" for number in range(10)]
    messages = [
        sms("a", "08:00", phone=MOTHER),
        sms("b", "08:10", "Kid3 has a fever", phone=MOTHER),
    ]

    def made(*more):
        one = type(practice)()
        one.mother_of(*children, *(more if phone == MOTHER else ()), phone=MOTHER)
        if more and phone == OTHER:
            one.patient("kid3again", OTHER, given="Kid3")
        one.take(*messages)
        return one

    for old, new in (("kid3again", "kid3"), ("kid0", "kid3")):
        twice = made("Kid3again")
        merged(twice, old, new)
        assert twice.run(verify(twice.store, DEFAULT_PROJECT)) == []
        assert f"Patient/{old}" not in str(cut(twice))
        if old == "kid3again":
            assert cut(twice) == cut(made())


NAME = {"use": "official", "given": ["Ana"], "family": "Prado"}
MRN = "urn:oid:1.2.36.146.595.217.0.1"


@pytest.mark.parametrize(
    ("stays", "gone", "after"),
    [
        # Another spelling counts as a name behind the one in use; its own use says nothing now.
        (
            {"name": [NAME]},
            {"name": [{**NAME, "given": ["Anna"]}, {"use": "maiden", "family": "Ruiz"}]},
            {
                "name": [
                    NAME,
                    {"given": ["Anna"], "family": "Prado"},
                    {"use": "maiden", "family": "Ruiz"},
                ]
            },
        ),
        ({"name": [NAME]}, {"name": [{**NAME, "use": "usual"}]}, {"name": [NAME]}),
        ({}, {"name": [NAME]}, {"name": [NAME]}),
        (
            {"identifier": [{"use": "official", "system": MRN, "value": "12"}]},
            {
                "identifier": [
                    {"use": "official", "system": MRN, "value": "7"},
                    {"system": MRN, "value": "12"},
                    {"system": f"{codes.PERSON}people", "value": "again"},
                ]
            },
            {
                "identifier": [
                    {"use": "official", "system": MRN, "value": "12"},
                    {"use": "old", "system": MRN, "value": "7"},
                ]
            },
        ),
        (
            {"telecom": [{"system": "phone", "value": "+12125550111", "use": "mobile"}]},
            {
                "telecom": [
                    {"system": "phone", "value": "(212) 555-0111"},
                    {"system": "email", "value": "ana@example.org", "use": "home"},
                ]
            },
            {
                "telecom": [
                    {"system": "phone", "value": "+12125550111", "use": "mobile"},
                    {"system": "email", "value": "ana@example.org", "use": "home"},
                ]
            },
        ),
        (
            {"birthDate": "1980-04-02", "address": [{"city": "Bath"}]},
            {"birthDate": "1980-02-04", "gender": "female", "address": [{"city": "York"}]},
            {
                "birthDate": "1980-04-02",
                "gender": "female",
                "address": [{"city": "Bath"}, {"city": "York"}],
            },
        ),
    ],
)
def test_nothing_that_is_known_of_them_is_lost(practice, stays, gone, after):
    practice.put("Patient", "ana", **stays)
    practice.put("Patient", "again", **gone)
    for _ in range(2):
        merged(practice, "again", "ana")
        people = {one["id"]: one for one in practice.all("Patient")}
        here = {name: one for name, one in people["ana"].items() if name in {**stays, **gone}}
        assert here == after
        # What the other record told can still be read there.
        assert gone.items() <= people["again"].items()


def test_a_relative_of_both_has_all_their_addresses(practice, sms):
    practice.patient("again", OTHER, given="Ana")
    phone, work = ({"system": "phone", "value": one} for one in (MOTHER, "+12125550123"))
    for id_, patient, telecom in (("one", "ana", [phone]), ("two", "again", [phone, work])):
        relative = {"patient": {"reference": f"Patient/{patient}"}, "telecom": telecom}
        practice.put("RelatedPerson", id_, **relative, name=[{"given": ["Eva"]}])
    merged(practice, "again", "ana")
    family = {one["id"]: one for one in practice.all("RelatedPerson")}
    assert family["two"]["active"] is False
    assert family["one"]["telecom"] == [phone, work]
    practice.take(sms("a", "08:00", phone="+12125550123"))
    (message,) = (one for one in practice.live("Communication") if "partOf" in one)
    assert message["sender"]["reference"] == "RelatedPerson/one"
