"""Search parameters that are created over FHIR, on each store."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.duties.duty import Workplace
from threadwell.duties.indexing import duty
from threadwell.stores.contract import DEFAULT_PROJECT

PLAN = "https://practice.example/plan"


def parameter(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "SearchParameter",
        "url": "https://practice.example/SearchParameter/plan",
        "name": "Plan",
        "description": "What a patient pays by",
        "status": "active",
        "code": "plan",
        "base": ["Patient"],
        "type": "token",
        "expression": f"Patient.extension('{PLAN}').value",
        **members,
    }


def patient(plan: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "extension": [{"url": PLAN, "valueCode": plan}]}


def index(api: Any) -> None:
    """Have the duty do what is due."""
    served = duty(Workplace(api.store))

    async def rounds() -> None:
        while await served.round() is not None:
            pass

    api.run(rounds())


@pytest.mark.parametrize(
    ("members", "status", "told"),
    [
        ({}, 201, ""),
        ({"status": "draft", "expression": "Patient.nothing"}, 201, ""),
        ({"expression": "Patient.nothing"}, 422, "Patient has no nothing"),
        ({"expression": "Patient.name.where(family ="}, 422, "cannot be worked out"),
        ({"expression": "Encounter.status"}, 422, "leads to nothing in Patient"),
        ({"expression": "Patient.gender", "type": "date"}, 422, "no values of type date"),
        ({"expression": "(" * 30 + "Patient.gender" + ")" * 30}, 422, "parentheses"),
        ({"type": "special"}, 422, "special"),
        ({"base": ["Resource"]}, 422, "name the types"),
        ({"code": "gender", "expression": "Patient.gender"}, 422, "R4 has a parameter gender"),
        ({"code": "a.b"}, 422, "SearchParameter.code"),
        ({"code": "_plan"}, 422, "SearchParameter.code"),
    ],
)
def test_what_cannot_be_used_is_refused(
    new_api: Any, members: dict[str, Any], status: int, told: str
) -> None:
    answer = new_api().call("POST", "SearchParameter", parameter(**members))
    assert answer.status_code == status, answer.text
    assert told in answer.text


def test_one_that_r4_serves_is_only_kept(api: Any) -> None:
    """As implementation guides have them: derived from R4's own."""
    derived = parameter(
        code="gender",
        expression="Patient.gender",
        derivedFrom="http://hl7.org/fhir/SearchParameter/individual-gender",
    )
    assert api.call("POST", "SearchParameter", derived).status_code == 201
    assert api.run(api.store.parameters(DEFAULT_PROJECT)).listed == ()


def test_from_its_creation_to_its_end(api: Any) -> None:
    api.call("POST", "Patient", patient("gold"))
    made = api.call("POST", "SearchParameter", parameter()).json()
    other = parameter(url="https://practice.example/SearchParameter/other")
    assert api.call("POST", "SearchParameter", other).status_code == 422
    index(api)
    api.call("POST", "Patient", patient("gold"))
    assert api.call("GET", "Patient?plan=gold&_total=accurate").json()["total"] == 2
    stated = [
        one["definition"]
        for of in api.call("GET", "metadata").json()["rest"][0]["resource"]
        for one in of.get("searchParam", ())
        if one["name"] == "plan"
    ]
    assert stated == [parameter()["url"]]
    assert api.call("GET", "Patient?_filter=plan eq gold&_total=accurate").json()["total"] == 2
    assert api.call("DELETE", f"SearchParameter/{made['id']}").status_code == 200
    refused = api.call("GET", "Patient?plan=gold")
    assert refused.status_code == 400
    index(api)
    assert "Unknown search parameter: plan" in api.call("GET", "Patient?plan=gold").text
