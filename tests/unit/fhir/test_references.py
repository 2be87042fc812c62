"""Where a resource refers to others."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.fhir.references import references

CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "none": ({"resourceType": "Patient", "id": "1"}, []),
    "one, several and a choice": (
        {
            "resourceType": "Communication",
            "subject": {"reference": "Patient/1"},
            "recipient": [{"reference": "Patient/1"}, {"display": "x"}, {"reference": "Group/1"}],
            "payload": [{"contentReference": {"reference": "Binary/1"}}],
        },
        [
            "Communication.subject",
            "Communication.recipient[0]",
            "Communication.recipient[2]",
            "Communication.payload[0].content[x]",
        ],
    ),
    "within a reference": (
        {
            "resourceType": "Communication",
            "subject": {"identifier": {"assigner": {"reference": "Organization/1"}}},
        },
        ["Communication.subject.identifier.assigner"],
    ),
    "within extensions": (
        {
            "resourceType": "Patient",
            "extension": [{"url": "x", "valueReference": {"reference": "Patient/1"}}],
            "_birthDate": {
                "extension": [{"url": "x", "valueReference": {"reference": "Patient/2"}}]
            },
        },
        ["Patient.extension[0].value[x]", "Patient.birthDate.extension[0].value[x]"],
    ),
    "within what is contained": (
        {
            "resourceType": "Patient",
            "contained": [{"resourceType": "RelatedPerson", "patient": {"reference": "#"}}],
        },
        ["Patient.contained[0].patient"],
    ),
    "not within the entries of a bundle": (
        {
            "resourceType": "Bundle",
            "entry": [
                {"resource": {"resourceType": "Encounter", "subject": {"reference": "Patient/1"}}}
            ],
        },
        [],
    ),
    "not what only has the name": (
        {
            "resourceType": "DetectedIssue",
            "reference": "https://example.org/paper",
            "patient": {"reference": "Patient/1"},
        },
        ["DetectedIssue.patient"],
    ),
    "not what does not fit": (
        {"resourceType": "Patient", "foo": {"reference": "Patient/1"}, "link": {"other": "x"}},
        [],
    ),
    "not in what is no resource": ({"resourceType": ["Patient"]}, []),
}


@pytest.mark.parametrize(("resource", "expected"), CASES.values(), ids=CASES.keys())
def test_every_reference_is_found_with_its_path(
    resource: dict[str, Any], expected: list[str]
) -> None:
    assert [path for path, _ in references(resource)] == expected


def test_a_reference_can_be_changed_where_it_stands() -> None:
    resource = {"resourceType": "Encounter", "subject": {"reference": "Patient?name=x"}}
    for _, reference in references(resource):
        reference["reference"] = "Patient/1"
    assert resource["subject"] == {"reference": "Patient/1"}
