"""``Observation/$lastn``: the latest of each code."""

from __future__ import annotations

from typing import Any

import pytest

LOINC = "http://loinc.org"


def observe(api: Any, patient: str, date: str, *codes: str, text: str = "") -> str:
    code: dict[str, Any] = {"text": text} if text else {}
    if codes:
        code["coding"] = [{"system": LOINC, "code": one} for one in codes]
    made = api.make(
        "Observation",
        status="final",
        code=code,
        category=[{"coding": [{"system": "urn:t", "code": "vital-signs"}]}],
        subject={"reference": f"Patient/{patient}"},
        effectiveDateTime=date,
    )
    return str(made["id"])


def test_the_latest_of_each_code(api: Any) -> None:
    ada, cleo = api.make()["id"], api.make()["id"]
    of = f"Observation/$lastn?patient={ada}&category=vital-signs"
    early = observe(api, ada, "2024-01-01", "a")
    late = observe(api, ada, "2024-01-03", "a", "also-a")
    middle = observe(api, ada, "2024-01-02", "also-a")
    other = observe(api, ada, "2024-01-01T09:00:00Z", "b")
    said = observe(api, ada, "2023-01-01", text="in words")
    before = observe(api, ada, "2022-01-01", text="in words")
    observe(api, cleo, "2024-02-01", "a")

    def found(query: str) -> list[str]:
        answer = api.call("GET", query)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        ids = [one["resource"]["id"] for one in told.get("entry", [])]
        assert (told["type"], told["total"]) == ("searchset", len(ids))
        return ids

    assert found(of) == [late, other, said]
    assert found(f"{of}&max=2") == [late, middle, other, said, before]
    assert found(f"{of}&max=9") == [late, middle, other, early, said, before]
    assert found(f"Observation/$lastn?subject=Patient/{ada}&code={LOINC}|b") == [other]
    assert found(f"{of}&date=lt2024-01-03") == [middle, other, early, said]
    assert found(f"Observation/$lastn?patient={api.never}&code=a") == []
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueString": ada},
            {"name": "code", "valueString": "b"},
            {"name": "max", "valuePositiveInt": 1},
        ],
    }
    told = api.call("POST", "Observation/$lastn", body).json()
    assert [one["resource"]["id"] for one in told["entry"]] == [other]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("code=a", "needs patient or subject"),
        ("patient=1", "needs category or code"),
        ("patient=1&code=a&max=0", "must be 1 or more"),
        ("patient=1&code=a&max=x", "max"),
        ("patient=1&code=a&_sort=date", "takes no _sort"),
        ("patient=1&code=a&max=1&max=2", "takes one max"),
        ("patient=1&code=a&_include=Observation:patient", "takes no _include"),
        ("patient=1&code=a&_elements=code", "takes no _elements"),
        ("patient=1&code=a&nothing=1", "Unknown search parameter: nothing"),
    ],
)
def test_what_cannot_be_meant(new_api: Any, query: str, why: str) -> None:
    api = new_api()
    answer = api.call("GET", f"Observation/$lastn?{query}")
    assert answer.status_code == 400
    assert why in api.texts(answer)[0]


def test_it_is_of_observations_alone(new_api: Any) -> None:
    assert new_api().call("GET", "Patient/$lastn?patient=1&code=a").status_code == 404
