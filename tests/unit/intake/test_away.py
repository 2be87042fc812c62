"""Threads whose owner is away by their Schedule go back to their pool."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from threadwell.intake.todos.acting import claim
from threadwell.intake.todos.away import give_back
from threadwell.intake.tracking import Tracking
from threadwell.stores.contract import DEFAULT_PROJECT

P = DEFAULT_PROJECT
DANA = "Practitioner/dana"


@pytest.fixture
def claimed(practice: Any, sms: Any) -> Any:
    """A practice in which Dana has claimed a thread; it is noon of June 1."""
    practice.settings = replace(practice.settings, tracking=Tracking(0))
    practice.now += 12 * 3_600_000
    practice.put("Practitioner", "dana", name=[{"given": ["Dana"], "family": "Ruiz"}])
    practice.put("PractitionerRole", "nurse", practitioner={"reference": DANA})
    practice.take(sms("1", "09:00"))
    take(practice, DANA)
    return practice


def task(practice: Any) -> Any:
    [one] = [t for t in practice.all("Task") if t["code"]["coding"][0]["code"] == "respond"]
    return one


def take(practice: Any, who: str) -> None:
    act = claim(practice.seat(), task(practice)["id"], who)
    practice.run(act)


def away(practice: Any, actor: str = DANA, slot: str = "s", **members: Any) -> None:
    """That somebody is away from eleven to one."""
    practice.put(
        "Schedule",
        f"of-{slot}",
        actor=[{"reference": actor}],
        **({"active": False} if members.pop("inactive", False) else {}),
    )
    told = {
        "status": "busy-unavailable",
        "start": "2024-06-01T11:00:00Z",
        "end": "2024-06-01T13:00:00Z",
    }
    practice.put("Slot", slot, schedule={"reference": f"Schedule/of-{slot}"}, **(told | members))


def look(practice: Any) -> int:
    return practice.run(give_back(practice.seat()))


def test_what_somebody_has_who_is_away_goes_back_once(claimed: Any) -> None:
    away(claimed)
    assert look(claimed) == 1
    now = task(claimed)
    assert ("owner" in now, now["status"]) == (False, "requested")
    assert now["note"][-1]["text"] == "Dana Ruiz is away until 2024-06-01T13:00:00Z"
    take(claimed, DANA)
    assert look(claimed) == 0
    assert task(claimed)["owner"]["reference"] == DANA


@pytest.mark.parametrize(
    "members",
    [
        {"actor": "Practitioner/nils"},
        {"status": "busy"},
        {"status": "entered-in-error"},
        {"start": "2024-06-01T12:30:00Z"},
        {"end": "2024-06-01T12:00:00Z"},
        {"inactive": True},
    ],
    ids=str,
)
def test_whoever_is_there_keeps_it(claimed: Any, members: dict[str, Any]) -> None:
    away(claimed, **members)
    assert look(claimed) == 0
    assert task(claimed)["owner"]["reference"] == DANA


def test_a_role_is_away_with_its_person(practice: Any, claimed: Any) -> None:
    [body] = [task(practice)]
    rest = {k: v for k, v in body.items() if k not in ("id", "meta", "resourceType")}
    practice.put("Task", body["id"], **(rest | {"owner": {"reference": "PractitionerRole/nurse"}}))
    away(practice)
    assert look(practice) == 1


def test_of_the_slots_the_one_that_ends_last_is_told(claimed: Any) -> None:
    away(claimed)
    away(claimed, slot="t", end="2024-06-03T08:00:00Z")
    assert look(claimed) == 1
    assert "2024-06-03" in task(claimed)["note"][-1]["text"]


def test_several_who_look_at_once_give_it_back_once(claimed: Any) -> None:
    away(claimed)

    async def together() -> list[int]:
        looks = (give_back(claimed.seat()) for _ in range(8))
        return list(await asyncio.gather(*looks))

    assert sum(claimed.run(together())) == 1
    notes = [one["text"] for one in task(claimed)["note"]]
    assert len(notes) == 1
    told = claimed.all("Provenance")
    assert [one["activity"]["coding"][0]["code"] for one in told] == ["claim", "release"]
