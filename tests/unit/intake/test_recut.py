"""Another policy for a store that has sessions already."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from threadwell.cli.output import plural
from threadwell.cli.report import made
from threadwell.intake import parse_options, recut, verify
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore


def again(practice, **options):
    return practice.run(
        recut(
            Seat(
                practice.store,
                DEFAULT_PROJECT,
                replace(practice.settings, **options),
                clock=lambda: practice.now,
            )
        )
    )


def cut(practice):
    """The live sessions with their threads, and where each message is."""
    encounters = {one["id"]: (one["status"], one["period"]) for one in practice.live("Encounter")}
    messages = {
        one["id"]: one["partOf"] for one in practice.live("Communication") if "partOf" in one
    }
    headers = {
        one["id"]: one.get("encounter")
        for one in practice.live("Communication")
        if "partOf" not in one
    }
    return encounters, messages, headers


@pytest.mark.parametrize(
    "options",
    [
        {"policy": "per-day"},
        {"policy": "per-thread"},
        {"policy": "inactivity-gap"},
        {"policy": "per-day", "scope": "patient"},
        {"policy": "per-day", "options": parse_options(zone="Asia/Tokyo")},
        {"policy": "explicit", "opening": ("open",)},
    ],
)
def test_everything_is_as_if_it_had_been_so_from_the_beginning(practice, sms, options):
    practice.patient("ben", "+12125550122", given="Ben")
    messages = [
        sms("a", "08:00", "open"),
        sms("b", "18:30"),
        sms("c", "19:00", phone="+12125550122"),
    ]
    practice.settings = replace(practice.settings, policy="inactivity-gap")
    practice.take(*messages)
    again(practice, **options)
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    changed = cut(practice)

    people = practice.all("Patient")
    practice.store = MemoryStore()
    for one in people:
        practice.put("Patient", one["id"], telecom=one["telecom"], name=one["name"])
    practice.settings = replace(practice.settings, **options)
    practice.take(*messages)
    assert changed == cut(practice)


def test_doing_it_again_changes_nothing(practice, sms):
    practice.take(sms("a", "08:00"), sms("b", "18:30"))
    first = again(practice, policy="inactivity-gap")
    assert (first.sessions, first.superseded) == (2, 2)
    second = again(practice, policy="inactivity-gap")
    assert (second.sessions, second.back, second.superseded) == (0, 0, 0)


def test_sessions_that_come_back_are_counted(practice, sms):
    """They are no new ones, and neither are those that were there all the time."""
    practice.take(sms("a", "08:00"), sms("b", "18:30"), sms("c", "18:30", phone="+12125550199"))
    before = cut(practice)
    assert again(practice, policy="inactivity-gap", options=parse_options(gap="5h")).back == 0
    report = again(practice, policy="per-day", options=parse_options())
    live = {one["id"] for one in practice.live("Encounter")}
    assert (report.sessions, report.back) == (0, len(live))
    assert cut(practice) == before
    assert again(practice, policy="per-day", options=parse_options()).back == 0
    assert made(report) == (
        f"0 new sessions, {plural(report.back, 'session')} back that had been superseded, "
        f"{plural(report.superseded, 'resource')} superseded"
    )


def test_what_was_billed_stays(practice, sms):
    practice.take(sms("a", "08:00"), sms("b", "18:30"))
    (session,) = practice.all("Encounter")
    elements = {name: session[name] for name in session.keys() - {"id", "meta", "resourceType"}}
    tag = {"system": "https://threadwell.dev/fhir/CodeSystem/lock", "code": "billed"}
    practice.put("Encounter", session["id"], **elements, meta={"tag": [tag]})
    again(practice, policy="inactivity-gap")
    assert [one["id"] for one in practice.live("Encounter")] == [session["id"]]


def test_what_was_billed_keeps_no_other_session(practice, sms):
    practice.take(sms("a", "08:00"), sms("b", "18:30"))
    (session,) = practice.all("Encounter")
    practice.take(replace(sms("c", "08:00"), sent=datetime(2024, 4, 12, 8, tzinfo=UTC)))
    billed = next(one for one in practice.all("Encounter") if one["id"] != session["id"])
    elements = {name: billed[name] for name in billed.keys() - {"id", "meta", "resourceType"}}
    tag = {"system": "https://threadwell.dev/fhir/CodeSystem/lock", "code": "billed"}
    practice.put("Encounter", billed["id"], **elements, meta={"tag": [tag]})
    again(practice, policy="inactivity-gap")
    live = {one["id"] for one in practice.live("Encounter")}
    assert billed["id"] in live
    assert session["id"] not in live
    assert len(live) == 3
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []


def test_what_was_billed_is_not_overwritten_by_a_day_of_the_same_name(practice, sms):
    """In another zone the rest of the messages make another session of that day."""
    practice.take(sms("a", "00:30"), sms("b", "08:00"), sms("c", "21:00"))
    tokyo = parse_options(zone="Asia/Tokyo")
    again(practice, options=tokyo)
    billed = min(practice.live("Encounter"), key=lambda one: one["period"]["start"])
    elements = {name: billed[name] for name in billed.keys() - {"id", "meta", "resourceType"}}
    tag = {"system": "https://threadwell.dev/fhir/CodeSystem/lock", "code": "billed"}
    practice.put("Encounter", billed["id"], **elements, meta={"tag": [tag]})
    before = {one["id"]: one for one in practice.live("Encounter")}
    again(practice, options=parse_options(zone="UTC"))
    after = {one["id"]: one for one in practice.live("Encounter")}
    assert after[billed["id"]] == before[billed["id"]]
    (rest,) = after.keys() - {billed["id"]}
    assert after[rest]["identifier"][0]["value"].startswith(billed["identifier"][0]["value"])
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    again(practice, options=parse_options(zone="UTC"))
    assert {one["id"]: one for one in practice.live("Encounter")} == after


def test_it_works_on_no_more_than_about_a_batch_at_a_time_and_tells_how_far_it_is(practice, sms):
    phones = [f"+121255501{number}" for number in range(20, 60)]
    for number, phone in enumerate(phones):
        practice.patient(f"p{number}", phone)
    practice.take(
        *(
            sms(f"{phone}-{number}", f"0{number + 1}:00", phone=phone)
            for phone in phones
            for number in range(8)
        )
    )
    told: list[int] = []
    how = replace(practice.settings, policy="per-thread", batch=16)
    before = len(practice.store._projects[DEFAULT_PROJECT].log)
    sizes: list[int] = []
    commit = practice.store.commit

    async def counted(project, change_set):
        keys = [one.resource.get("partOf") for one in change_set.writes if one.resource]
        sizes.append(sum(bool(one) for one in keys))
        await commit(project, change_set)

    practice.store.commit = counted
    practice.run(
        recut(
            Seat(practice.store, DEFAULT_PROJECT, how, clock=lambda: practice.now),
            progress=lambda counts: told.append(counts.circles),
        )
    )
    assert len(practice.store._projects[DEFAULT_PROJECT].log) > before
    assert sum(sizes) == 320
    # The first circles are taken before it is clear how large they are.
    assert max(sizes[1:]) <= 2 * 16 < max(sizes) <= 80
    assert told == sorted(told)
    assert len(phones) - 4 <= max(told) <= len(phones)
