"""Every invariant of R4, each with an instance that holds it and one that breaks it alone.

``invariants.jsonl`` has the path that a constraint stands at, its key, and what is put there over
what is required anyway; ``null`` takes away. Some cannot be broken alone, or not at all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from threadwell.fhir.definitions import RESOURCE_TYPES, load
from threadwell.fhir.definitions.constraints import constraint
from threadwell.fhir.definitions.structures import elements
from threadwell.fhir.validation import validate
from threadwell.fhir.validation.invariants import ELSEWHERE

CASES = [
    json.loads(line)
    for line in Path(__file__).with_name("invariants.jsonl").read_text("utf-8").splitlines()
]

#: Those that go with others: what breaks one breaks these as well.
TOGETHER = {
    "cpb-3": {"cpb-16"},
    "eld-3": {"eld-2"},
    "qty-3": {"drt-1"},
    "sdf-11": {"sdf-8"},
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]}")
def test_what_holds_it_is_valid(case: list[Any], place) -> None:
    path, _, good, _ = case
    assert validate(place(path, good)) == []


@pytest.mark.parametrize(
    "case", [c for c in CASES if c[3] is not None], ids=lambda case: f"{case[0]} {case[1]}"
)
def test_what_breaks_it_is_told_where_and_why(case: list[Any], place) -> None:
    path, key, _, bad = case
    issues = validate(place(path, bad))
    expected = constraint(path, key).text
    assert expected in {issue.text for issue in issues}
    assert {issue.code for issue in issues} == {"invariant"}
    others = {issue.text.rpartition("(")[2].rstrip(")") for issue in issues} - {key}
    assert others <= TOGETHER.get(key, set())
    (issue,) = (issue for issue in issues if issue.text == expected)
    if path.partition(".")[0] in RESOURCE_TYPES:
        assert ".".join(s.partition("[")[0] for s in issue.expression.split(".")) == path.replace(
            "[x]", ""
        )


def test_every_invariant_is_here() -> None:
    known = {
        (path, key)
        for path, listed in load("constraints").items()
        for key, _, _ in listed
        if key not in ELSEWHERE
    }
    assert {(path, key) for path, key, *_ in CASES} == known


@pytest.fixture
def place(least):
    """A resource with a value at the path, and beyond it only what is required."""

    def resource(path: str, value: Any) -> dict[str, Any]:
        type_, _, rest = path.partition(".")
        if type_ == "DomainResource":
            return over(least("Communication"), value)
        if type_ in RESOURCE_TYPES:
            return inside(least, type_, rest.split(".") if rest else [], value)
        made = inside(least, type_, rest.split(".") if rest else [], value)
        if type_ == "ElementDefinition":
            whole = {"definition": "d", "base": {"path": "x", "min": 0, "max": "*"}}
            listed = [
                {"id": path, "path": path, "min": 0, "max": "*", **whole, **over({}, more)}
                for path, more in (("x", {}), ("x.y", {**made, "path": "x.y"}))
            ]
            snapshot = {"snapshot": {"element": listed}, "differential": None}
            return over(least("StructureDefinition"), snapshot)
        if type_ == "SimpleQuantity":
            return over(least("Observation"), {"referenceRange": [{"low": made}]})
        extension = {"url": "https://example.org/x", f"value{type_}": made}
        return {**least("Basic"), "extension": [extension]}

    return resource


def inside(least: Any, type_: str, steps: list[str], value: Any) -> dict[str, Any]:
    if not steps or steps[0].endswith("[x]"):
        return over(least(type_), value)
    (element,) = (e for e in elements(type_) if e.name == steps[0])
    (code,) = element.types
    if len(steps) > 1 or isinstance(value, dict):
        value = inside(least, code, steps[1:], value)
    return {**least(type_), steps[0]: [value] if element.many else value}


def over(made: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    return {name: v for name, v in {**made, **value}.items() if v is not None}
