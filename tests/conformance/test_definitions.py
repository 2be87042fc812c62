"""The compiled definitions are those of R4 4.0.1, whole."""

from __future__ import annotations

import pytest

from threadwell.fhir.definitions import RESOURCE_TYPES, load
from threadwell.fhir.definitions.structures import elements, has_element, primitive
from threadwell.fhir.validation import validate

PRIMITIVES = {
    "base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant",
    "integer", "markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url",
    "uuid", "xhtml",
}  # fmt: skip

#: Value sets that the package cannot list: media types, currencies, units and one LOINC list.
UNLISTED = {
    "http://hl7.org/fhir/ValueSet/mimetypes",
    "http://hl7.org/fhir/ValueSet/currencies",
    "http://hl7.org/fhir/ValueSet/ucum-units",
    "http://loinc.org/vs/LL379-9",
}


def test_the_package_is_whole() -> None:
    assert len(RESOURCE_TYPES) == 146
    assert {"Patient", "Encounter", "Communication", "VisionPrescription"} <= RESOURCE_TYPES
    assert not {"Resource", "DomainResource", "Element"} & RESOURCE_TYPES
    # Three are of Threadwell's own.
    assert len(load("search_parameters")) == 1387 + 3
    assert len(load("value_sets")) == 220


def test_every_element_has_types_that_are_defined() -> None:
    structures = load("structures")
    used = {code for type_ in structures for e in elements(type_) for code in e.types}
    assert {code for code in used if primitive(code)} == PRIMITIVES
    assert structures.keys() >= RESOURCE_TYPES


def test_a_type_has_its_elements_and_no_others() -> None:
    for type_ in load("structures"):
        assert all(has_element(type_, element.name) for element in elements(type_))
        assert not has_element(type_, "elements")


def test_every_reference_leads_to_resource_types() -> None:
    found = {
        target
        for type_ in load("structures")
        for element in elements(type_)
        for targets in element.types.values()
        for target in targets
    }
    assert found <= RESOURCE_TYPES


def test_every_required_value_set_is_listed_or_known_to_be_open() -> None:
    named = {e.value_set for type_ in load("structures") for e in elements(type_)} - {""}
    assert len(named) == 224
    assert named - load("value_sets").keys() == UNLISTED
    assert all(codes for systems in load("value_sets").values() for codes in systems.values())


def test_the_patient_compartment_names_search_parameters() -> None:
    compartment = load("compartments")["Patient"]
    assert compartment["Communication"] == ["subject", "sender", "recipient"]
    codes = {
        (base, parameter["code"])
        for parameter in load("search_parameters")
        for base in parameter["base"]
    }
    for type_, parameters in compartment.items():
        assert {(type_, parameter) for parameter in parameters if parameter != "{def}"} <= codes


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_a_resource_that_lacks_everything_is_told_what_is_required(type_: str) -> None:
    missing = {f"{type_}.{e.name}" for e in elements(type_) if e.required}
    issues = [i for i in validate({"resourceType": type_}) if i.code != "invariant"]
    assert {issue.expression for issue in issues} == missing
    assert {issue.text for issue in issues} <= {"Missing required property"}


def test_choices_go_by_the_names_of_their_types() -> None:
    (content,) = (e for e in elements("Communication.payload") if e.choice)
    assert content.required
    assert content.json_names() == {
        "contentString": "string",
        "contentAttachment": "Attachment",
        "contentReference": "Reference",
    }
    (dose,) = (e for e in elements("Dosage.doseAndRate") if e.name == "dose[x]")
    assert dose.json_names() == {"doseRange": "Range", "doseQuantity": "SimpleQuantity"}
