"""What a provider tells of a sent message comes to stand on it, whichever comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from threadwell.channels.live import State, Status
from threadwell.encounters.delivery import Delivery, delivery_of, with_delivery
from threadwell.fhir.validation import validate
from threadwell.intake import verify
from threadwell.intake.arrivals.statuses import keep_statuses, untold
from threadwell.intake.arrivals.telling import Telling
from threadwell.stores.contract import DEFAULT_PROJECT

SENT = datetime(2024, 4, 10, 9, tzinfo=UTC)
PAUSES = (1, 10)


def told(state: State, minute: int, code: str = "", id_: str = "out") -> Status:
    return Status("sms_backup", id_, state, SENT + timedelta(minutes=minute), code)


class Desk:
    """Takes messages and states into a practice, and puts the states on messages."""

    def __init__(self, practice: Any) -> None:
        self.practice = practice
        self.telling = Telling(
            practice.store, DEFAULT_PROJECT, clock=lambda: practice.now, pauses=PAUSES
        )

    def tell(self, *statuses: Status) -> None:
        practice = self.practice
        practice.run(keep_statuses(practice.store, DEFAULT_PROJECT, statuses, practice.now))

    def round(self) -> float | None:
        return self.practice.run(self.telling.round())

    def waiting(self) -> int:
        return len(self.practice.run(untold(self.practice.store, DEFAULT_PROJECT, 100)))

    def child(self) -> dict[str, Any]:
        (found,) = (one for one in self.practice.live("Communication") if "partOf" in one)
        return found


@pytest.mark.parametrize(
    ("states", "expected", "reason"),
    [
        ([told(State.QUEUED, 0)], ("queued", 0, ""), ""),
        ([told(State.SENT, 1), told(State.DELIVERED, 2)], ("delivered", 2, ""), ""),
        ([told(State.DELIVERED, 2), told(State.READ, 9)], ("read", 9, ""), ""),
        (
            [told(State.SENT, 1), told(State.FAILED, 3, "30003")],
            ("failed", 3, "30003"),
            "It was not delivered (the provider's error 30003)",
        ),
        ([told(State.FAILED, 3)], ("failed", 3, ""), "It was not delivered"),
        # The carrier has changed its mind.
        ([told(State.FAILED, 3, "30005"), told(State.DELIVERED, 5)], ("delivered", 5, ""), ""),
    ],
)
def test_in_any_order_with_their_message(
    practice: Any, sms: Any, states: list[Status], expected: tuple[str, int, str], reason: str
) -> None:
    state, minute, code = expected
    since = int((SENT + timedelta(minutes=minute)).timestamp() * 1_000_000)
    for order in permutations([*states, sms("out", "09:00", out=True)]):
        one = type(practice)()
        one.patient("ana", "+12125550111", given="Ana")
        desk = Desk(one)
        for what in order:
            if isinstance(what, Status):
                desk.tell(what)
            else:
                one.take(what)
            desk.round()
            one.now += 1000
        one.now += 60_000
        assert desk.round() is None
        child = desk.child()
        assert delivery_of(child) == Delivery(state, since, code)
        assert child.get("statusReason", {}).get("text", "") == reason
        assert child["status"] == "completed"
        assert validate(child) == []
        assert desk.waiting() == 0
        assert one.run(verify(one.store, DEFAULT_PROJECT)) == []
        # What comes again, the message or a state, changes nothing.
        one.take(sms("out", "09:00", out=True))
        desk.tell(*states)
        desk.round()
        assert desk.child() == child


def test_a_message_keeps_its_state_when_it_finds_another_session(practice: Any, sms: Any) -> None:
    practice.settings = replace(practice.settings, policy="inactivity-gap")
    desk = Desk(practice)
    practice.take(sms("out", "12:00", out=True))
    desk.tell(told(State.DELIVERED, 200))
    desk.round()
    before = desk.child()
    practice.take(sms("early", "10:30"))
    (after,) = (one for one in practice.live("Communication") if delivery_of(one) is not None)
    assert after["id"] == before["id"]
    assert after["partOf"] != before["partOf"]
    assert delivery_of(after) == delivery_of(before)


def test_a_message_that_stays_away_is_looked_for_after_growing_pauses(practice: Any) -> None:
    desk = Desk(practice)
    desk.tell(told(State.SENT, 1))
    pauses = []
    while (pause := desk.round()) is not None:
        pauses.append(pause)
        practice.now += int(pause * 1000)
    assert pauses == list(PAUSES)
    assert practice.all("Communication") == []


def test_states_of_many_messages_at_once(practice: Any, sms: Any) -> None:
    desk = Desk(practice)
    texts = [sms(f"out{at}", f"09:{at % 60:02}", f"text {at}", out=True) for at in range(450)]
    practice.take(*texts)
    desk.tell(*(told(State.DELIVERED, at, id_=f"out{at}") for at in range(450)))
    desk.round()
    children = [one for one in practice.live("Communication") if "partOf" in one]
    assert [delivery_of(one) is not None for one in children] == [True] * 450


@pytest.mark.parametrize(
    ("status", "state", "after"),
    [
        ("in-progress", "sent", "in-progress"),
        ("in-progress", "delivered", "in-progress"),
        ("in-progress", "read", "completed"),
        ("in-progress", "failed", "in-progress"),
        ("entered-in-error", "read", "entered-in-error"),
    ],
)
def test_the_status_of_a_message_that_was_read(status: str, state: str, after: str) -> None:
    child = {"resourceType": "Communication", "status": status, "statusReason": {"text": "Mine"}}
    put = with_delivery(child, Delivery(state, 0))
    assert put["status"] == after
    # A person's reason is not ours to change.
    assert put["statusReason"] == {"text": "Mine"}
