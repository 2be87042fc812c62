"""Sessions made by hand, as the guide tells: everywhere the same, and called by what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from threadwell.intake import Wanted, count_sessions, sessions, verify
from threadwell.stores.contract import DEFAULT_PROJECT

VIRTUAL = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
MEDICAL = [
    {
        "coding": [
            {
                "system": "https://medplum.com/fhir/CodeSystem/encounter-type",
                "code": "medical-encounter",
            }
        ]
    }
]


def ref(to: str) -> dict[str, str]:
    return {"reference": to}


def patient(id_: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id_, "name": [{"given": [id_.capitalize()]}]}


def encounter(id_: str = "hand", **more: Any) -> dict[str, Any]:
    made = {"resourceType": "Encounter", "id": id_, "status": "in-progress", "class": VIRTUAL}
    return {**made, **more}


def header(id_: str = "header", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "id": id_,
        "status": "in-progress",
        "topic": {"text": "Blood pressure"},
        "encounter": ref("Encounter/hand"),
        **more,
    }


def child(sent: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "id": "m" + sent[8:10],
        "status": "completed",
        "partOf": [ref("Communication/header")],
        "sent": sent,
        "payload": [{"contentString": "120 over 80"}],
        **more,
    }


BART = encounter("of-bart", partOf=ref("Encounter/hand"), type=MEDICAL, subject=ref("Patient/bart"))
LISA = encounter("of-lisa", partOf=ref("Encounter/hand"), type=MEDICAL, subject=ref("Patient/lisa"))


@pytest.mark.parametrize(
    ("made", "name", "names"),
    [
        ([encounter(subject=ref("Patient/homer")), header(), BART], "Homer", ("Homer",)),
        ([encounter(), header(), BART], "Bart", ("Bart",)),
        ([encounter(), header(), BART, LISA], "Bart &amp; Lisa", ("Bart", "Lisa")),
        ([encounter(), header(subject=ref("Patient/homer"))], "Homer", ("Homer",)),
        (
            [
                encounter(),
                header(recipient=[ref("Practitioner/a"), ref("Patient/homer")]),
            ],
            "Homer",
            ("Homer",),
        ),
        ([encounter(), header()], "Blood pressure", ()),
        ([encounter(), header(topic={})], "No patient named", ()),
        ([encounter(subject=ref("Patient/gone")), header()], "Patient/gone", ("Patient/gone",)),
    ],
)
def test_it_is_the_same_session_everywhere(
    store: Any, put: Any, run: Any, browser: Any, made: Any, name: str, names: tuple[str, ...]
) -> None:
    put(*(patient(one) for one in ("homer", "bart", "lisa")), *made)
    (listed,) = run(sessions(store, DEFAULT_PROJECT))
    assert (listed.id, listed.names, listed.channels) == ("hand", names, ())
    assert run(count_sessions(store, DEFAULT_PROJECT)) == 1
    assert run(verify(store, DEFAULT_PROJECT)) == []
    page = browser.get("/").text
    assert "1 session<" in page
    assert f'<span class="who"><bdi>{name}</bdi></span>' in page
    session = browser.get("/sessions/hand").text
    assert f"<h1><bdi>{name}</bdi></h1>" in session
    for text in (page, session):
        assert "Patient unclear" not in text
        assert "Chat" not in text


@pytest.mark.parametrize(
    "other",
    [
        encounter("office", **{"class": {**VIRTUAL, "code": "AMB"}}),
        encounter("part", partOf=ref("Encounter/hand")),
        encounter("medical", type=MEDICAL),
        encounter("other-system", **{"class": {"system": "urn:x", "code": "VR"}}),
    ],
)
def test_other_encounters_are_none(
    store: Any, put: Any, run: Any, browser: Any, other: dict[str, Any]
) -> None:
    put(encounter(), header(), other)
    assert [one.id for one in run(sessions(store, DEFAULT_PROJECT))] == ["hand"]
    assert run(count_sessions(store, DEFAULT_PROJECT)) == 1
    page = browser.get("/").text
    assert "1 session<" in page
    assert f'href="/sessions/{other["id"]}"' not in page


def test_one_that_no_thread_links_to_is_listed_and_told_of(store: Any, put: Any, run: Any) -> None:
    put(encounter())
    assert [one.id for one in run(sessions(store, DEFAULT_PROJECT))] == ["hand"]
    (finding,) = run(verify(store, DEFAULT_PROJECT))
    assert (finding.severity, finding.text) == ("warning", "no thread header links to it")


def test_the_times_are_those_of_its_messages_where_it_has_no_period(
    store: Any, put: Any, run: Any
) -> None:
    put(
        encounter(),
        header(),
        child("2024-03-12T10:00:00Z"),
        child("2024-03-11T23:30:00-05:00"),
        child("2024-03-01T09:00:00Z", status="entered-in-error"),
    )
    (listed,) = run(sessions(store, DEFAULT_PROJECT))
    assert (listed.start, listed.end) == ("2024-03-11T23:30:00-05:00", "2024-03-12T10:00:00Z")
    assert listed.messages == 2


def test_the_way_of_its_messages_is_told_by_their_medium(
    store: Any, put: Any, run: Any, browser: Any
) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
    medium = [{"coding": [{"system": system, "code": "SMSWRIT"}]}]
    put(encounter(), header(medium=medium))
    assert run(sessions(store, DEFAULT_PROJECT))[0].channels == ("sms",)
    assert "Text message</span>" in browser.get("/").text


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["late", "family", "own"]),
        ({"status": "open"}, ["late", "family"]),
        ({"status": "finished"}, ["own"]),
        ({"status": "superseded"}, ["old"]),
        ({"patient": "tomas"}, ["late", "family", "own"]),
        ({"patient": "Patient/lena"}, ["family"]),
        ({"patient": "nobody"}, []),
        ({"channel": "email"}, ["family"]),
        ({"channel": "sms_backup"}, ["late"]),
        ({"channel": "whatsapp"}, []),
        ({"to_review": True}, ["late"]),
        ({"to_review": True, "patient": "lena"}, []),
        ({"since": "2024-03-12"}, ["late", "family"]),
        ({"until": "2024-03-12"}, ["family", "own"]),
        ({"since": "2024-03-12", "until": "2024-03-12"}, ["family"]),
        ({"since": "2024-03-13"}, ["late"]),
        ({"since": "2024-02-01", "until": "2024-02-28"}, []),
    ],
)
def test_the_list_is_narrowed(
    practice: Any,
    put: Any,
    run: Any,
    make_session: Callable[..., Any],
    wanted: dict[str, Any],
    found: list[str],
) -> None:
    """``late`` began at 02:00 UTC of 14 March, which is still the 13th in New York."""
    from datetime import date
    from zoneinfo import ZoneInfo

    put(
        make_session("late", "Patient/tomas", "2024-03-14T02:00:00Z"),
        {
            "resourceType": "Communication",
            "id": "late-header",
            "identifier": [
                {"system": "https://threadwell.dev/fhir/identifier/thread/sms_backup", "value": "1"}
            ],
            "status": "in-progress",
            "encounter": ref("Encounter/late"),
        },
        {
            "resourceType": "Task",
            "id": "question",
            "status": "requested",
            "intent": "order",
            "code": {
                "coding": [
                    {"system": "https://threadwell.dev/fhir/CodeSystem/task", "code": "review"}
                ]
            },
            "focus": ref("Encounter/late"),
        },
    )
    days = {k: date.fromisoformat(v) if k in ("since", "until") else v for k, v in wanted.items()}
    asked = sessions(practice, DEFAULT_PROJECT, Wanted(**days), zone=ZoneInfo("America/New_York"))
    assert [one.id for one in run(asked)] == found


def test_as_many_as_are_wanted(practice: Any, run: Any) -> None:
    for limit, ids in ((None, ["family", "own"]), (1, ["family"]), (0, []), (5, ["family", "own"])):
        found = run(sessions(practice, DEFAULT_PROJECT, limit=limit))
        assert [one.id for one in found] == ids
