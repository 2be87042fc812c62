"""Conditional references to what the same transaction makes."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.api.rest import pending


def patient(mark: str, n: int) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:t", "value": f"{mark}-{n}"}],
        "name": [{"family": f"Prado{mark}{n}"}],
        "telecom": [{"system": "email", "value": f"{mark}-{n}@example.org"}],
        "gender": "female" if n else "male",
    }


def message(condition: str) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": f"Patient?{condition}"},
    }


def transaction(api, mark: str, *conditions: str) -> Any:
    return api.bundle(
        "transaction",
        *(api.entry("POST", "Patient", patient(mark, n)) for n in range(2)),
        *(api.entry("POST", "Communication", message(one)) for one in conditions),
    )


@pytest.mark.parametrize(
    "condition",
    [
        "identifier=urn:t|{}-1",
        "identifier={}-1",
        "identifier=urn:t|{}-1,urn:t|{}-7",
        "identifier=urn:t|{}-1&gender=female",
        "gender=female&identifier=urn:t|{}-1",
        "family=Prado{}1",
        "email={}-1@example.org",
        "identifier=urn:t|{}-1,urn:t|{}-0&identifier:not=urn:t|{}-0",
        "identifier:not=urn:t|{}-0&family=Prado{}",
    ],
)
def test_what_a_condition_finds_is_new(api, mark, condition: str) -> None:
    answer = transaction(api, mark, condition.replace("{}", mark))
    assert answer.status_code == 200, answer.text
    _, second, about = (one["resource"] for one in answer.json()["entry"])
    assert about["subject"] == {"reference": f"Patient/{second['id']}"}


@pytest.mark.parametrize(
    "condition",
    [
        "identifier=urn:t|{}-0,urn:t|{}-1",
        "family=Prado{}",
        "identifier=urn:t|{}-7",
        "identifier=|{}-1",
        "identifier=urn:t|{}-1&gender=male",
    ],
)
def test_none_and_several_are_refused(api, mark, condition: str) -> None:
    assert transaction(api, mark, condition.replace("{}", mark)).status_code == 400
    assert api.ids(f"Patient?family=Prado{mark}") == []


def test_a_code_leads_straight_to_what_has_it(api, mark, monkeypatch) -> None:
    monkeypatch.setattr(pending, "_MOST_LOOKS", 3)
    by_code = [f"identifier=urn:t|{mark}-{n % 2}" for n in range(3)]
    assert transaction(api, f"{mark}x", *[f"family=Prado{mark}x1"] * 2).status_code == 400
    assert transaction(api, mark, *by_code).status_code == 200
    answer = transaction(api, f"{mark}y", *[f"family=Prado{mark}y1"] * 2)
    assert answer.json()["issue"][0]["code"] == "too-costly"
