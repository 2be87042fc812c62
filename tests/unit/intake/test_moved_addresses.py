"""Whoever has another number now wrote what they have written, and waits for the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from threadwell.intake import recut, verify
from threadwell.intake.tracking import Tracking
from threadwell.stores.contract import DEFAULT_PROJECT

ANA, OTHER = "+12125550111", "+12125550199"
MOTHER = {"patient": {"reference": "Patient/ana"}}


def _has(phone: str) -> dict[str, object]:
    return {"telecom": [{"system": "phone", "value": phone}]}


#: What becomes of the number from which somebody has written.
MOVES = {
    "nobody's": lambda practice: None,
    "another patient's": lambda practice: practice.patient("ben", ANA, given="Ben"),
    "another mother's": lambda practice: practice.mother_of("Leo", phone=ANA),
    "a nurse's": lambda practice: practice.put("Practitioner", "nils", **_has(ANA)),
    "two patients'": lambda practice: [practice.patient(one, ANA) for one in ("ben", "cid")],
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())
@pytest.mark.parametrize("writer", ["Patient/ana", "RelatedPerson/mother"])
def test_a_number_that_is_somebody_elses_now(practice, sms, writer, move):
    practice.settings = replace(practice.settings, tracking=Tracking(0))
    if writer != "Patient/ana":
        practice.patient("ana", given="Ana")
        practice.put("RelatedPerson", "mother", **MOTHER, **_has(ANA))
    practice.take(sms("1", "08:00"), sms("2", "09:00", out=True), sms("3", "10:00"))
    before = _told(practice, writer)
    # They have another number, and then somebody else gets theirs.
    if writer == "Patient/ana":
        practice.patient("ana", OTHER, given="Ana")
    else:
        practice.put("RelatedPerson", "mother", **MOTHER, **_has(OTHER))
    move(practice)
    for policy in ("inactivity-gap", "per-thread", practice.settings.policy):
        practice.settings = replace(practice.settings, policy=policy)
        practice.run(recut(practice.seat()))
        assert _told(practice, writer) == before
    practice.take(sms("4", "11:00", phone=OTHER))
    assert _told(practice, writer) == before


def _told(practice, writer: str) -> list[object]:
    """Who has written the three, who takes part in their threads, and since when which waits."""
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    messages = practice.live("Communication")
    headers = {f"Communication/{one['id']}": one for one in messages if "partOf" not in one}
    told: list[object] = []
    for one in messages:
        if one["identifier"][0]["value"] not in ("1", "2", "3") or "partOf" not in one:
            continue
        header = headers[one["partOf"][0]["reference"]]
        both = {who["reference"] for who in header["recipient"]}
        assert writer in both
        told.append((one["sent"], one["sender"]["reference"], sorted(both)))
    waits = [
        (one["requester"]["reference"], one["authoredOn"])
        for one in practice.all("Task")
        if one["code"]["coding"][0]["code"] == "respond" and one["status"] == "requested"
    ]
    return [*sorted(told), waits[:1] if len(waits) < 2 else sorted(waits)[:1]]
