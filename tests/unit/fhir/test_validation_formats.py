"""The formats of primitive types and of references."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from threadwell.fhir.validation import validate

UUID = "2f5e8c4e-54ea-4d21-9b4f-1f6f4a0b6f0a"

GOOD: dict[str, list[Any]] = {
    "base64Binary": ["QQ==", "QUI=", "QUJD", " QU\r\nJD "],
    "boolean": [True, False],
    "canonical": ["http://hl7.org/fhir/ValueSet/x|4.0.1", "Questionnaire/q"],
    "code": ["a", "a b", "a-b_c"],
    "date": ["0001", "2024", "2024-01", "2024-02-29", "2000-02-29", "2024-12-31", "2024-04-30"],
    "dateTime": [
        "2024",
        "2024-02",
        "2024-02-29",
        "2024-02-29T00:00:00Z",
        "2024-12-31T23:59:60.5-13:59",
    ],
    "decimal": [
        *(0, -1, Decimal("1.10"), Decimal("1E-9"), 10**30, 0.5),
        *(10**199, Decimal("1E+999"), Decimal("-1E-999"), Decimal("9." + "9" * 199 + "E+999")),
    ],
    "id": ["a", "A-1.b", "x" * 64],
    "instant": ["2024-02-29T00:00:00Z", "2024-01-31T23:59:59.999999999+14:00"],
    "integer": [0, -(2**31), 2**31 - 1],
    "markdown": ["*a*\n\n| b |", "x"],
    "oid": ["urn:oid:1.2.3", "urn:oid:2.16.840.1.113883"],
    "positiveInt": [1, 2**31 - 1],
    "string": ["a", " a\tb\r\nc ", "👩‍👧", "\u00a0", "x" * 1048576],
    "time": ["00:00:00", "23:59:60.123"],
    "unsignedInt": [0, 2**31 - 1],
    "uri": ["a", "urn:x:y", "urn:oid:1.2.3", f"urn:uuid:{UUID}", "https://example.org/ä?b=c#d"],
    "url": ["https://example.org", "mailto:ana@example.org"],
    "uuid": [f"urn:uuid:{UUID}"],
}

XHTML = "http://www.w3.org/1999/xhtml"

BAD: dict[str, list[Any]] = {
    "base64Binary": ["", "Q", "QQ=", "QQ", "Q!==", "QQ==QQ==", "ä"],
    "canonical": ["", "a b", " a", "a", "/ValueSet/x", "urn:oid:1.x"],
    "code": ["", " a", "a ", "a  b", "a\tb"],
    "date": [
        "",
        "24",
        "0000",
        "2024-1",
        "2024-13",
        "2024-00",
        "2024-02-30",
        "2023-02-29",
        "1900-02-29",
        "2024-04-31",
        "2024-01-32",
        "2024-01-00",
        "2024-01-01T00:00:00Z",
        "2024/01/01",
        "2024-01-01\n",
        "٢٠٢٤",
    ],
    "dateTime": [
        "",
        "2024-02-30",
        "2023-02-29T10:00:00Z",
        "2024-01-01T10:00Z",
        "2024-01-01T10:00:00",
        "2024-01-01 10:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T10:60:00Z",
        "2024-01-01T10:00:61Z",
        "2024-01-01T10:00:00.Z",
        "2024-01-01T10:00:00+14:01",
        "2024-01-01T10:00:00z",
    ],
    "decimal": [
        *(Decimal("NaN"), Decimal("Infinity"), float("inf")),
        *(10**200, Decimal("1E+1000"), Decimal("-1E-1000"), Decimal("0E+1000")),
        *(Decimal("1E+999999"), Decimal("0." + "1" * 201)),
    ],
    "id": ["", "a_b", "a b", "x" * 65, "a/b", "ä"],
    "instant": ["2024", "2024-01-01", "2024-01-01T10:00:00", "2024-06-31T10:00:00Z"],
    "integer": [2**31, -(2**31) - 1, Decimal("1.0"), 1.0],
    "markdown": [""],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1"],
    "positiveInt": [0, -1, 2**31],
    "string": ["", "\x00", "a\x0b", "\ud800", "x" * 1048577],
    "time": ["", "10:00", "24:00:00", "10:00:00Z"],
    "unsignedInt": [-1, 2**31],
    "uri": ["", "a b", "a\n", "urn:oid:1.x", "urn:uuid:1", f"urn:uuid:{UUID.upper()}", "oid:1.2"],
    "url": ["", "https://example.org/a b"],
    "uuid": [UUID, f"urn:uuid:{UUID.upper()}", "urn:uuid:1"],
}

GOOD_REFERENCES = [
    "Encounter/1",
    f"Encounter/{UUID}/_history/{UUID}",
    "Encounter?identifier=a|b",
    "https://example.org/fhir/Encounter/1",
    "http://example.org/fhir/Encounter/1/_history/3",
    "https://example.org/download/17",
    f"urn:uuid:{UUID}",
    f"urn:uuid:{UUID.upper()}",
    "urn:oid:1.2.3",
]

BAD_REFERENCES = {
    "": "Invalid reference",
    "Encounter": "Invalid reference",
    "Encounter/": "Invalid reference",
    "Encounter/a_b": "Invalid reference",
    "Encounter/1/": "Invalid reference",
    "Encounter/1/_history": "Invalid reference",
    "/Encounter/1": "Invalid reference",
    "Encounter?": "Invalid reference",
    "Encounter?a=b c": "Invalid reference",
    "https://example.org/a b": "Invalid reference",
    "urn:uuid:1": "Invalid reference",
    "urn:oid:x": "Invalid reference",
    "encounter/1": "Invalid reference: unknown resource type",
    "Visit/1": "Invalid reference: unknown resource type",
    "Visit?a=b": "Invalid reference: unknown resource type",
    "Patient/1": "Invalid reference target: expected Encounter",
    "Patient/1/_history/2": "Invalid reference target: expected Encounter",
    "Patient?a=b": "Invalid reference target: expected Encounter",
    "https://example.org/fhir/Patient/1": "Invalid reference target: expected Encounter",
}


def with_value(type_: str, value: Any) -> dict[str, Any]:
    name = f"value{type_[0].upper()}{type_[1:]}"
    return {
        "resourceType": "Basic",
        "code": {"text": "x"},
        "extension": [{"url": "urn:x", name: value}],
    }


def with_encounter(reference: Any) -> dict[str, Any]:
    encounter = {"reference": reference}
    return {"resourceType": "Communication", "status": "completed", "encounter": encounter}


@pytest.mark.parametrize(
    ("type_", "value"), [(type_, value) for type_, values in GOOD.items() for value in values]
)
def test_a_value_of_the_format_is_valid(type_: str, value: Any) -> None:
    assert validate(with_value(type_, value)) == []


@pytest.mark.parametrize(
    ("type_", "value"), [(type_, value) for type_, values in BAD.items() for value in values]
)
def test_a_value_of_another_format_is_not(type_: str, value: Any) -> None:
    (issue,) = validate(with_value(type_, value))
    assert issue.code == "value"
    assert issue.text.partition(":")[0] == f"Invalid {type_} format"
    assert issue.expression == "Basic.extension[0].value[x]"


SAYS = "The narrative SHALL have some non-whitespace content (txt-2)"


@pytest.mark.parametrize(
    ("div", "told"),
    [
        ("Ana", ["Invalid xhtml format: a narrative begins with <div"]),
        ("", ["Invalid xhtml format: a narrative begins with <div"]),
        ("<!DOCTYPE html><div/>", ["Invalid xhtml format: a narrative begins with <div"]),
        ("<p>Ana</p>", ["Invalid xhtml format: a narrative begins with <div"]),
        (
            "<divan/>",
            [
                f"Invalid xhtml format: a narrative is a div of the namespace {XHTML}",
                "(txt-1): no divan",
                SAYS,
            ],
        ),
        (
            "<div>Ana</div>",
            [f"Invalid xhtml format: a narrative is a div of the namespace {XHTML}"],
        ),
        (f'<div xmlns="{XHTML}"><p>Ana</div>', ["Invalid xhtml format: mismatched tag"]),
        (f'<div xmlns="{XHTML}">&nbsp;</div>', ["Invalid xhtml format: undefined entity"]),
        (f'<div xmlns="{XHTML}">a</div> b', ["Invalid xhtml format: junk after document element"]),
        (f'<div xmlns="{XHTML}"> <br/> </div>', [SAYS]),
        (f'<div xmlns="{XHTML}">a<script>b</script></div>', ["(txt-1): no script"]),
        (f'<div xmlns="{XHTML}" onclick="b">a</div>', ["(txt-1): no onclick of div"]),
        (f'<div xmlns="{XHTML}"><img src="JavaScript:b"/></div>', ["(txt-1): no script in src"]),
        (f'<div xmlns="{XHTML}"><iframe/></div>', ["(txt-1): no iframe", SAYS]),
        (
            f'<div xmlns="{XHTML}"><svg xmlns="http://www.w3.org/2000/svg">a</svg></div>',
            ["(txt-1): no svg"],
        ),
    ],
)
def test_a_narrative_is_plain_xhtml_that_says_something(div: str, told: list[str]) -> None:
    issues = validate({"resourceType": "Patient", "text": {"status": "generated", "div": div}})
    assert {issue.expression for issue in issues} == {"Patient.text.div"}
    assert len(issues) == len(told)
    assert all(issue.text.endswith(end) for issue, end in zip(issues, told, strict=True))


@pytest.mark.parametrize(
    "inner",
    [
        "Ana",
        '<img src="a.png" alt="Ana"/>',
        '<table class="grid" border="1"><tr><td colspan="2" align="left">a</td></tr></table>',
        '<p style="color:red" xml:lang="es" id="a">niña &lt; &#233;</p><!-- said -->',
        '<a name="b">a</a><a href="https://example.org/">c</a><h6>d</h6><ul><li>e</li></ul>',
    ],
)
def test_plain_xhtml_is_valid(inner: str) -> None:
    div = f'\n<div xmlns="{XHTML}">{inner}</div>\n'
    assert validate({"resourceType": "Patient", "text": {"status": "generated", "div": div}}) == []


@pytest.mark.parametrize("id_", ["", "a_b", "x" * 65])
def test_the_id_of_a_resource_is_an_id(id_: str) -> None:
    (issue,) = validate({"resourceType": "Patient", "id": id_})
    assert (issue.text, issue.expression) == ("Invalid id format", "Patient.id")


@pytest.mark.parametrize("reference", GOOD_REFERENCES)
def test_a_reference_of_fhirs_syntax_is_valid(reference: str) -> None:
    assert validate(with_encounter(reference)) == []


@pytest.mark.parametrize(("reference", "text"), BAD_REFERENCES.items())
def test_any_other_reference_is_not(reference: str, text: str) -> None:
    (issue,) = validate(with_encounter(reference))
    assert (issue.code, issue.text) == ("value", text)
    assert issue.expression == "Communication.encounter.reference"


def test_a_reference_is_a_string() -> None:
    (issue,) = validate(with_encounter(1))
    assert issue.text == "Invalid JSON type: expected string, but got number"
