"""What clients write is held against the profiles that it claims, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.guide_package import guide, url
from threadwell.intake.guides.keeping import add_guide, remove_guide, set_checks
from threadwell.stores.contract import DEFAULT_PROJECT

PATIENT = url("StructureDefinition", "patient")
READING = url("StructureDefinition", "reading")
WARD = url("StructureDefinition", "ward")
WRONG_WARD = ["Patient.extension[0].value", "Patient.extension[0].valueCoding.code"]
NAMED = {"name": [{"family": "Zed"}], "birthDate": "1980-01-01"}


@pytest.fixture
def guided(api: Any) -> Any:
    """A server that has the guide, and that has noticed."""
    api.run(add_guide(api.store, DEFAULT_PROJECT, guide()))
    api.run(set_checks(api.store, DEFAULT_PROJECT, profiles="check", references="off"))
    api.clock.now += 1000
    return api


def patient(*profiles: str, **more: Any) -> dict[str, Any]:
    claims = {"meta": {"profile": list(profiles)}} if profiles else {}
    return {"resourceType": "Patient", **claims, **more}


def told(answer: Any) -> list[tuple[str, str]]:
    """The severity and place of each issue."""
    return [
        (issue["severity"], issue.get("expression", [""])[0]) for issue in answer.json()["issue"]
    ]


def ward(code: str) -> dict[str, Any]:
    coding = {"system": url("CodeSystem", "wards"), "code": code}
    return {"extension": [{"url": WARD, "valueCoding": coding}]}


def test_a_claim_is_checked_on_every_way_to_write(guided: Any) -> None:
    bad = patient(PATIENT)
    answer = guided.call("POST", "Patient", bad)
    assert answer.status_code == 422
    assert told(answer) == [("error", "Patient.name"), ("error", "Patient.birthDate")]
    made = guided.call("POST", "Patient", patient(PATIENT, **NAMED))
    assert made.status_code == 201
    id_ = made.json()["id"]
    assert guided.call("PUT", f"Patient/{id_}", {**bad, "id": id_}).status_code == 422
    assert guided.call("PUT", "Patient?identifier=urn:t|none", bad).status_code == 422
    patch = [{"op": "remove", "path": "/birthDate"}]
    assert guided.call("PATCH", f"Patient/{id_}", patch).status_code == 422
    for kind in ("batch", "transaction"):
        entries = [guided.entry("POST", "Patient", bad)]
        answer = guided.call("POST", "", {"resourceType": "Bundle", "type": kind, "entry": entries})
        if kind == "batch":
            assert answer.json()["entry"][0]["response"]["status"] == "422"
        else:
            assert answer.status_code == 422
            assert told(answer)[0][1] == "Bundle.entry[0].resource.name"
    assert (
        guided.call("GET", f"Patient/{id_}").json()["meta"]["versionId"]
        == made.json()["meta"]["versionId"]
    )


def test_what_claims_nothing_or_what_nobody_knows_is_stored(guided: Any) -> None:
    for claims in ((), ("https://other.example.org/StructureDefinition/x",)):
        assert guided.call("POST", "Patient", patient(*claims)).status_code == 201


def test_nothing_is_checked_where_it_is_off(guided: Any) -> None:
    guided.run(set_checks(guided.store, DEFAULT_PROJECT, profiles="off"))
    guided.clock.now += 1000
    assert guided.call("POST", "Patient", patient(PATIENT)).status_code == 201
    assert told(guided.call("POST", "Patient/$validate", patient(PATIENT)))[0][0] == "error"


def test_a_package_counts_a_second_after_it_is_added_or_removed(api: Any) -> None:
    assert api.call("POST", "Patient", patient(PATIENT)).status_code == 201
    api.run(add_guide(api.store, DEFAULT_PROJECT, guide()))
    api.clock.now += 1000
    assert api.call("POST", "Patient", patient(PATIENT)).status_code == 422
    api.run(remove_guide(api.store, DEFAULT_PROJECT, "org.example.guide"))
    api.clock.now += 1000
    assert api.call("POST", "Patient", patient(PATIENT)).status_code == 201


@pytest.mark.parametrize(
    ("path", "resource", "expected"),
    [
        ("Patient/$validate", patient(PATIENT, **NAMED), []),
        (f"Patient/$validate?profile={PATIENT}", patient(), ["Patient.name", "Patient.birthDate"]),
        (f"Patient/$validate?profile={PATIENT}|1.0.0", patient(**NAMED), []),
        (f"Patient/$validate?profile={READING}", patient(), ["Patient", "Patient.subject"]),
        ("Patient/$validate", patient(**ward("west")), WRONG_WARD),
        ("Patient/$validate", patient(**ward("north")), []),
        ("Patient/$validate", patient("https://o.example.org/x"), ["Patient.meta.profile"]),
    ],
)  # fmt: skip
def test_validate_names_what_is_wrong(
    guided: Any, path: str, resource: dict[str, Any], expected: list[str]
) -> None:
    answer = guided.call("POST", path, resource)
    assert answer.status_code == 200
    found = answer.json()["issue"]
    assert [one["expression"][0] for one in found if "expression" in one] == expected


def test_a_profile_that_is_not_known_cannot_be_asked_for(guided: Any) -> None:
    for profile in ("https://other.example.org/x", f"{PATIENT}|9.9.9"):
        answer = guided.call("POST", f"Patient/$validate?profile={profile}", patient())
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "not-supported")


def test_the_statement_names_the_profiles(guided: Any) -> None:
    listed = guided.call("GET", "metadata").json()["rest"][0]["resource"]
    named = {one["type"]: one.get("supportedProfile") for one in listed}
    assert (named["Patient"], named["Observation"], named["Task"]) == ([PATIENT], [READING], None)


def test_of_two_versions_each_is_checked_by_its_own(guided: Any) -> None:
    newer = guide(version="2.0.0")
    guided.run(add_guide(guided.store, DEFAULT_PROJECT, newer))
    guided.clock.now += 1000
    assert guided.call("POST", "Patient", patient(f"{PATIENT}|1.0.0")).status_code == 422
    assert guided.call("POST", "Patient", patient(f"{PATIENT}|2.0.0")).status_code == 201
    with pytest.raises(LookupError, match="several"):
        guided.run(remove_guide(guided.store, DEFAULT_PROJECT, "org.example.guide"))


def test_terminology_knows_what_packages_have(guided: Any) -> None:
    wards = url("ValueSet", "wards")
    system = url("CodeSystem", "wards")
    listed = guided.call("GET", f"ValueSet/$expand?url={wards}").json()["expansion"]["contains"]
    assert [one["code"] for one in listed] == ["north", "south"]
    asked = f"CodeSystem/$lookup?system={system}&code=north"
    named = {one["name"]: one for one in guided.call("GET", asked).json()["parameter"]}
    assert named["display"]["valueString"] == "North"
    asked = f"ValueSet/$validate-code?url={wards}|1.0.0&system={system}&code=west"
    assert guided.call("GET", asked).json()["parameter"][0]["valueBoolean"] is False
    method = {"coding": [{"system": system, "code": "north"}]}
    code = {"text": "a"}
    made = guided.make("Observation", status="final", code=code, method=method)
    assert guided.ids(f"Observation?method:in={wards}") == [made["id"]]
    assert guided.ids(f"Observation?method:not-in={wards}") == []


@pytest.mark.parametrize(
    ("type_", "members", "severity"),
    [
        ("QuestionnaireResponse", {"questionnaire": "Questionnaire/1"}, "warning"),
        ("QuestionnaireResponse", {"questionnaire": "https://a.example/Questionnaire/1"}, None),
        ("CarePlan", {"instantiatesCanonical": ["PlanDefinition/1", "urn:x:1"]}, "error"),
        (
            "CarePlan",
            {
                "contained": [{"resourceType": "PlanDefinition", "id": "p", "status": "active"}],
                "instantiatesCanonical": ["#p"],
            },
            None,
        ),
        ("Patient", {"extension": [{"url": "urn:x", "valueCanonical": "Library/1"}]}, "error"),
        ("Patient", {"extension": [{"url": "urn:x", "valueUri": "Library/1"}]}, None),
    ],
)
def test_a_relative_canonical_is_stored_and_told_of(
    new_api: Any, type_: str, members: dict[str, Any], severity: str | None
) -> None:
    """Clients refer so to forms; what is published by HL7 has it elsewhere, too."""
    api, more = new_api(), {"status": "completed"}
    if type_ == "CarePlan":
        more = {"status": "active", "intent": "plan", "subject": {"display": "x"}}
    resource = {"resourceType": type_, **({} if type_ == "Patient" else more), **members}
    assert api.call("POST", type_, resource).status_code == 201
    found = api.call("POST", f"{type_}/$validate", resource).json()["issue"]
    told_of = [one for one in found if "absolute URL" in one["details"]["text"]]
    assert [one["severity"] for one in told_of] == ([severity] if severity else [])
