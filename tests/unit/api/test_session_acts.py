"""``$open-session``, ``$close`` and ``$reopen``: a client acts on sessions, whatever the policy."""

from __future__ import annotations

import pytest

from tests.unit.api.acting import OFFICE, Clinic, bill, said
from threadwell.app import channel_labels
from threadwell.encounters import codes
from threadwell.intake import Settings, parse_options, recut
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT

POLICIES = ("explicit", "inactivity-gap", "per-day", "per-thread")


@pytest.mark.parametrize("scope", ["thread", "patient"])
@pytest.mark.parametrize("policy", POLICIES)
def test_the_first_message_joins_the_session_that_was_opened(api, policy, scope) -> None:
    clinic = Clinic(api, policy, scope)
    clinic.now("09:00")
    session, status, act = clinic.open(clinic.ana)
    assert status == "arrived"
    body = clinic.read(session)
    assert body["subject"] == {"reference": clinic.ana}
    assert body["period"] == {"start": "2024-03-18T09:00:00Z"}
    assert clinic.open(clinic.ana) == (session, "arrived", "")
    clinic.check()
    clinic.now("09:20")
    clinic.take(said("1", "09:10"))
    assert clinic.sessions() == [session]
    assert clinic.texts(session) == ["hello"]
    assert clinic.history(session) == [("arrived", "09:00", "09:10"), ("in-progress", "", "")]
    assert clinic.read(session)["period"] == {"start": "2024-03-18T09:10:00Z"}
    assert clinic.open(clinic.ana) == (session, "in-progress", "")
    task = clinic.read(act)
    client = {"system": codes.CLIENT, "value": clinic.api.client.client_id}
    assert task["requester"] == {"identifier": client, "display": "tests"}
    assert (task["focus"], task["for"]) == ({"reference": session}, {"reference": clinic.ana})
    clinic.check()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_session_in_which_nobody_writes_is_cancelled(api, policy) -> None:
    clinic = Clinic(api, policy)
    clinic.now("09:00")
    closed, _, _ = clinic.open(clinic.ana)
    clinic.now("09:30")
    assert clinic.close(closed)[1] == "cancelled"
    assert clinic.history(closed) == [("arrived", "09:00", "09:30"), ("cancelled", "", "")]
    clinic.check()
    left, status, _ = clinic.open(clinic.leo)
    assert status == "arrived"
    api.clock.now += 40 * 86_400_000
    clinic.take()
    assert clinic.read(left)["status"] == "cancelled"
    assert clinic.read(closed)["status"] == "cancelled"
    clinic.check()


#: What is written after a session was closed: by policy, the sessions with their texts.
LATER = {
    "explicit": [("finished", ["first"])],
    "inactivity-gap": [("finished", ["first"]), ("in-progress", ["later"])],
    "per-day": [("in-progress", ["first", "later"])],
    "per-thread": [("in-progress", ["first", "later"])],
}


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_written_after_a_session_was_closed(api, policy) -> None:
    clinic = Clinic(api, policy)
    clinic.now("08:59")
    if policy == "explicit":
        clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "first"))
    (session,) = clinic.sessions()
    assert clinic.close(session)[1] == "finished"
    assert clinic.history(session)[-2] == ("in-progress", "09:00", "09:30")
    assert clinic.read(session)["period"]["end"] == "2024-03-18T09:00:00Z"
    (header,) = clinic.found(f"Communication?encounter={session}")
    assert clinic.read(header)["status"] == "completed"
    assert clinic.close(session) == (session, "finished", "")
    clinic.now("10:30")
    clinic.take(said("2", "10:00", "later"))
    found = [(clinic.read(one)["status"], clinic.texts(one)) for one in clinic.sessions()]
    assert found == LATER[policy]
    if policy in ("per-day", "per-thread"):
        turns = [("in-progress", "09:00", "09:30"), ("finished", "09:30", "10:00")]
        assert clinic.history(session) == [*turns, ("in-progress", "", "")]
    clinic.check()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_session_is_opened_again_until_it_is_closed_or_silent(api, policy) -> None:
    clinic = Clinic(api, policy)
    clinic.now("08:59")
    if policy == "explicit":
        clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "first"))
    (session,) = clinic.sessions()
    clinic.close(session)
    clinic.now("10:00")
    assert clinic.reopen(session)[:2] == (session, "in-progress")
    assert clinic.reopen(session) == (session, "in-progress", "")
    turns = [("in-progress", "09:00", "09:30"), ("finished", "09:30", "10:00")]
    assert clinic.history(session)[-3:] == [*turns, ("in-progress", "", "")]
    assert "end" not in clinic.read(session)["period"]
    clinic.now("10:30")
    clinic.take(said("2", "10:20", "more"))
    assert clinic.texts(session) == ["first", "more"]
    clinic.check()
    clinic.now("10:40")
    clinic.close(session)
    assert clinic.history(session)[-2:] == [("in-progress", "10:00", "10:40"), ("finished", "", "")]
    clinic.now("10:50")
    clinic.reopen(session)
    api.clock.now += 40 * 86_400_000
    clinic.take()
    assert clinic.read(session)["status"] == "finished"
    clinic.check()


