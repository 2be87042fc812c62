"""Every rule of the pattern finds what breaks it, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from threadwell.intake import sessions, verify
from threadwell.intake.reports.verify import kept
from threadwell.stores.contract import DEFAULT_PROJECT


@pytest.fixture(autouse=True, params=[kept.MOST, 0], ids=["in memory", "on disk"])
def _wherever_facts_are(request, monkeypatch):
    monkeypatch.setattr(kept, "MOST", request.param)


def reference(to: str) -> dict[str, str]:
    return {"reference": to}


def of_type(*codes: str) -> list[dict[str, Any]]:
    system = "https://medplum.com/fhir/CodeSystem/encounter-type"
    return [{"coding": [{"system": system, "code": code}]} for code in codes]


VIRTUAL = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
MOTHER, ALICE = "RelatedPerson/mother", "Practitioner/alice"

#: A session about two children, by hand as the guide tells, and nothing wrong with it.
GOOD: dict[str, dict[str, Any]] = {
    "Encounter/session": {
        "status": "in-progress",
        "class": VIRTUAL,
        "type": of_type("session"),
        "subject": reference("Group/children"),
        "participant": [{"individual": reference(who)} for who in (MOTHER, ALICE)],
        "period": {"start": "2024-04-10T08:00:00Z"},
    },
    **{
        f"Encounter/{child}": {
            "status": "in-progress",
            "class": VIRTUAL,
            "type": of_type("medical-encounter"),
            "subject": reference(f"Patient/{child}"),
            "partOf": reference("Encounter/session"),
        }
        for child in ("leo", "mia")
    },
    "Communication/header": {
        "status": "in-progress",
        "topic": {"text": "The children"},
        "encounter": reference("Encounter/session"),
        "sender": reference(MOTHER),
        "recipient": [reference(MOTHER), reference(ALICE)],
    },
    "Communication/child": {
        "status": "in-progress",
        "partOf": [reference("Communication/header")],
        "sender": reference(ALICE),
        "payload": [{"contentString": "How high is the fever?"}],
    },
    "Group/children": {
        "type": "person",
        "actual": True,
        "member": [{"entity": reference("Patient/leo")}, {"entity": reference("Patient/mia")}],
    },
}


def findings(practice, **changes: dict[str, Any]):
    """The rules that are broken once the named resources have other elements."""
    resources = {name: dict(elements) for name, elements in GOOD.items()}
    for name, elements in changes.items():
        key = name.replace("__", "/")
        resources.setdefault(key, {}).update(elements)
    for name, elements in resources.items():
        type_, _, id_ = name.partition("/")
        present = {element: value for element, value in elements.items() if value is not None}
        practice.put(type_, id_, **present)
    found = practice.run(verify(practice.store, DEFAULT_PROJECT))
    return [(one.severity, one.resource, one.rule) for one in found]


def test_the_guides_own_pattern_is_fine(practice):
    assert findings(practice) == []


ANOTHER = {"system": "https://threadwell.dev/fhir/identifier/session", "value": "same"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"Communication__header": {"payload": [{"contentString": "hello"}]}},
            ("error", "Communication/header", "header-payload"),
        ),
        (
            {
                "Communication__third": {
                    **GOOD["Communication/child"],
                    "partOf": [reference("Communication/child")],
                }
            },
            ("error", "Communication/third", "two-levels"),
        ),
        (
            {"Communication__child": {"partOf": [reference("Communication/gone")]}},
            ("error", "Communication/child", "two-levels"),
        ),
        (
            {"Communication__child": {"payload": None}},
            ("error", "Communication/child", "child-payload"),
        ),
        (
            {"Communication__child": {"encounter": reference("Encounter/session")}},
            ("error", "Communication/child", "encounter-on-header"),
        ),
        (
            {"Communication__header": {"inResponseTo": [reference("Communication/gone")]}},
            ("error", "Communication/header", "links"),
        ),
        (
            {
                "Communication__second": {
                    **GOOD["Communication/header"],
                    "encounter": reference("Encounter/leo"),
                }
            },
            ("error", "Communication/second", "links"),
        ),
        (
            {"Communication__header": {"recipient": [reference(ALICE)]}},
            ("error", "Communication/header", "recipients"),
        ),
        (
            {"Encounter__session": {"participant": [{"individual": reference(MOTHER)}]}},
            ("error", "Encounter/session", "participants"),
        ),
        (
            {"Encounter__leo": {"class": {**VIRTUAL, "code": "AMB"}}},
            ("error", "Encounter/leo", "class"),
        ),
        (
            {"Encounter__session": {"partOf": reference("Encounter/other")}},
            ("error", "Encounter/session", "session"),
        ),
        (
            {"Encounter__leo": {"subject": reference("Group/children")}},
            ("error", "Encounter/leo", "medical-encounter"),
        ),
        (
            {"Encounter__session": {"class": {**VIRTUAL, "code": "AMB"}}},
            ("warning", "Encounter/leo", "medical-encounter"),
        ),
        (
            {"Encounter__mia": {"status": "entered-in-error"}},
            ("error", "Encounter/session", "several-patients"),
        ),
        (
            {
                "Encounter__leo": {"identifier": [ANOTHER]},
                "Encounter__mia": {"identifier": [ANOTHER]},
            },
            ("error", "Encounter/mia", "identity"),
        ),
        (
            {
                "Encounter__planned": {
                    **GOOD["Encounter/session"],
                    "status": "planned",
                    "subject": reference("Patient/leo"),
                }
            },
            ("warning", "Encounter/planned", "session"),
        ),
    ],
)
def test_a_broken_rule_is_found(practice, changes, expected):
    assert expected in findings(practice, **changes)


def test_a_withdrawn_header_leaves_its_messages_without_one(practice):
    found = findings(practice, Communication__header={"status": "entered-in-error"})
    assert ("error", "Communication/child", "two-levels") in found


def test_a_retracted_message_needs_no_payload(practice):
    retracted = {"status": "entered-in-error", "payload": None}
    assert findings(practice, Communication__child=retracted) == []


def test_sessions_are_told_in_a_line_each(practice, sms):
    practice.take(sms("a", "08:00"), sms("b", "09:00", out=True))
    findings(practice)
    by_hand, imported = sorted(
        practice.run(sessions(practice.store, DEFAULT_PROJECT)), key=lambda one: one.messages
    )
    assert (imported.status, imported.names, imported.channels) == (
        "finished",
        ("Ana",),
        ("sms_backup",),
    )
    assert (imported.start, imported.end) == ("2024-04-10T08:00:00Z", "2024-04-10T09:00:00Z")
    assert (imported.messages, len(imported.headers)) == (2, 1)
    assert (by_hand.id, by_hand.patients, by_hand.messages, by_hand.end) == (
        "session",
        ("Patient/leo", "Patient/mia"),
        1,
        "",
    )


def test_family_takes_part_in_the_care_of_its_own_patient_only(practice):
    of_leo = {"patient": reference("Patient/leo")}
    assert findings(practice, RelatedPerson__mother=of_leo) == []
    in_mias = {"participant": [{"individual": reference(MOTHER)}]}
    assert findings(practice, RelatedPerson__mother=of_leo, Encounter__mia=in_mias) == [
        ("error", "Encounter/mia", "related-person")
    ]
    about_mia = {"subject": reference("Patient/mia")}
    opened = {"sender": reference(MOTHER)}
    found = findings(
        practice,
        RelatedPerson__mother=of_leo,
        Encounter__session=about_mia | {"participant": [{"individual": reference(ALICE)}]},
        Communication__header=opened,
    )
    assert found == [("error", "Encounter/session", "related-person")]


def test_messages_are_looked_at_some_at_a_time(practice, monkeypatch):
    by_mother = {**GOOD["Communication/child"], "sender": reference(MOTHER)}
    within = {"partOf": [reference("Communication/child")]}
    stranger = {**GOOD["Communication/child"], "sender": reference("Practitioner/noor")}
    changes = {
        "Communication__a": by_mother | within,
        "Communication__b": by_mother | {"partOf": [{"display": "named by nothing"}]},
        "Communication__c": by_mother | {"payload": None},
        "Communication__d": stranger,
        "Communication__e": stranger,
        "Communication__draft": by_mother | {"status": "preparation"},
        "Communication__f": by_mother | {"partOf": [reference("Communication/draft")]},
        "RelatedPerson__mother": {"patient": reference("Patient/leo")},
        "Encounter__session": {"subject": reference("Patient/mia")},
    }
    together = findings(practice, **changes)
    told = []
    for size in (1, 2, 3):
        monkeypatch.setattr("threadwell.intake.reports.verify.looking._AT_ONCE", size)
        found = practice.run(verify(practice.store, DEFAULT_PROJECT, told.append))
        assert [(one.severity, one.resource, one.rule) for one in found] == together
    assert [rule for _, name, rule in together if name == "Encounter/session"] == [
        "participants",
        "related-person",
    ]
    assert ("error", "Communication/a", "two-levels") in together
    assert ("error", "Communication/f", "two-levels") in together
    assert told[-1] == 8


def test_all_rules_walk_together(practice, sms, monkeypatch):
    for number in range(8):
        one = sms(f"m{number}", "08:00")
        practice.take(replace(one, sent=one.sent + timedelta(days=number)))
    walked, walk = [], kept.ByName.walk

    def counted(facts):
        for one in walk(facts):
            walked.append(one)
            yield one

    monkeypatch.setattr(kept.ByName, "walk", counted)
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    # Eight headers once, eight Encounters once, and once more where one is billed.
    assert 16 <= len(walked) <= 24
