"""What a query asks to be returned, and which queries are refused."""

import pytest

from threadwell.fhir.definitions.structures import elements
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import (
    Include,
    Query,
    Sort,
    Total,
)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([], {}),
        ([("_sort", "status,-sent")], {"sort": (Sort("status"), Sort("sent", True))}),
        ([("_sort", "-_lastUpdated")], {"sort": (Sort("_lastUpdated", True),)}),
        ([("_sort", "_id")], {"sort": (Sort("_id"),)}),
        ([("_count", "0")], {"count": 0, "summary_count": True}),
        ([("_count", "5000")], {"count": 1000}),
        ([("_offset", "10000")], {"offset": 10000}),
        ([("_total", "accurate")], {"total": Total.ACCURATE}),
        ([("_total", "estimate")], {"total": Total.ESTIMATE}),
        ([("_summary", "count")], {"summary_count": True}),
        ([("_summary", "text")], {"elements": ("text",)}),
        ([("_summary", "false")], {}),
        ([("_elements", "status,Communication.sent")], {"elements": ("status", "sent")}),
        (
            [("_include", "Communication:subject")],
            {"includes": (Include("Communication", "subject"),)},
        ),
        (
            [("_include", "Communication:subject:Patient")],
            {"includes": (Include("Communication", "subject", "Patient"),)},
        ),
        ([("_include", "*")], {"includes": (Include("Communication", "*"),)}),
        (
            [("_include:iterate", "Encounter:part-of")],
            {"includes": (Include("Encounter", "part-of", iterate=True),)},
        ),
        (
            [("_revinclude", "Communication:part-of")],
            {"rev_includes": (Include("Communication", "part-of"),)},
        ),
        (
            [("_revinclude:iterate", "Task:focus")],
            {"rev_includes": (Include("Task", "focus", iterate=True),)},
        ),
        ([("_revinclude", "*")], {"rev_includes": (Include("*", "*"),)}),
        ([("_format", "json"), ("_pretty", "true")], {}),
    ],
)  # fmt: skip
def test_what_is_returned(params, expected):
    assert parse_query("Communication", params) == Query("Communication", **expected)


def test_summary_true_is_what_the_definitions_mark():
    asked = parse_query("Communication", [("_summary", "true")]).elements
    assert {"identifier", "partOf", "subject", "encounter", "id", "meta"} <= set(asked)
    assert not {"payload", "note", "sent", "medium", "text", "contained", "extension"} & set(asked)
    assert "valueQuantity" in parse_query("Observation", [("_summary", "true")]).elements


def test_summary_data_is_all_but_the_narrative():
    asked = set(parse_query("Observation", [("_summary", "data")]).elements)
    assert {"status", "valueQuantity"} <= asked
    assert "text" not in asked
    assert len(asked) == sum(len(e.json_names()) for e in elements("Observation")) - 1


