"""Resources and the values that they are found by."""

from decimal import Decimal

import pytest

from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.values import (
    MAX_TIME,
    MIN_TIME,
    CompositeValue,
    DateValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)

INFINITY = Decimal("Infinity")
UCUM = "http://unitsofmeasure.org"
DAY = 86_400_000_000


def ref(text):
    return {"reference": text}


def relative(type_, id_):
    return ReferenceValue(type_, id_, "")


def quantity(number, code="mg"):
    value = Decimal(number)
    return {"value": value, "system": UCUM, "code": code, "unit": code}


def point(number, code="mg"):
    value = Decimal(number)
    return QuantityValue(value, value, value, UCUM, code, code)


# The type, the members, the parameter and the values expected under it.
CASES = {
    "a code": ("Communication", {"status": "completed"}, "status", [TokenValue("", "completed")]),
    "a boolean": ("Patient", {"active": False}, "active", [TokenValue("", "false")]),
    "a Coding": (
        "Encounter",
        {"class": {"system": "urn:a", "code": "VR", "display": "virtual"}},
        "class",
        [TokenValue("urn:a", "VR", "virtual")],
    ),
    "a CodeableConcept": (
        "Communication",
        {"category": [{"coding": [{"system": "urn:a", "code": "x"}, {"code": "y", "display": "Y"}],
                       "text": "Why"}]},
        "category",
        [TokenValue("urn:a", "x", "Why"), TokenValue("", "y", "Y"), TokenValue("", "", "Why")],
    ),
    "a concept of text only": (
        "Communication", {"medium": [{"text": "SMS"}]}, "medium", [TokenValue("", "", "SMS")],
    ),
    "an Identifier": (
        "Patient",
        {"identifier": [{"system": "urn:mrn", "value": "7", "type": {"text": "MRN"}}]},
        "identifier",
        [TokenValue("urn:mrn", "7", "MRN")],
    ),
    "a ContactPoint, in one spelling": (
        "Patient",
        {"telecom": [{"system": "phone", "value": "+1 (555) 010-0123"},
                     {"system": "email", "value": "Ana@Example.org"}]},
        "telecom",
        [TokenValue("phone", "+15550100123"), TokenValue("email", "ana@example.org")],
    ),
    "a ContactPoint of one system": (
        "Patient",
        {"telecom": [{"system": "phone", "value": "+15550100123"},
                     {"system": "email", "value": "ana@example.org"}]},
        "email",
        [TokenValue("email", "ana@example.org")],
    ),
    "a relative reference and one with a version": (
        "Communication",
        {"partOf": [ref("Communication/h"), ref("Communication/i/_history/2")]},
        "part-of",
        [relative("Communication", "h"), ReferenceValue("Communication", "i", "", version="2")],
    ),
    "the references to one type": (
        "Communication",
        {"subject": ref("Group/g")},
        "patient",
        None,
    ),
    "a reference to the type that is asked for": (
        "Communication", {"subject": ref("Patient/p")}, "patient", [relative("Patient", "p")],
    ),
    "an absolute reference to that type": (
        "Communication",
        {"subject": ref("https://fhir.example.org/Patient/p")},
        "patient",
        [ReferenceValue("", "", "https://fhir.example.org/Patient/p")],
    ),
    "a logical reference to that type": (
        "Communication",
        {"subject": {"type": "Patient", "identifier": {"system": "urn:mrn", "value": "7"}}},
        "patient",
        [ReferenceValue("", "", "", TokenValue("urn:mrn", "7"))],
    ),
    "a reference that has a display only": (
        "Communication", {"sender": {"display": "Ana"}}, "sender", [ReferenceValue("", "", "")],
    ),
    "a contained reference": (
        "Communication", {"sender": ref("#s")}, "sender", [ReferenceValue("", "", "#s")],
    ),
    "an absolute reference, with its version and without": (
        "Communication",
        {"partOf": [
            ref("HTTPS://Example.org:443/fhir/Communication/h"),
            ref("https://example.org/fhir/Communication/h/_history/2"),
            ref("https://example.org/fhir/Visit/h"),
        ]},
        "part-of",
        [
            ReferenceValue("", "", "https://example.org/fhir/Communication/h"),
            ReferenceValue("", "", "https://example.org/fhir/Communication/h", version="2"),
            ReferenceValue("", "", "https://example.org/fhir/Visit/h"),
        ],
    ),
    "a canonical, with its version and without": (
        "Communication",
        {"instantiatesCanonical": ["http://example.org/p|1", "http://example.org/p#x"]},
        "instantiates-canonical",
        [ReferenceValue("", "", "http://example.org/p", version="1", canonical=True),
         ReferenceValue("", "", "http://example.org/p", canonical=True)],
    ),
    "a relative canonical": (
        "Communication",
        {"instantiatesCanonical": ["Questionnaire/q", "Questionnaire/q|2"]},
        "instantiates-canonical",
        [ReferenceValue("Questionnaire", "q", "", canonical=True),
         ReferenceValue("Questionnaire", "q", "", version="2", canonical=True)],
    ),
    "a contained reference of a type": (
        "Condition",
        {"contained": [{"resourceType": "Patient", "id": "p"}], "subject": ref("#p")},
        "patient",
        [ReferenceValue("", "", "#p")],
    ),
    "a contained reference of another type": (
        "Condition",
        {"contained": [{"resourceType": "Group", "id": "p"}], "subject": ref("#p")},
        "patient",
        None,
    ),
    "a uri": (
        "Communication",
        {"instantiatesUri": ["http://example.org/u"]},
        "instantiates-uri",
        [UriValue("http://example.org/u")],
    ),
    "a profile": (
        "Patient", {"meta": {"profile": ["http://example.org/p"]}}, "_profile",
        [UriValue("http://example.org/p")],
    ),
    "a tag": ("Patient", {"meta": {"tag": [{"code": "t"}]}}, "_tag", [TokenValue("", "t")]),
    "all parts of a name": (
        "Patient",
        {"name": [{"family": "Prado", "given": ["Ana", None, "Sol"], "prefix": ["Dr"]}]},
        "name",
        [
            StringValue("Prado", parted=True),
            StringValue("Ana"),
            StringValue("Sol"),
            StringValue("Dr"),
        ],
    ),
    "one part of a name": (
        "Patient", {"name": [{"family": "Prado", "given": ["Ana"]}]}, "given", [StringValue("Ana")],
    ),
    "all parts of an address": (
        "Patient",
        {"address": [{"line": ["1 Elm St"], "city": "Springfield", "postalCode": "00501"}]},
        "address",
        [StringValue("1 Elm St"), StringValue("Springfield"), StringValue("00501")],
    ),
    "an instant": (
        "Communication", {"sent": "1970-01-01T00:00:01.000Z"}, "sent",
        [DateValue(1_000_000, 1_001_000)],
    ),
    "a partial date": ("Patient", {"birthDate": "1970-01"}, "birthdate", [DateValue(0, 31 * DAY)]),
    "a date that does not exist": ("Patient", {"birthDate": "1970-02-30"}, "birthdate", None),
    "a Period": (
        "Encounter", {"period": {"start": "1970-01-01", "end": "1970-01-02"}}, "date",
        [DateValue(0, 2 * DAY)],
    ),
    "a Period that goes on": (
        "Encounter", {"period": {"start": "1970-01-01"}}, "date", [DateValue(0, MAX_TIME)],
    ),
    "a Period without a start": (
        "Encounter", {"period": {"end": "1970-01-01"}}, "date", [DateValue(MIN_TIME, DAY)],
    ),
    "the outer limits of a Timing": (
        "ServiceRequest",
        {"occurrenceTiming": {"event": ["1970-01-03", "1970-01-01"],
                              "repeat": {"boundsPeriod": {"end": "1970-01-02"}}}},
        "occurrence",
        [DateValue(MIN_TIME, 3 * DAY)],
    ),
    "a text where dates are looked for": (
        "Procedure", {"performedString": "last spring"}, "date", None,
    ),
    "a number": (
        "ChargeItem", {"factorOverride": Decimal("1.10")}, "factor-override",
        [NumberValue(Decimal("1.10"), Decimal("1.10"), Decimal("1.10"))],
    ),
    "a range of numbers": (
        "RiskAssessment",
        {"prediction": [{"probabilityRange": {"high": {"value": 3}}}]},
        "probability",
        [NumberValue(Decimal(3), -INFINITY, Decimal(3))],
    ),
    "a Quantity": (
        "Observation", {"valueQuantity": quantity("5.40")}, "value-quantity", [point("5.40")],
    ),
    "a Quantity with a comparator": (
        "Observation",
        {"valueQuantity": {"value": 5, "comparator": "<=", "unit": "mg"}},
        "value-quantity",
        [QuantityValue(Decimal(5), -INFINITY, Decimal(5), "", "", "mg")],
    ),
    "a Quantity without a value": (
        "Observation", {"valueQuantity": {"unit": "mg"}}, "value-quantity", None,
    ),
    "a Range": (
        "Condition",
        {"onsetRange": {"low": quantity(3, "a"), "high": quantity(5, "a")}},
        "onset-age",
        [QuantityValue(Decimal(3), Decimal(3), Decimal(5), UCUM, "a", "a")],
    ),
    "Money": (
        "Invoice", {"totalNet": {"value": 5, "currency": "EUR"}}, "totalnet",
        [QuantityValue(Decimal(5), Decimal(5), Decimal(5), "urn:iso:std:iso:4217", "EUR", "EUR")],
    ),
    "samples": (
        "Observation",
        {"valueSampledData": {"origin": quantity(10), "period": 1, "factor": 2, "dimensions": 1,
                              "data": "-1 E 3 0"}},
        "value-quantity",
        [QuantityValue(Decimal(8), Decimal(8), Decimal(16), UCUM, "mg", "mg")],
    ),
    "samples that are no numbers": (
        "Observation",
        {"valueSampledData": {"origin": quantity(10), "period": 1, "dimensions": 1,
                              "data": "NaN 1 Infinity x 1.5.2 1e9999"}},
        "value-quantity",
        [QuantityValue(Decimal(11), Decimal(11), Decimal(11), UCUM, "mg", "mg")],
    ),
    "samples beyond all numbers": (
        "Observation",
        {"valueSampledData": {"origin": quantity(10), "period": 1, "dimensions": 1,
                              "factor": Decimal("1E999999"), "data": "1E9"}},
        "value-quantity",
        None,
    ),
    "a choice by its type": (
        "Observation", {"valueCodeableConcept": {"text": "Fine"}}, "value-string",
        [StringValue("Fine")],
    ),
    "what is not said to be dead": ("Patient", {}, "deceased", [TokenValue("", "false")]),
    "a day of death": (
        "Patient", {"deceasedDateTime": "2020"}, "deceased", [TokenValue("", "true")],
    ),
    "alive": ("Patient", {"deceasedBoolean": False}, "deceased", [TokenValue("", "false")]),
    "the first entry of a Bundle, if it is a Composition": (
        "Bundle",
        {"entry": [{"resource": {"resourceType": "Composition", "id": "c"}},
                   {"resource": {"resourceType": "Composition", "id": "d"}}]},
        "composition",
        [relative("Composition", "c")],
    ),
    "the first entry of a Bundle, if it is none": (
        "Bundle", {"entry": [{"resource": {"resourceType": "Patient", "id": "p"}}]}, "composition",
        None,
    ),
    "an extension": (
        "Observation",
        {"extension": [
            {"url": "urn:other", "valueString": "no"},
            {"url": "http://hl7.org/fhir/StructureDefinition/observation-geneticsDnaVariant",
             "valueString": "c.1A>T"}]},
        "dna-variant",
        [StringValue("c.1A>T")],
    ),
    "answers in items that have an extension": (
        "QuestionnaireResponse",
        {"item": [
            {"answer": [{"valueReference": ref("Patient/no")}]},
            {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/"
                                   "questionnaireresponse-isSubject", "valueBoolean": True}],
             "answer": [{"valueReference": ref("Patient/p")}, {"valueString": "x"}]}]},
        "item-subject",
        [relative("Patient", "p")],
    ),
    "a value twice, once": (
        "Patient", {"address": [{"city": "Ely"}, {"city": "Ely"}]}, "address-city",
        [StringValue("Ely")],
    ),
    "a primitive of which only the extension is there": (
        "Communication", {"_sent": {"extension": [{"url": "urn:x"}]}}, "sent", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("type_", "members", "code", "expected"), CASES.values(), ids=CASES)
