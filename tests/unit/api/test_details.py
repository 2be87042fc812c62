"""A clinical detail of one patient on another patient's Encounter is refused, with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.test_billed import JSON_PATCH, Household
from threadwell.encounters import codes
from threadwell.intake import merge_patients
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings
from threadwell.stores.contract import DEFAULT_PROJECT

TEXT = {"text": "Cough"}
TESTED = {"status": "final", "code": TEXT}


@pytest.fixture
def household(api: Any) -> Household:
    return Household(api)


def made(household: Household, type_: str, whose: str, **elements: Any) -> str:
    name = "patient" if type_ == "RelatedPerson" else "subject"
    body = household.api.make(type_, **{name: {"reference": whose}}, **elements)
    return f"{type_}/{body['id']}"


def diagnosis(household: Household, whose: str) -> dict[str, Any]:
    return {"diagnosis": [{"condition": {"reference": made(household, "Condition", whose)}}]}


def reason(household: Household, whose: str) -> dict[str, Any]:
    found = made(household, "Observation", whose, **TESTED)
    return {"reasonReference": [{"reference": found}]}


def takes_part(household: Household, whose: str) -> dict[str, Any]:
    who = made(household, "RelatedPerson", whose)
    care = household.read(household.care[household.mia])
    return {"participant": [*care["participant"], {"individual": {"reference": who}}]}


@pytest.mark.parametrize("what", [diagnosis, reason, takes_part])
def test_on_an_encounter_of_another_patient(household: Household, what: Any) -> None:
    name = household.care[household.mia]
    body, wrong = household.read(name), what(household, household.leo)
    [(element, value)] = wrong.items()
    answers = [
        household.api.call("PUT", name, {**body, **wrong}),
        household.patch(name, {"op": "add", "path": f"/{element}", "value": value}),
        household.api.bundle("transaction", household.api.entry("PUT", name, {**body, **wrong})),
    ]
    assert [one.status_code for one in answers] == [422] * 3
    assert all("another patient's" in household.api.texts(one)[0] for one in answers)
    assert household.read(name) == body
    right = what(household, household.mia)
    assert household.api.call("PUT", name, {**body, **right}).status_code == 200
    # What stands there may be written again, with whatever else is said.
    again = {**household.read(name), "language": "en"}
    assert household.api.call("PUT", name, again).status_code == 200


def test_of_a_finding_that_says_where_it_was_found(household: Household) -> None:
    mine = {"encounter": {"reference": household.care[household.mia]}, **TESTED}
    wrong = {"resourceType": "Observation", **mine, "subject": {"reference": household.leo}}
    refused = household.api.call("POST", "Observation", wrong)
    assert (refused.status_code, refused.json()["issue"][0]["expression"]) == (
        422,
        ["Observation.encounter"],
    )
    whole = {**wrong, "encounter": {"reference": household.session}}
    for right in ({**wrong, "subject": {"reference": household.mia}}, whole):
        assert household.api.call("POST", "Observation", right).status_code == 201
    found = made(household, "Observation", household.mia, **mine)
    other = [{"op": "replace", "path": "/subject", "value": {"reference": household.leo}}]
    assert household.api.call("PATCH", found, other, **JSON_PATCH).status_code == 422


@pytest.mark.parametrize("whose", ["leo", "mia"])
def test_what_is_made_in_the_same_transaction(household: Household, whose: str) -> None:
    name = household.care[household.mia]
    new = "urn:uuid:0b9d7c52-6a35-4d0c-9a53-2f4b8a6b7c11"
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": getattr(household, whose)},
        "code": TEXT,
    }
    care = {**household.read(name), "diagnosis": [{"condition": {"reference": new}}]}
    answer = household.api.bundle(
        "transaction",
        household.api.entry("PUT", name, care),
        {**household.api.entry("POST", "Condition", condition), "fullUrl": new},
    )
    assert answer.status_code == (200 if whose == "mia" else 422), answer.text
    assert len(household.found("Condition")) == (whose == "mia")


def test_two_records_of_one_patient_are_one(household: Household) -> None:
    twin = household.child("Maya")
    cough = made(household, "Condition", twin)
    seat = Seat(household.api.store, DEFAULT_PROJECT, Settings(), clock=household.api.clock)
    household.api.run(merge_patients(seat, twin, household.mia))
    name = household.care[household.mia]
    care = {**household.read(name), "diagnosis": [{"condition": {"reference": cough}}]}
    assert household.api.call("PUT", name, care).status_code == 200


def test_encounters_of_others_are_no_business_of_ours(household: Household) -> None:
    visit = household.api.make(
        "Encounter",
        status="finished",
        **{"class": codes.VIRTUAL},
        subject={"reference": household.mia},
    )
    body = {**visit, **diagnosis(household, household.leo)}
    assert household.api.call("PUT", f"Encounter/{visit['id']}", body).status_code == 200