@pytest.mark.parametrize(
    ("type_", "text", "message"),
    [
        ("Patient", "foo=1", "Unknown search parameter: foo"),
        ("Patient", "foo:exact=1", "Unknown search parameter: foo"),
        ("Visit", "_id=1", "Unknown search parameter: _id"),
        ("Communication", "sent=yesterday", "search parameter sent: expected a date"),
        ("Communication", "sent=zz2024", "search parameter sent: expected a date"),
        ("Communication", "sent=gt", "search parameter sent: expected a date"),
        ("Communication", "sent=2024-13", "search parameter sent: expected a date"),
        ("Communication", "sent:exact=2024", "sent has no modifier :exact"),
        ("Communication", "status:in=x", "status: expected the url of a value set"),
        ("Communication", "status=", "search parameter status: expected a value"),
        ("Communication", "status=a,,b", "search parameter status: expected a code"),
        ("Communication", "status=|", "search parameter status: expected a code"),
        ("Communication", "status:missing=maybe", "search parameter status: expected true or"),
        ("Communication", "subject=Visit/1", "search parameter subject: expected a reference"),
        ("Communication", "subject=a b", "search parameter subject: expected a reference"),
        ("Communication", "subject:Device=d", "subject does not refer to a type Device"),
        ("Communication", "subject:Patient=Group/g", "expected a reference to Patient"),
        ("Communication", "subject:Patient=urn:a:b", "search parameter subject: expected a ref"),
        ("Communication", "subject:exact=p", "subject has no modifier :exact"),
        ("Communication", "subject.foo=p", "Unknown search parameter: subject.foo"),
        ("Communication", "subject:Device.foo=p", "subject does not refer to a type Device"),
        ("Communication", "status.code=p", "status of Communication is not a reference"),
        ("Communication", "subject:Patient.birthdate=x", "birthdate: expected a date"),
        ("Patient", "name:above=x", "name has no modifier :above"),
        ("Patient", "name=a,", "search parameter name: expected a text"),
        ("Patient", "_id:exact=a", "_id has no modifier :exact"),
        ("ValueSet", "url:exact=x", "url has no modifier :exact"),
        ("ChargeItem", "factor-override=x", "factor-override: expected a number"),
        ("ChargeItem", "factor-override:not=1", "factor-override has no modifier :not"),
        ("Observation", "value-quantity=5|mg", "value-quantity: expected a quantity"),
        ("Observation", "code-value-quantity=a", "expected 2 values with $ between"),
        ("Observation", "code-value-quantity=a$b", "code-value-quantity: expected a number"),
        ("Patient", "_has:Visit:x:y=1", "Invalid _has"),
        ("Patient", "_has:Communication:subject=1", "Invalid _has"),
        ("Patient", "_has:Communication:encounter:status=x", "does not refer to Patient"),
        ("Patient", "_has:Communication:status:status=x", "is not a reference"),
        ("Patient", f"{'link:Patient.' * 9}_id=1", "more than 8 links"),
        ("Encounter", f"{'_has:Encounter:part-of:' * 9}_id=1", "more than 8 links"),
        ("Task", "focus.focus.focus._id=1", "too many types"),
        ("Library", "derived-from.depends-on._id=1", "too many types"),
        ("Patient", "_sort=foo", "Unknown search parameter: foo"),
        ("Observation", "_sort=code-value-quantity", "_sort does not take"),
        ("Patient", "_count=-1", "_count must be a whole number"),
        ("Patient", "_count=x", "_count must be a whole number"),
        ("Patient", "_offset=10001", "_offset is greater than 10000"),
        ("Patient", "_total=yes", "_total must be"),
        ("Patient", "_summary=yes", "_summary must be"),
        ("Patient", "_include=Patient", "Invalid _include"),
        ("Patient", "_include=Patient:organization:Visit", "Invalid _include"),
        ("Patient", "_include=Patient:foo", "Unknown search parameter: foo"),
        ("Patient", "_include=Patient:name", "name of Patient is not a reference"),
        ("Patient", "_revinclude=*:subject", "Invalid _revinclude"),
        ("Patient", "identifier=a\\b", "identifier: expected a backslash before"),
        ("Patient", "family=a\\", "family: expected a backslash before"),
        ("Patient", "_id=\\x", "_id: expected a backslash before"),
        ("Patient", "identifier=a\\\\\\b", "identifier: expected a backslash before"),
        ("Patient", "organization.name=a\\b", "name: expected a backslash before"),
        ("Observation", "code-value-quantity=a\\b$5", "expected a backslash before"),
        ("Patient", "family=-", "family: expected a text of more"),
        ("Observation", "code:text=...", "code: expected a text of more"),
    ],
)
def test_refusals_name_the_parameter(type_, text, message):
    name, _, value = text.partition("=")
    with pytest.raises(FhirError) as refused:
        parse_query(type_, [(name, value)])
    assert refused.value.status == 400
    assert [issue.code for issue in refused.value.issues] == ["invalid"]
    assert message in str(refused.value)


@pytest.mark.parametrize(("type_", "code"), [("Patient", "age"), ("Location", "near")])
def test_what_cannot_be_searched_by_is_not_supported(type_, code):
    with pytest.raises(FhirError) as refused:
        parse_query(type_, [(code, "1")])
    assert [issue.code for issue in refused.value.issues] == ["not-supported"]


def test_a_refusal_does_not_repeat_the_value():
    with pytest.raises(FhirError) as refused:
        parse_query("Patient", [("birthdate", "Ana Prado")])
    assert "Prado" not in str(refused.value)
