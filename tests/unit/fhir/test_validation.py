"""What is a mistake in a resource, and where it is said to be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from threadwell.fhir.definitions.constraints import constraint
from threadwell.fhir.validation import validate

GAP = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ABSENT = {"extension": [{"url": GAP, "valueCode": "unknown"}]}
STRING = "Invalid JSON type: expected string, but got"
EMPTY = "Invalid empty object"
MISSING = "Missing required property"
ONE_TYPE = "Only one of the types of a choice may be there"
EITHER = "Must have either extensions or value[x], not both (ext-1)"
NESTED = (
    "If the resource is contained in another resource, "
    "it SHALL NOT contain nested Resources (dom-2)"
)
UNUSED = (
    "If the resource is contained in another resource, it SHALL be referred to from elsewhere in "
    "the resource or SHALL refer to the containing resource (dom-3)"
)
PLAIN = constraint("Narrative.div", "txt-1").text
ABSOLUTE = "it must be absolute, with a scheme such as https: or urn:"
WHOLE = "a time has seconds and a zone, as in 2024-05-01T10:00:00Z or 2024-05-01T10:00:00+02:00"
NO_ID = "A contained resource must have an id"
DIFFER = "Values and their extensions differ in number"
NOT_CONTAINED = "Reference to a resource that is not contained"
SETS = "http://hl7.org/fhir/ValueSet/"


def outside(name: str) -> str:
    return f"Code is not in the required value set {SETS}{name}"


def extra(name: str) -> str:
    return f'Invalid additional property "{name}"'


def communication(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Communication", "status": "completed", **members}


def patient(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **members}


def observation(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Body weight"},
        **members,
    }


def bundle(kind: str, *entries: Any, **members: Any) -> dict[str, Any]:
    listed = {"entry": list(entries)} if entries else {}
    return {"resourceType": "Bundle", "type": kind, **listed, **members}


def narrative(inside: str) -> dict[str, Any]:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'
    return patient(text={"status": "generated", "div": div})


def extended(*extensions: Any) -> dict[str, Any]:
    return patient(extension=list(extensions))


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