def test_values(type_, members, code, expected):
    assert extract({"resourceType": type_, **members}).get(code) == expected


CODE = {"coding": [{"code": "bp"}]}
LOW = {"code": {"coding": [{"code": "low"}]}, "valueQuantity": quantity(80)}
HIGH = {"code": {"coding": [{"code": "high"}]}, "valueQuantity": quantity(120)}


def test_a_composite_keeps_the_values_of_one_element_together():
    values = extract({"resourceType": "Observation", "code": CODE, "component": [LOW, HIGH]})
    assert values["component-code-value-quantity"] == [
        CompositeValue(((TokenValue("", "low"),), (point(80),))),
        CompositeValue(((TokenValue("", "high"),), (point(120),))),
    ]
    assert "code-value-quantity" not in values
    assert values["combo-code-value-quantity"] == values["component-code-value-quantity"]


def test_a_composite_of_the_whole_resource():
    values = extract({"resourceType": "Observation", "code": CODE, "valueQuantity": quantity(3)})
    assert values["code-value-quantity"] == [CompositeValue(((TokenValue("", "bp"),), (point(3),)))]


def test_a_composite_may_look_at_the_resource_from_within_an_element():
    values = extract(
        {
            "resourceType": "MolecularSequence",
            "referenceSeq": {"chromosome": {"coding": [{"code": "1"}]}},
            "variant": [{"start": 1, "end": 2}],
        }
    )
    one, two = (NumberValue(*[Decimal(n)] * 3) for n in (1, 2))
    assert values["chromosome-variant-coordinate"] == [
        CompositeValue(((TokenValue("", "1"),), (one,), (two,)))
    ]


def test_a_document_that_replaces_another_is_found_by_both_parts():
    values = extract(
        {
            "resourceType": "DocumentReference",
            "relatesTo": [{"code": "replaces", "target": ref("DocumentReference/d")}],
        }
    )
    assert values["relationship"] == [
        CompositeValue(((relative("DocumentReference", "d"),), (TokenValue("", "replaces"),)))
    ]


def test_nothing_is_said_of_what_the_store_knows():
    resource = {"resourceType": "Patient", "id": "p", "meta": {"lastUpdated": "2024-01-01"}}
    assert extract(resource).keys() == {"deceased"}


def test_only_some_parameters_are_found_as_among_all() -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "name": [{"family": "Tanaka", "given": ["Mei"]}, {"family": "Sato"}],
        "birthDate": "1980-01-02",
        "generalPractitioner": [{"reference": "Practitioner/1"}],
    }
    every = extract(patient)
    for only in ({"family"}, {"birthdate", "general-practitioner"}, {"_lastUpdated"}, set()):
        assert extract(patient, only=frozenset(only)) == {
            code: values for code, values in every.items() if code in only
        }
