"""What is a mistake in the elements of a resource, and where it is said to be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.fhir.faulty import (
    ABSENT,
    EMPTY,
    MISSING,
    ONE_TYPE,
    STRING,
    bundle,
    communication,
    extended,
    extra,
    narrative,
    observation,
    patient,
)
from threadwell.fhir.validation import validate

GOOD = {
    "the least": patient(),
    "all of a message": communication(
        id="m-1.A",
        meta={"versionId": "1", "lastUpdated": "2024-02-29T23:59:60.123456+14:00"},
        identifier=[{"system": "https://example.org/sms", "value": "SM1"}],
        partOf=[{"reference": "Communication/t-1/_history/2"}],
        subject={"reference": "Patient/ana", "type": "Patient", "display": "Ana Prado"},
        payload=[
            {"contentString": "line\n\ttwo 👩‍👧"},
            {"contentReference": {"display": "a file"}},
        ],
    ),
    "an attachment": communication(
        payload=[
            {"contentAttachment": {"contentType": "text/plain; charset=utf-8", "data": "QQ=="}}
        ]
    ),
    "base64 with line breaks": {
        "resourceType": "Binary",
        "contentType": "image/png",
        "data": "QQ\n==",
    },
    "a decimal of many digits": observation(valueQuantity={"value": Decimal("1.5e400")}),
    "a whole number as decimal": observation(valueQuantity={"value": 70}),
    "a Python float as decimal": observation(valueQuantity={"value": 70.5}),
    "a narrative": patient(
        text={"status": "empty", "div": '<div xmlns="http://www.w3.org/1999/xhtml">-</div>'}
    ),
    "a year": patient(birthDate="1984"),
    "a month": patient(birthDate="1984-12"),
    "a leap day": patient(birthDate="2000-02-29"),
    "a time": observation(valueTime="23:59:59.9"),
    "an extension without a birth date": patient(_birthDate=ABSENT),
    "an id beside a birth date": patient(birthDate="1984-02-29", _birthDate={"id": "b"}),
    "names with extensions at some": patient(
        name=[{"given": ["Ana", None, "Maria"], "_given": [None, ABSENT, {"id": "g"}]}]
    ),
    "names that are extensions only": patient(name=[{"_given": [ABSENT]}]),
    "a required element that is only extended": {
        "resourceType": "Provenance",
        "target": [{"reference": "Communication/1"}],
        "_recorded": ABSENT,
        "agent": [{"who": {"display": "Ana Prado"}}],
    },
    "a coding that has a relative system beside others": communication(
        topic={"coding": [{"system": "https://example.org/topics", "code": "a"}, {"system": "b"}]}
    ),
    "a reference that names its type": communication(
        about=[
            {"reference": "Patient/1", "type": "Patient"},
            {"reference": "https://example.org/fhir/Patient/1/_history/2", "type": "Patient"},
            {"reference": "urn:uuid:2f5e8c4e-54ea-4d21-9b4f-1f6f4a0b6f0a", "type": "Patient"},
            {"type": "Device", "display": "the old phone"},
        ]
    ),
    "identifiers that are URIs": patient(
        identifier=[
            {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"},
            {"system": "urn:ietf:rfc:3986", "value": "https://example.org/ana"},
            {"system": "urn:ietf:rfc:3986"},
            {"system": "https://example.org/numbers", "value": "1.2.3"},
        ]
    ),
    "a collection": bundle(
        "collection",
        {"fullUrl": "https://example.org/fhir/Patient/1", "resource": patient(id="1")},
        {"fullUrl": "https://example.org/people/1", "resource": patient(id="2")},
        {"fullUrl": "urn:uuid:2f5e8c4e-54ea-4d21-9b4f-1f6f4a0b6f0a", "resource": patient()},
    ),
    "a transaction of what has no name": bundle(
        "transaction", {"resource": patient(), "request": {"method": "POST", "url": "Patient"}}
    ),
    "two links of a relation of one's own": bundle(
        "searchset",
        link=[{"relation": "item", "url": f"https://example.org/{n}"} for n in range(2)],
    ),
    "a narrative of a space that does not break": narrative("\u00a0"),
    "a narrative with names of other languages": narrative('<p xmlns:v="urn:v">a</p>'),
    "a choice that is only extended": patient(_deceasedBoolean=ABSENT),
    "an extension within an extension": extended(
        {"url": "https://example.org/race", "extension": [{"url": "text", "valueString": "x"}]}
    ),
    "a contained resource": communication(contained=[patient(id="p")], subject={"reference": "#p"}),
    "a contained resource that refers to its sibling": communication(
        contained=[
            {"resourceType": "Practitioner", "id": "d"},
            patient(id="p", generalPractitioner=[{"reference": "#d"}]),
        ],
        subject={"reference": "#p"},
    ),
    "a contained resource that an extension of a primitive refers to": patient(
        contained=[patient(id="p")],
        _birthDate={
            "extension": [{"url": "https://example.org/x", "valueReference": {"reference": "#p"}}]
        },
    ),
    "a contained resource that a canonical leads to": {
        "resourceType": "Questionnaire",
        "status": "draft",
        "contained": [{"resourceType": "ValueSet", "id": "v", "status": "draft"}],
        "item": [{"linkId": "1", "type": "choice", "answerValueSet": "#v"}],
    },
    "a contained resource that refers to its container": patient(
        contained=[{"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": "#"}}]
    ),
    "a questionnaire by a relative reference": {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "Questionnaire/intake",
    },
    "a reference by urn:uuid": communication(
        subject={"reference": "urn:uuid:2f5e8c4e-54ea-4d21-9b4f-1f6f4a0b6f0a"}
    ),
    "a reference by urn:oid": communication(subject={"reference": "urn:oid:1.2.3"}),
    "a reference by address": communication(
        subject={"reference": "https://example.org/fhir/Patient/1/_history/2"}
    ),
    "a reference by an address that is not FHIR's": communication(
        subject={"reference": "https://example.org/people/ana"}
    ),
    "a conditional reference": communication(
        subject={"reference": "Patient?identifier=https://example.org/mrn|12"}
    ),
    "a reference by identifier": communication(subject={"identifier": {"value": "12"}}),
    "a reference to any type": communication(about=[{"reference": "Medication/1"}]),
    "a code set that nobody can list": {
        "resourceType": "Invoice",
        "status": "issued",
        "totalNet": {"value": 1, "currency": "EUR"},
    },
    "a coding of a required set beside its translation": {
        "resourceType": "AllergyIntolerance",
        "patient": {"reference": "Patient/1"},
        "clinicalStatus": {
            "coding": [
                {"system": "https://example.org/status", "code": "on"},
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                },
            ]
        },
    },
    "an element called resourceType": {
        "resourceType": "ExampleScenario",
        "status": "draft",
        "instance": [{"resourceId": "1", "resourceType": "Patient"}],
    },
    "an item within an item": {
        "resourceType": "Questionnaire",
        "status": "draft",
        "item": [{"linkId": "1", "type": "group", "item": [{"linkId": "2", "type": "string"}]}],
    },
    "a bundle": {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {
                "fullUrl": "urn:oid:1.2.3",
                "resource": communication(contained=[patient(id="p")], subject={"reference": "#p"}),
            }
        ],
    },
}

BAD: dict[str, tuple[Any, list[tuple[str, str, str]]]] = {
    # What it is
    "not an object": ([], [("structure", "", "Invalid JSON type: expected object, but got array")]),
    "no type": ({"id": "1"}, [("structure", "", "Missing or invalid resourceType")]),
    "a type that is no string": (
        {"resourceType": ["Patient"]},
        [("structure", "", "Missing or invalid resourceType")],
    ),
    "an unknown type": ({"resourceType": "Pat"}, [("structure", "", "Unknown resourceType")]),
    "an abstract type": ({"resourceType": "Resource"}, [("structure", "", "Unknown resourceType")]),
    # Which elements
    "an unknown element": (patient(foo=1), [("structure", "Patient.foo", extra("foo"))]),
    "an unknown element within": (
        communication(payload=[{"contentString": "x", "text": "y"}]),
        [("structure", "Communication.payload[0].text", extra("text"))],
    ),
    "an unknown underscore": (patient(_foo={}), [("structure", "Patient._foo", extra("_foo"))]),
    "an underscore before an object": (
        patient(_name=[{"id": "n"}]),
        [("structure", "Patient._name", extra("_name"))],
    ),
    "a resource's type on a data type": (
        patient(name=[{"resourceType": "HumanName", "family": "Prado"}]),
        [("structure", "Patient.name[0].resourceType", extra("resourceType"))],
    ),
    "an element that a profile forbids": (
        observation(referenceRange=[{"low": {"value": 1, "comparator": "<"}}]),
        [("structure", "Observation.referenceRange[0].low.comparator", extra("comparator"))],
    ),
    "a missing element": (
        {"resourceType": "Communication"},
        [("structure", "Communication.status", MISSING)],
    ),
    "a missing element within": (
        patient(link=[{"type": "seealso"}]),
        [("structure", "Patient.link[0].other", MISSING)],
    ),
    "a missing choice": (
        communication(payload=[{"id": "p", "extension": [{"url": "urn:x", "valueCode": "y"}]}]),
        [("structure", "Communication.payload[0].content[x]", MISSING)],
    ),
    "two of a choice": (
        patient(deceasedBoolean=False, deceasedDateTime="2024"),
        [("structure", "Patient.deceased[x]", ONE_TYPE)],
    ),
    "two of a choice, one only extended": (
        patient(deceasedBoolean=False, _deceasedDateTime=ABSENT),
        [("structure", "Patient.deceased[x]", ONE_TYPE)],
    ),
    "a type that a choice does not have": (
        patient(deceasedString="yes"),
        [("structure", "Patient.deceasedString", extra("deceasedString"))],
    ),
    "a choice without its type": (
        observation(value="yes"),
        [("structure", "Observation.value", extra("value"))],
    ),
    # JSON types, and how many
    "a number for a string": (
        communication(payload=[{"contentString": 1}]),
        [("structure", "Communication.payload[0].content[x]", f"{STRING} number")],
    ),
    "an object for a string": (
        communication(status={}),
        [("structure", "Communication.status", f"{STRING} object")],
    ),
    "an array for a string": (
        patient(gender=["female"]),
        [("structure", "Patient.gender", f"{STRING} array")],
    ),
    "a string for an array": (
        patient(name=[{"given": "Ana"}]),
        [
            (
                "structure",
                "Patient.name[0].given",
                "Invalid JSON type: expected array, but got string",
            )
        ],
    ),
    "an object for an array": (
        patient(name={"family": "Prado"}),
        [("structure", "Patient.name", "Invalid JSON type: expected array, but got object")],
    ),
    "a string for an object": (
        communication(subject="Patient/1"),
        [
            (
                "structure",
                "Communication.subject",
                "Invalid JSON type: expected object, but got string",
            )
        ],
    ),
    "a string for a boolean": (
        patient(active="true"),
        [("structure", "Patient.active", "Invalid JSON type: expected boolean, but got string")],
    ),
    "a string for a number": (
        observation(valueInteger="1"),
        [
            (
                "structure",
                "Observation.value[x]",
                "Invalid JSON type: expected number, but got string",
            )
        ],
    ),
    "a boolean for a number": (
        observation(valueInteger=True),
        [
            (
                "structure",
                "Observation.value[x]",
                "Invalid JSON type: expected number, but got boolean",
            )
        ],
    ),
    "a boolean for a decimal": (
        observation(valueQuantity={"value": True}),
        [
            (
                "structure",
                "Observation.value[x].value",
                "Invalid JSON type: expected number, but got boolean",
            )
        ],
    ),
    "a null": (patient(active=None), [("structure", "Patient.active", "Invalid null value")]),
    "a null for an object": (
        communication(subject=None),
        [("structure", "Communication.subject", "Invalid null value")],
    ),
    "a null in an array": (
        patient(name=[None]),
        [("structure", "Patient.name[0]", "Invalid null value")],
    ),
    "a null among strings": (
        patient(name=[{"given": ["Ana", None]}]),
        [("structure", "Patient.name[0].given[1]", "Invalid null value")],
    ),
    "an empty array": (patient(name=[]), [("structure", "Patient.name", "Invalid empty array")]),
    "an empty object": (patient(name=[{}]), [("structure", "Patient.name[0]", EMPTY)]),
    "an element with nothing but an id": (
        patient(name=[{"id": "n"}]),
        [("structure", "Patient.name[0]", EMPTY)],
    ),
}


@pytest.mark.parametrize("resource", GOOD.values(), ids=GOOD.keys())
def test_a_valid_resource_has_no_issue(resource: dict[str, Any]) -> None:
    assert validate(resource) == []


@pytest.mark.parametrize(("resource", "expected"), BAD.values(), ids=BAD.keys())
def test_each_mistake_is_named_with_its_path(
    resource: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    found = [(issue.code, issue.expression, issue.text) for issue in validate(resource)]
    assert found == expected


def test_a_long_property_name_is_cut() -> None:
    (issue,) = validate(patient(**{"x" * 1000: 1}))
    assert len(issue.expression) < 100
    assert len(issue.text) < 100


@pytest.mark.parametrize(
    "name",
    [
        {"given": [1] * 5000},
        {"given": [1] * 5000, "_given": [ABSENT] * 5000},
        {f"x{index}": 1 for index in range(5000)},
    ],
    ids=["values", "values with extensions", "properties"],
)
def test_an_endless_row_of_mistakes_is_given_up(name: dict[str, Any]) -> None:
    assert len(validate(patient(name=[name]))) == 1000


def test_a_mistake_after_very_many_contained_references_is_found() -> None:
    about = [{"reference": "#p"}] * 2000
    assert validate(communication(contained=[patient(id="p")], about=about)) == []
    (issue,) = validate(communication(contained=[patient(id="p")], about=[*about, 1]))
    assert issue.expression == "Communication.about[2000]"


def test_no_message_repeats_a_value() -> None:
    secret = "Prado secret"
    bad = communication(
        status=secret, sent=secret, subject={"reference": secret}, language=f" {secret}", id=secret
    )
    issues = validate(bad)
    assert len(issues) == 5
    assert not any(secret in issue.text + issue.expression for issue in issues)
