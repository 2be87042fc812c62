"""The work of a validation grows with the size of the resource, and no faster.

Work is counted in instructions of Python; a clock would tell more about the machine than about us.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from threadwell.fhir.resource import Resource
from threadwell.fhir.validation import validate

SMALL, TIMES = 60, 4
#: Four times as large may take this many times as much, for what every resource costs.
MOST = TIMES * 1.4

XHTML = "http://www.w3.org/1999/xhtml"


def many(make: Callable[[int], Any], count: int) -> list[Any]:
    return [make(n) for n in range(count)]


def communication(**more: Any) -> Resource:
    return {"resourceType": "Communication", "status": "completed", **more}


def patient(n: int) -> Resource:
    return {"resourceType": "Patient", "id": f"p{n}"}


def definition(kind: str, count: int) -> Resource:
    elements = many(
        lambda n: {"id": f"Visit.a{n}" if n else "Visit", "path": f"Visit.a{n}" if n else "Visit"},
        count,
    )
    return {
        "resourceType": "StructureDefinition",
        "url": "https://example.org/visit",
        "name": "Visit",
        "status": "draft",
        "kind": "logical",
        "abstract": False,
        "type": "Visit",
        kind: {"element": elements},
    }


def nested(count: int) -> list[Resource]:
    items = many(lambda n: {"linkId": f"a{n}", "type": "string"}, count)
    for depth in range(20):
        items = [{"linkId": f"group{depth}", "type": "group", "item": items}]
    return items


RESOURCES: dict[str, Callable[[int], Resource]] = {
    "contained resources": lambda n: communication(
        contained=many(patient, n), recipient=many(lambda i: {"reference": f"#p{i}"}, n)
    ),
    "contained resources to which nothing leads": lambda n: communication(
        contained=many(patient, n)
    ),
    "references to what is not contained": lambda n: communication(
        recipient=many(lambda i: {"reference": f"#p{i}"}, n)
    ),
    "participants on behalf of others": lambda n: {
        "resourceType": "CareTeam",
        "contained": many(lambda i: {"resourceType": "Practitioner", "id": f"p{i}"}, n),
        "participant": many(
            lambda i: {
                "member": {"reference": f"#p{i}"},
                "onBehalfOf": {"reference": "Organization/1"},
            },
            n,
        ),
    },
    "participants that may act on behalf of nobody": lambda n: {
        "resourceType": "CareTeam",
        "participant": many(
            lambda i: {
                "member": {"reference": f"Patient/{i}"},
                "onBehalfOf": {"reference": "Organization/1"},
            },
            n,
        ),
    },
    "codes of an observation and of its components": lambda n: {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": many(lambda i: {"system": "https://example.org/c", "code": f"a{i}"}, n)},
        "valueString": "a",
        "component": many(
            lambda i: {
                "code": {"coding": [{"system": "https://example.org/c", "code": f"b{i}"}]},
                "valueString": "b",
            },
            n,
        ),
    },
    "groups of a guide": lambda n: {
        "resourceType": "ImplementationGuide",
        "url": "https://example.org/guide",
        "name": "Guide",
        "status": "draft",
        "packageId": "org.example.guide",
        "fhirVersion": ["4.0.1"],
        "definition": {
            "grouping": many(lambda i: {"id": f"g{i}", "name": "a"}, n),
            "resource": many(
                lambda i: {"reference": {"reference": f"Patient/{i}"}, "groupingId": f"g{i}"}, n
            ),
        },
    },
    "elements of a snapshot": lambda n: definition("snapshot", n),
    "elements of a differential": lambda n: definition("differential", n),
    "questions within twenty groups": lambda n: {
        "resourceType": "Questionnaire",
        "status": "draft",
        "item": nested(n),
    },
    "entries": lambda n: {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": many(
            lambda i: {"fullUrl": f"https://example.org/Patient/p{i}", "resource": patient(i)}, n
        ),
    },
    "unknown members": lambda n: communication(**{f"a{i}": 1 for i in range(n)}),
    "elements of a narrative": lambda n: communication(
        text={"status": "generated", "div": f'<div xmlns="{XHTML}">{"<p>a</p>" * n}</div>'}
    ),
    "narrative within narrative": lambda n: communication(
        text={"status": "generated", "div": f'<div xmlns="{XHTML}">{"<b>" * n}a{"</b>" * n}</div>'}
    ),
}


@pytest.mark.parametrize("make", RESOURCES.values(), ids=RESOURCES)
def test_the_work_grows_with_the_resource_and_no_faster(make: Callable[[int], Resource]) -> None:
    validate(make(2))  # compiles its type
    small, large = instructions(make(SMALL)), instructions(make(SMALL * TIMES))

    assert large < small * MOST


def test_an_answer_names_a_thousand_mistakes_at_most() -> None:
    found = validate(RESOURCES["references to what is not contained"](5000))

    assert len(found) == 1000


def instructions(resource: Resource) -> int:
    """How many instructions of Python a validation of the resource runs."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        validate(resource)
    finally:
        sys.settrace(before)
    return count
