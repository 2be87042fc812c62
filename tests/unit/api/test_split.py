"""``$split-by-patient``: which patients a session is about, and what each came for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.test_about import MOTHER, Family, ref, sms
from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.validation import validate
from threadwell.intake import verify
from threadwell.stores.contract import DEFAULT_PROJECT

FEVER = {"coding": [{"system": codes.SNOMED, "code": "386661006", "display": "Fever"}]}
RASH = {"text": "Rash"}
PEDIATRICS = {"text": "Pediatrics"}


@pytest.fixture
def family(api: Any) -> Family:
    return Family(api)


@pytest.fixture(scope="module")
def shared_family(shared_api: Any) -> Family:
    """One for all who are refused."""
    return Family(shared_api)


def part(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"name": "part", "part": list(parts)}


def said(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "valueCodeableConcept": value}


def split(family: Family, *parts: dict[str, Any], of: str = "") -> Any:
    body = {"resourceType": "Parameters", "parameter": list(parts)}
    return family.api.call("POST", f"{of or family.session}/$split-by-patient", body)


def told(answer: Any) -> dict[str, str]:
    """The Encounter of each patient."""
    assert answer.status_code == 200, answer.text
    body = decode(answer.content)
    assert validate(body) == []
    out = {}
    for one in body["parameter"]:
        if one["name"] == "part":
            values = {p["name"]: p["valueReference"]["reference"] for p in one["part"]}
            out[values["patient"]] = values["encounter"]
    return out


def condition(family: Family, patient: str) -> str:
    made = family.api.make("Condition", subject={"reference": patient})
    return f"Condition/{made['id']}"


def test_a_session_of_one_becomes_one_of_two(family) -> None:
    nurse = f"Practitioner/{family.api.make('Practitioner')['id']}"
    fever = condition(family, family.leo)
    found = told(
        split(
            family,
            part(
                ref("patient", family.leo),
                ref("message", family.first),
                said("reasonCode", FEVER),
                ref("diagnosis", fever),
                said("serviceType", PEDIATRICS),
                ref("participant", nurse),
            ),
            part(ref("patient", family.mia), said("reasonCode", RASH)),
        )
    )
    assert found.keys() == {family.leo, family.mia}
    leo, mia = family.read(found[family.leo]), family.read(found[family.mia])
    assert leo["partOf"] == mia["partOf"] == {"reference": family.session}
    assert (leo["reasonCode"], mia["reasonCode"]) == ([FEVER], [RASH])
    assert leo["diagnosis"] == [{"condition": {"reference": fever}}]
    assert leo["serviceType"] == PEDIATRICS
    assert nurse in [one["individual"]["reference"] for one in leo["participant"]]
    assert nurse not in [one["individual"]["reference"] for one in mia["participant"]]
    assert "diagnosis" not in mia
    assert family.subject(family.first) == family.leo
    assert family.subject(family.second) == family.mia
    assert family.read(family.session)["subject"]["reference"].startswith("Group/")
    assert validate(leo) == validate(mia) == []
    # What comes later, or again, leaves it.
    family.take(sms("late", "08:05", "are you there?"), sms("a", "08:00", "Leo has a fever"))
    assert family.read(found[family.leo])["reasonCode"] == [FEVER]
    assert nurse in str(family.read(found[family.leo])["participant"])
    assert family.api.run(verify(family.api.store, DEFAULT_PROJECT)) == []
    # It can be corrected: all of it is about Mia, and has one reason.
    again = told(split(family, part(ref("patient", family.mia), said("reasonCode", FEVER))))
    assert again == {family.mia: family.session}
    assert family.read(family.session)["reasonCode"] == [FEVER]
    assert family.read(found[family.leo])["status"] == "entered-in-error"
    assert family.api.run(verify(family.api.store, DEFAULT_PROJECT)) == []


def test_a_message_may_be_about_both(family) -> None:
    found = told(
        split(
            family,
            part(ref("patient", family.leo)),
            part(ref("patient", family.mia), ref("message", family.second)),
        )
    )
    assert len(set(found.values())) == 2
    both = told(split(family, *(part(ref("patient", one)) for one in (family.leo, family.mia))))
    assert both == found
    assert family.subject(family.first).startswith("Group/")


@pytest.mark.parametrize("what", ["diagnosis", "participant"])
def test_a_detail_of_another_patient_is_refused(family, what: str) -> None:
    if what == "diagnosis":
        name = condition(family, family.mia)
    else:
        (name,) = family.found(f"RelatedPerson?patient={family.mia}")
    before = family.read(family.session)
    answer = split(family, part(ref("patient", family.leo), ref(what, name)))
    assert answer.status_code == 422
    text = family.api.texts(answer)[0]
    assert {name, family.mia, family.leo} <= set(
        text.replace("'s", "").replace(":", "").replace(",", "").split()
    )
    assert MOTHER.value not in text
    assert family.read(family.session) == before


@pytest.mark.parametrize(
    ("parameters", "status", "says"),
    [
        ([], 400, "a part for each"),
        ([ref("patient", "{leo}")], 400, "Unknown parameter"),
        ([part()], 400, "has parts"),
        ([part(said("reasonCode", RASH))], 400, "one patient"),
        ([part(ref("patient", "{leo}"), ref("patient", "{mia}"))], 400, "one patient"),
        ([part(ref("patient", "{leo}"), ref("diagnosis", "{mia}"))], 400, "must refer to"),
        ([part(ref("patient", "{leo}"), ref("color", "{mia}"))], 400, "Unknown or second"),
        ([part(ref("patient", "{leo}")), part(ref("patient", "{leo}"))], 422, "has two parts"),
        ([part(ref("patient", "Patient/none"))], 422, "there is no Patient/none"),
        ([part(ref("patient", "{leo}"), ref("message", "Communication/x"))], 422, "no message"),
        ([part(ref("patient", "{leo}"), ref("diagnosis", "Condition/x"))], 422, "no Condition/x"),
        (
            [
                part(ref("patient", "{leo}"), *(ref("message", m) for m in ("{a}", "{b}"))),
                part(ref("patient", "{mia}")),
            ],
            422,
            "no message is left",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(shared_family, parameters, status, says) -> None:
    text = str(parameters)
    names = {
        "leo": shared_family.leo,
        "mia": shared_family.mia,
        "a": shared_family.first,
        "b": shared_family.second,
    }
    for name, to in names.items():
        text = text.replace(f"{{{name}}}", to)
    answer = split(shared_family, *eval(text))
    assert answer.status_code == status, answer.text
    assert says in " ".join(shared_family.api.texts(answer))
    assert shared_family.subject(shared_family.session) == shared_family.leo


def test_what_was_billed_is_refused(family) -> None:
    family.api.clock.now += 86_400_000
    patch = [
        {"op": "add", "path": "/meta/tag", "value": [codes.BILLED]},
        {"op": "replace", "path": "/status", "value": "finished"},
    ]
    json_patch = "application/json-patch+json"
    family.api.call("PATCH", family.session, patch, content_type=json_patch)
    refused = split(family, part(ref("patient", family.mia)))
    assert refused.status_code == 422
    assert "billed" in family.api.texts(refused)[0]
