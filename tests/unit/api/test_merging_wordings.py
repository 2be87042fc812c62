"""Two records of one patient become one: other words of a message answer the first ones still."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.unit.api.test_about import OFFICE, Family, sms
from threadwell.intake import Settings, merge_patients
from threadwell.intake.seat import Seat
from threadwell.messages.wordings import wording_id
from threadwell.stores.contract import DEFAULT_PROJECT


def test_a_wording_answers_the_one_before_once_patients_are_merged(new_api: Any) -> None:
    family = Family(new_api())
    first = sms("w", "08:20", "Leo coughs")
    at = first.sent + timedelta(minutes=5)
    id_ = wording_id("w", "Leo sneezes", at=at)
    text = {"text": "Leo sneezes", "new_text": "Leo sneezes"}
    family.take(first, replace(first, external_id=id_, edited=at, **text))
    query = "Communication?category=correction"
    [worded] = family.found(query)
    answers = family.read(worded)["inResponseTo"]
    seat = Seat(
        family.api.store, DEFAULT_PROJECT, Settings(owner=(OFFICE,)), clock=family.api.clock
    )
    family.api.run(merge_patients(seat, family.mia, family.leo))
    assert family.read(worded)["inResponseTo"] == answers
