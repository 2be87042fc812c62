"""Resources of every type, made from the definitions: valid as made, invalid with one change.

What is made at random holds the invariants by chance only: those have a table of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from threadwell.fhir.definitions import RESOURCE_TYPES, load
from threadwell.fhir.definitions.structures import Element, elements, primitive
from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import Issue
from threadwell.fhir.validation import validate

PRIMITIVES: dict[str, list[Any]] = {
    "base64Binary": ["QUJD"],
    "boolean": [True, False],
    "canonical": ["https://example.org/ValueSet/x|1"],
    "code": ["a-code"],
    "date": ["2024", "2024-02", "2024-02-29"],
    "dateTime": ["2024-02-29", "2024-02-29T10:00:00+02:00"],
    "decimal": [1, Decimal("1.10")],
    "id": ["an-id.1"],
    "instant": ["2024-02-29T10:00:00.000Z"],
    "integer": [-1, 0, 7],
    "markdown": ["*text*\n"],
    "oid": ["urn:oid:1.2.3"],
    "positiveInt": [1],
    "string": ["text", "línea\nline"],
    "time": ["10:00:00"],
    "unsignedInt": [0],
    "uri": ["urn:x:y"],
    "url": ["https://example.org"],
    "uuid": ["urn:uuid:2f5e8c4e-54ea-4d21-9b4f-1f6f4a0b6f0a"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml">text</div>'],
}

#: A system and code of each required value set that the package does not list.
UNLISTED = {
    "http://hl7.org/fhir/ValueSet/mimetypes": ("urn:ietf:bcp:13", "text/plain"),
    "http://hl7.org/fhir/ValueSet/currencies": ("urn:iso:std:iso:4217", "EUR"),
    "http://hl7.org/fhir/ValueSet/ucum-units": ("http://unitsofmeasure.org", "mg/dL"),
    "http://loinc.org/vs/LL379-9": ("http://loinc.org", "LA9658-1"),
}

#: How many levels down optional elements are still made.
DEPTH = 3

quiet = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def resources(draw: st.DrawFn) -> dict[str, Any]:
    """A resource of any type with some of its optional elements."""
    type_ = draw(st.sampled_from(sorted(RESOURCE_TYPES)))
    return {"resourceType": type_, **members(draw, type_, 0)}


def members(draw: st.DrawFn, type_: str, depth: int) -> dict[str, Any]:
    parts = [e for e in elements(type_) if e.name not in {"id", "contained"}]
    if type_ == "Extension":
        parts = [e for e in parts if e.name != "extension"]
    optional = [e for e in parts if not e.required]
    chosen: list[Element] = []
    if optional and depth < DEPTH:
        chosen = draw(st.lists(st.sampled_from(optional), max_size=3, unique_by=lambda e: e.name))
    wanted = [e for e in parts if e.required or e in chosen or e.name == "value[x]"]
    made = dict(member(draw, element, depth) for element in wanted)
    if made:
        return made
    # The last element of some types is of that type again, without end (``Consent.provision``).
    plain = (e for e in optional if primitive(next(iter(e.json_names().values()))))
    return dict([member(draw, next(plain, optional[-1]), depth)])


def member(draw: st.DrawFn, element: Element, depth: int) -> tuple[str, Any]:
    names = element.json_names()
    # Deep down the first type of a choice will do: it is always a primitive or a plain type.
    name = draw(st.sampled_from(list(names))) if depth < DEPTH else next(iter(names))
    many = range(draw(st.integers(1, 2))) if element.many else None
    if many is None:
        return name, item(draw, element, names[name], depth)
    return name, [item(draw, element, names[name], depth) for _ in many]


def item(draw: st.DrawFn, element: Element, type_: str, depth: int) -> Any:
    if element.value_set:
        if element.value_set in UNLISTED:
            system, code = UNLISTED[element.value_set]
        else:
            systems = load("value_sets")[element.value_set]
            system = draw(st.sampled_from(list(systems)))
            code = draw(st.sampled_from(systems[system]))
        return code if type_ == "code" else {"coding": [{"system": system, "code": code}]}
    if type_ == "Reference":
        return {"reference": f"{draw(st.sampled_from(element.types[type_] or ('Patient',)))}/1"}
    if type_ == "Resource":
        return {"resourceType": "Basic", "code": {"text": "x"}}
    if type_ == "Extension":
        return {"url": "https://example.org/x", "valueString": "x"}
    return (
        draw(st.sampled_from(PRIMITIVES[type_]))
        if primitive(type_)
        else members(draw, type_, depth + 1)
    )


def places(
    value: dict[str, Any], type_: str, path: str
) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Every property of the resource: its object, its JSON name and its FHIRPath."""
    named = {n: (e, code) for e in elements(type_) for n, code in e.json_names().items()}
    for name, child in value.items():
        if name == "resourceType" and name not in named:
            continue
        element, code = named[name]
        here = f"{path}.{element.name}"
        yield value, name, here
        for index, part in enumerate(child if isinstance(child, list) else [child]):
            step = f"{here}[{index}]" if isinstance(child, list) else here
            if isinstance(part, dict):
                yield from places(part, part["resourceType"] if code == "Resource" else code, step)


def structural(resource: dict[str, Any]) -> list[Issue]:
    return [issue for issue in validate(resource) if issue.code != "invariant"]


@quiet
@given(resources())
def test_a_resource_made_from_the_definitions_is_valid(resource: dict[str, Any]) -> None:
    assert structural(resource) == []


@quiet
@given(resources())
def test_validation_outlives_a_round_trip_through_json(resource: dict[str, Any]) -> None:
    before = deepcopy(resource)
    assert structural(decode(encode(resource))) == []
    assert resource == before


@quiet
@given(resources(), st.data())
def test_one_change_is_found_where_it_was_made(
    resource: dict[str, Any], data: st.DataObject
) -> None:
    found = list(places(resource, resource["resourceType"], resource["resourceType"]))
    holder, name, path = data.draw(st.sampled_from(found))
    wrong = data.draw(st.sampled_from([None, [], {}, "", [[]]]))
    kept = holder[name]
    holder[name] = wrong
    issues = structural(resource)
    assert issues
    # An element that is empty or of another type may be missed further up or down as well.
    assert any(path in issue.expression for issue in issues)
    holder[name] = kept
    assert structural(resource) == []


@quiet
@given(resources(), st.data())
def test_an_unknown_property_is_found_at_any_depth(
    resource: dict[str, Any], data: st.DataObject
) -> None:
    found = list(places(resource, resource["resourceType"], resource["resourceType"]))
    holder, _, path = data.draw(st.sampled_from(found))
    holder["foo"] = 1
    (issue,) = structural(resource)
    assert issue.text == 'Invalid additional property "foo"'
    assert issue.expression == f"{path.rpartition('.')[0]}.foo"
