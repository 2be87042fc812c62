"""What breaks the rules of a resource: extensions, bindings, what is contained, invariants."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.fhir.faulty import (
    ABSENT,
    ABSOLUTE,
    DIFFER,
    EITHER,
    EMPTY,
    MISSING,
    NESTED,
    NO_ID,
    NOT_CONTAINED,
    ONE_TYPE,
    PLAIN,
    STRING,
    UNUSED,
    WHOLE,
    bundle,
    communication,
    extended,
    extra,
    narrative,
    observation,
    outside,
    patient,
)
from threadwell.fhir.validation import validate

BAD: dict[str, tuple[Any, list[tuple[str, str, str]]]] = {
    # Primitive extensions
    "an empty sibling": (
        patient(birthDate="1984", _birthDate={}),
        [("structure", "Patient.birthDate", EMPTY)],
    ),
    "a sibling with an id alone": (
        patient(_birthDate={"id": "b"}),
        [("structure", "Patient.birthDate", EMPTY)],
    ),
    "a bad sibling": (
        patient(birthDate="1984", _birthDate={"extension": [{"url": "x"}], "foo": 1}),
        [
            ("invariant", "Patient.birthDate.extension[0]", EITHER),
            ("structure", "Patient.birthDate.foo", extra("foo")),
        ],
    ),
    "a bad value beside its sibling": (
        patient(birthDate="1984-13", _birthDate=ABSENT),
        [("value", "Patient.birthDate", "Invalid date format")],
    ),
    "a null beside its sibling": (
        patient(birthDate=None, _birthDate=ABSENT),
        [("structure", "Patient.birthDate", "Invalid null value")],
    ),
    "a sibling of another length": (
        patient(name=[{"given": ["Ana"], "_given": [None, ABSENT]}]),
        [("structure", "Patient.name[0].given", DIFFER)],
    ),
    "a sibling that is no array": (
        patient(name=[{"given": ["Ana"], "_given": ABSENT}]),
        [
            (
                "structure",
                "Patient.name[0].given",
                "Invalid JSON type: expected array, but got object",
            )
        ],
    ),
    "neither a value nor a sibling": (
        patient(name=[{"given": ["Ana", None], "_given": [ABSENT, None]}]),
        [("structure", "Patient.name[0].given[1]", "Invalid null value")],
    ),
    # Extensions
    "an extension without url": (
        extended({"valueString": "x"}),
        [("structure", "Patient.extension[0].url", MISSING)],
    ),
    "an extension without anything": (
        extended({"url": "https://example.org/x"}),
        [("invariant", "Patient.extension[0]", EITHER)],
    ),
    "an extension with a value and extensions": (
        extended({"url": "x", "valueString": "x", "extension": [{"url": "y", "valueCode": "z"}]}),
        [("invariant", "Patient.extension[0]", EITHER)],
    ),
    "an extension with two values": (
        extended({"url": "x", "valueString": "x", "valueCode": "x"}),
        [("structure", "Patient.extension[0].value[x]", ONE_TYPE)],
    ),
    # Bindings
    "a code out of its set": (
        communication(status="done"),
        [("code-invalid", "Communication.status", outside("event-status"))],
    ),
    "a gender out of its set": (
        patient(gender="F"),
        [("code-invalid", "Patient.gender", outside("administrative-gender"))],
    ),
    "a concept out of its set": (
        {
            "resourceType": "AllergyIntolerance",
            "patient": {"reference": "Patient/1"},
            "clinicalStatus": {"coding": [{"system": "https://example.org", "code": "active"}]},
        },
        [
            (
                "code-invalid",
                "AllergyIntolerance.clinicalStatus",
                outside("allergyintolerance-clinical"),
            )
        ],
    ),
    "a concept of a required set in words": (
        {
            "resourceType": "AllergyIntolerance",
            "patient": {"reference": "Patient/1"},
            "clinicalStatus": {"text": "active"},
        },
        [
            (
                "code-invalid",
                "AllergyIntolerance.clinicalStatus",
                outside("allergyintolerance-clinical"),
            )
        ],
    ),
    "a media type that is none": (
        {"resourceType": "Binary", "contentType": "picture"},
        [("code-invalid", "Binary.contentType", outside("mimetypes"))],
    ),
    "a currency that is none": (
        {"resourceType": "Invoice", "status": "issued", "totalNet": {"currency": "euro"}},
        [("code-invalid", "Invoice.totalNet.currency", outside("currencies"))],
    ),
    # Contained resources
    "a contained resource with a mistake": (
        communication(contained=[patient(id="p", foo=1)], subject={"reference": "#p"}),
        [("structure", "Communication.contained[0].foo", extra("foo"))],
    ),
    "a contained resource of no type": (
        communication(contained=[{"id": "p"}], note=[{"text": "#p"}]),
        [("structure", "Communication.contained[0]", "Missing or invalid resourceType")],
    ),
    "a contained resource that contains": (
        communication(
            contained=[patient(id="p", contained=[patient(id="q", active=True)])],
            subject={"reference": "#p"},
        ),
        [("invariant", "Communication.contained[0].contained", NESTED)],
    ),
    "a contained resource without an id": (
        communication(contained=[patient()]),
        [("structure", "Communication.contained[0].id", NO_ID)],
    ),
    "two contained resources of one id": (
        communication(
            contained=[patient(id="p"), {"resourceType": "Practitioner", "id": "p"}],
            subject={"reference": "#p"},
        ),
        [
            (
                "structure",
                "Communication.contained[1].id",
                "Two contained resources have the same id",
            )
        ],
    ),
    "a contained resource that nothing refers to": (
        communication(contained=[patient(id="p"), patient(id="q")], subject={"reference": "#q"}),
        [("invariant", "Communication.contained[0]", UNUSED)],
    ),
    "a reference to nothing contained": (
        communication(
            contained=[patient(id="q")],
            subject={"reference": "#p"},
            sender={"reference": "#q"},
        ),
        [("structure", "Communication.subject.reference", NOT_CONTAINED)],
    ),
    "a reference to the container from without": (
        communication(about=[{"reference": "#"}]),
        [("structure", "Communication.about[0].reference", NOT_CONTAINED)],
    ),
    "a reference to a contained resource of another type": (
        communication(contained=[patient(id="p")], encounter={"reference": "#p"}),
        [
            (
                "value",
                "Communication.encounter.reference",
                "Invalid reference target: expected Encounter",
            )
        ],
    ),
    "a reference across the entries of a bundle": (
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {
                    "fullUrl": "urn:oid:1.2.3",
                    "resource": communication(
                        contained=[patient(id="p")], sender={"reference": "#p"}
                    ),
                },
                {
                    "fullUrl": "urn:oid:1.2.4",
                    "resource": communication(subject={"reference": "#p"}),
                },
            ],
        },
        [("structure", "Bundle.entry[1].resource.subject.reference", NOT_CONTAINED)],
    ),
    # What must be absolute
    "a relative system": (
        patient(identifier=[{"system": "mrn", "value": "1"}]),
        [("value", "Patient.identifier[0].system", f"Invalid uri format: {ABSOLUTE}")],
    ),
    "a relative system of a quantity": (
        observation(valueQuantity={"system": "ucum", "code": "g"}),
        [("value", "Observation.value[x].system", f"Invalid uri format: {ABSOLUTE}")],
    ),
    "a relative profile": (
        patient(meta={"profile": ["StructureDefinition/x"]}),
        [("value", "Patient.meta.profile[0]", f"Invalid canonical format: {ABSOLUTE}")],
    ),
    "a relative url of an extension": (
        extended({"url": "race", "valueString": "x"}),
        [("value", "Patient.extension[0].url", f"Invalid uri format: {ABSOLUTE}")],
    ),
    "a relative url of an extension of a primitive": (
        patient(_birthDate={"extension": [{"url": "race", "valueString": "x"}]}),
        [("value", "Patient.birthDate.extension[0].url", f"Invalid uri format: {ABSOLUTE}")],
    ),
    "a relative canonical url": (
        {"resourceType": "Questionnaire", "status": "draft", "url": "q"},
        [("value", "Questionnaire.url", f"Invalid uri format: {ABSOLUTE}")],
    ),
    "a canonical of nothing contained": (
        {
            "resourceType": "Questionnaire",
            "status": "draft",
            "item": [{"linkId": "1", "type": "choice", "answerValueSet": "#v"}],
        },
        [
            (
                "structure",
                "Questionnaire.item[0].answerValueSet",
                "Canonical of a resource that is not contained",
            )
        ],
    ),
    "a time without a zone": (
        communication(sent="2024-05-01T10:00:00"),
        [("value", "Communication.sent", f"Invalid dateTime format: {WHOLE}")],
    ),
    "a time without seconds": (
        communication(sent="2024-05-01T10:00+02:00"),
        [("value", "Communication.sent", f"Invalid dateTime format: {WHOLE}")],
    ),
    "a time that there is not": (
        communication(sent="2024-05-01T25:00:00Z"),
        [("value", "Communication.sent", "Invalid dateTime format")],
    ),
    # All at once
    "many mistakes": (
        {
            "resourceType": "Communication",
            "foo": 1,
            "sent": "2024-02-30",
            "payload": [{"contentString": 1}, {"contentString": "x"}, {}],
        },
        [
            ("structure", "Communication.foo", extra("foo")),
            ("value", "Communication.sent", "Invalid dateTime format"),
            ("structure", "Communication.payload[0].content[x]", f"{STRING} number"),
            ("structure", "Communication.payload[2].content[x]", MISSING),
            ("structure", "Communication.payload[2]", EMPTY),
            ("structure", "Communication.status", MISSING),
        ],
    ),
    # Rules that R4 has in words
    "a code that is only extended": (
        {"resourceType": "Communication", "_status": ABSENT},
        [("code-invalid", "Communication.status", outside("event-status"))],
    ),
    "a relative system of a coding": (
        communication(meta={"tag": [{"system": "tags", "code": "a"}]}),
        [("value", "Communication.meta.tag[0].system", f"Invalid uri format: {ABSOLUTE}")],
    ),
    "a reference to another type than it says": (
        communication(about=[{"reference": "Patient/1", "type": "Device"}]),
        [("invariant", "Communication.about[0].type", "The reference leads to another type")],
    ),
    "a number under the system of URIs": (
        patient(identifier=[{"system": "urn:ietf:rfc:3986", "value": "1.2.3"}]),
        [
            (
                "invariant",
                "Patient.identifier[0].value",
                "The value under urn:ietf:rfc:3986 must be a URI",
            )
        ],
    ),
    "a collection of what has no name": (
        bundle("collection", {"resource": patient(id="1")}),
        [("invariant", "Bundle.entry[0].fullUrl", "An entry of such a Bundle has a fullUrl")],
    ),
    "a relative fullUrl": (
        bundle("collection", {"fullUrl": "Patient/1", "resource": patient(id="1")}),
        [("invariant", "Bundle.entry[0].fullUrl", "The fullUrl must be absolute")],
    ),
    "the fullUrl of another": (
        bundle(
            "collection",
            {"fullUrl": "https://example.org/Patient/2", "resource": patient(id="1")},
            {"fullUrl": "https://example.org/Device/1", "resource": patient(id="1")},
            {"fullUrl": "https://example.org/Patient/1", "resource": patient()},
        ),
        [
            ("invariant", f"Bundle.entry[{n}].fullUrl", "The fullUrl names another type or id")
            for n in range(3)
        ],
    ),
    "two next pages": (
        bundle(
            "searchset",
            link=[{"relation": "next", "url": f"https://example.org/{n}"} for n in "ab"],
        ),
        [("invariant", "Bundle.link", "A relation of links stands twice")],
    ),
    "script behind a tab": (
        narrative('<a href="java&#9;script:a()">a</a>'),
        [("invariant", "Patient.text.div", f"{PLAIN}: no script in href")],
    ),
    "script behind a line break": (
        narrative('<img alt="a" src="&#10;java&#13;script:a()"/>'),
        [("invariant", "Patient.text.div", f"{PLAIN}: no script in src")],
    ),
}


@pytest.mark.parametrize(("resource", "expected"), BAD.values(), ids=BAD.keys())
def test_each_broken_rule_is_named_with_its_path(
    resource: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    found = [(issue.code, issue.expression, issue.text) for issue in validate(resource)]
    assert found == expected
