"""A rolling thread forward and back, and from a superseded session to what took its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from threadwell.intake import recut
from threadwell.intake.reports.sessions import looked_at
from threadwell.intake.reports.threads import neighbours, successor, superseded_because
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT


@pytest.fixture
def by_gap(practice):
    practice.settings = replace(practice.settings, policy="inactivity-gap")
    return practice


def _headers(practice):
    found = [one for one in practice.live("Communication") if "partOf" not in one]
    return sorted(found, key=lambda one: one["sent"])


def _around(practice, header):
    return practice.run(neighbours(practice.store, DEFAULT_PROJECT, header))


def _successor(practice, encounter):
    ((_, headers, _),) = practice.run(looked_at(practice.store, DEFAULT_PROJECT, [encounter]))
    return practice.run(successor(practice.store, DEFAULT_PROJECT, headers))


def test_a_rolling_thread_is_walked_both_ways(by_gap, sms):
    by_gap.patient("ben", "+12125550122", given="Ben")
    by_gap.take(
        sms("a", "01:00"),
        sms("x", "02:00", phone="+12125550122"),
        sms("b", "09:00"),
        sms("y", "10:00", phone="+12125550122"),
        sms("c", "17:00"),
    )
    own = [one for one in _headers(by_gap) if one["subject"]["reference"] == "Patient/ana"]
    sessions = [one["encounter"]["reference"].removeprefix("Encounter/") for one in own]
    assert [_around(by_gap, one) for one in own] == [
        ("", sessions[1]),
        (sessions[0], sessions[2]),
        (sessions[1], ""),
    ]


def test_threads_made_by_hand_are_walked_too(practice):
    for number in (1, 2, 3):
        follows = [{"reference": f"Communication/h{number - 1}"}] if number > 1 else []
        practice.put(
            "Communication",
            f"h{number}",
            status="in-progress",
            sent=f"2024-04-1{number}T08:00:00Z",
            recipient=[{"reference": "Patient/ana"}],
            encounter={"reference": f"Encounter/e{number}"},
            **({"inResponseTo": follows} if follows else {}),
        )
    around = [_around(practice, one) for one in _headers(practice)]
    assert around == [("", "e2"), ("e1", "e3"), ("e2", "")]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"inResponseTo": [{"reference": "Communication/gone"}]},
        {"inResponseTo": [{"display": "by phone"}], "sent": "soon"},
    ],
)
def test_a_thread_that_leads_nowhere_ends(practice, odd):
    practice.put("Communication", "h", status="in-progress", **odd)
    (header,) = practice.all("Communication")
    assert _around(practice, header) == ("", "")


def test_a_superseded_session_leads_to_where_its_messages_are(by_gap, sms):
    by_gap.take(sms("a", "08:00"), sms("c", "18:00"))
    first, second = by_gap.all("Encounter")
    by_gap.take(sms("b", "13:00"))
    old = next(one for one in by_gap.all("Encounter") if one["id"] == second["id"])
    assert _successor(by_gap, old) == first["id"]
    because = by_gap.run(superseded_because(by_gap.store, DEFAULT_PROJECT, old["id"]))
    assert because.startswith("Messages that arrived later")


def test_also_after_a_new_cut(practice, sms):
    practice.take(sms("a", "08:00"), sms("b", "23:30"))
    (old,) = practice.all("Encounter")
    anew = replace(practice.settings, policy="inactivity-gap")
    practice.run(recut(Seat(practice.store, DEFAULT_PROJECT, anew, clock=lambda: practice.now)))
    old = next(one for one in practice.all("Encounter") if one["id"] == old["id"])
    assert old["status"] == "entered-in-error"
    heir = min(practice.live("Encounter"), key=lambda one: one["period"]["start"])
    assert _successor(practice, old) == heir["id"]


def test_one_that_a_person_withdrew_has_none(practice):
    practice.put("Encounter", "e", status="entered-in-error", **{"class": {"code": "VR"}})
    (old,) = practice.all("Encounter")
    assert _successor(practice, old) == ""
    assert practice.run(superseded_because(practice.store, DEFAULT_PROJECT, "e")) == ""