def test_an_explicit_session_that_is_opened_again_takes_in_what_came_since(api) -> None:
    clinic = Clinic(api, "explicit")
    clinic.now("09:00")
    session, _, _ = clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("1", "09:10", "first"))
    clinic.close(session)
    clinic.now("10:00")
    clinic.take(said("2", "09:45", "one more thing"))
    assert clinic.texts(session) == ["first"]
    clinic.reopen(session)
    assert clinic.texts(session) == ["first", "one more thing"]
    clinic.check()


def test_a_day_that_is_over_can_be_opened_again(api) -> None:
    clinic = Clinic(api, "per-day")
    clinic.now("19 09:00")
    clinic.take(said("1", "10:00", "yesterday"), said("2", "19 08:00", "today"))
    yesterday, today = clinic.sessions()
    assert clinic.reopen(yesterday)[1] == "in-progress"
    clinic.now("19 09:30")
    clinic.take(said("3", "19 09:20", "still today"))
    assert clinic.texts(yesterday) == ["yesterday"]
    assert clinic.texts(today) == ["today", "still today"]
    clinic.check()


@pytest.mark.parametrize("policy", POLICIES)
def test_what_was_billed_stays_closed(api, policy) -> None:
    clinic = Clinic(api, policy)
    clinic.now("08:59")
    clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "first"))
    (session,) = clinic.sessions()
    clinic.close(session)
    bill(clinic, session)
    before = clinic.read(session)
    for act in ("$reopen", "$close"):
        refused = clinic.post(f"{session}/{act}")
        assert refused.status_code == 422
        assert "billed" in clinic.api.texts(refused)[0]
    # Another act on the same patient's sessions leaves it alone.
    clinic.now("10:00")
    other, status, _ = clinic.open(clinic.ana)
    assert (other != session, status) == (True, "arrived")
    clinic.take(said("late", "09:15", "late"))
    assert clinic.read(session) == before
    held = clinic.found("Task?code=quarantine&status=requested")
    assert len(held) == 1
    clinic.check()


@pytest.mark.parametrize("after", POLICIES)
@pytest.mark.parametrize("before", POLICIES)
def test_acts_outlive_another_policy(api, before, after) -> None:
    """What was done is done in the sessions that the messages have now."""
    clinic = Clinic(api, before)
    clinic.now("08:59")
    clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("1", "09:00", "first"))
    (session,) = clinic.sessions()
    clinic.close(session)
    clinic.settings = Settings(
        policy=after, owner=(OFFICE,), options=parse_options(gap="24h"), labels=channel_labels()
    )
    clinic.choose()
    api.run(recut(Seat(api.store, DEFAULT_PROJECT, clinic.settings, clock=api.clock)))
    (again,) = clinic.sessions()
    assert (again == session) == (before == after)
    assert clinic.history(again) == [
        ("arrived", "08:59", "09:00"),
        ("in-progress", "09:00", "09:30"),
        ("finished", "", ""),
    ]
    assert clinic.texts(again) == ["first"]
    clinic.check()


def test_a_late_message_that_comes_before_the_opening_began_the_session(api) -> None:
    clinic = Clinic(api, "inactivity-gap")
    clinic.now("09:00")
    opened, _, _ = clinic.open(clinic.ana)
    clinic.now("09:30")
    clinic.take(said("2", "09:10", "second"))
    assert clinic.sessions() == [opened]
    clinic.take(said("1", "08:30", "first"))
    (session,) = clinic.sessions()
    assert session != opened
    assert clinic.texts(session) == ["first", "second"]
    assert clinic.read(opened)["status"] == "entered-in-error"
    clinic.check()
