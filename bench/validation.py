"""What R4's invariants, and the search for repeated members, take of a create.

python -m bench validation
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import threadwell
from threadwell.fhir.json import decode, encode, parse
from threadwell.fhir.validation import invariants, resources
from threadwell.fhir.validation.contained import check_ids
from threadwell.fhir.validation.objects import Compiler

_PERIOD = {"start": "2024-05-01T10:00:00Z", "end": "2024-05-01T11:00:00Z"}
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_IDENTIFIER = {"system": "https://example.org/id", "value": "1"}
_RESOURCES: dict[str, dict[str, Any]] = {
    "a message": {
        "resourceType": "Communication",
        "status": "completed",
        "identifier": [_IDENTIFIER],
        "partOf": [{"reference": "Communication/1"}],
        "subject": {"reference": "Patient/1"},
        "sender": {"reference": "Patient/1"},
        "recipient": [{"reference": "Practitioner/1"}],
        "sent": "2024-05-01T10:00:00Z",
        "payload": [{"contentString": "I took the reading before breakfast. " * 8}],
    },
    "a session": {
        "resourceType": "Encounter",
        "status": "finished",
        "statusHistory": [{"status": "in-progress", "period": _PERIOD}],
        "identifier": [_IDENTIFIER],
        "class": {"system": _ACT, "code": "VR"},
        "subject": {"reference": "Patient/1"},
        "participant": [{"period": _PERIOD, "individual": {"reference": "Practitioner/1"}}] * 2,
        "period": _PERIOD,
    },
    "a patient": {
        "resourceType": "Patient",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Ana <b>Prado</b></p></div>',
        },
        "identifier": [_IDENTIFIER],
        "name": [{"family": "Prado", "given": ["Ana"]}],
        "telecom": [{"system": "phone", "value": "+15550100"}],
        "birthDate": "1984-02-29",
        "contact": [{"name": {"text": "Bea"}, "telecom": [{"system": "phone", "value": "1"}]}],
    },
}
_CREATES = 300


def main(_: list[str]) -> None:
    """Print the figures."""
    for name, resource in _RESOURCES.items():
        type_ = resource["resourceType"]
        with patch.object(invariants, "constraints", lambda _: ()):
            without = Compiler({"": _anything, "contained": _anything}).compile(type_)
        whole = _least(lambda r=resource: resources.check_resource(r))
        bare = _least(lambda r=resource, check=without: check(r))
        text = encode(resource)
        repeats = _least(lambda t=text: parse(t)) - _least(lambda t=text: decode(t))
        create = _create(resource)
        print(
            f"{name:10} invariants {whole - bare:5.1f} µs of {whole:5.1f}, "
            f"repeated members {repeats:4.1f} µs, of a create's {create:5.0f} µs: "
            f"{100 * (whole - bare + repeats) / create:.1f} %"
        )
    print(f"ids of contained resources, where there are any: {_contained():.1f} µs for one")


def _anything(_: Any) -> None:
    return None


def _least(call: Callable[[], Any], batch: int = 200, batches: int = 100) -> float:
    """The shortest time of a call in microseconds: what disturbs only makes it longer."""
    times = []
    for _ in range(batches):
        begun = time.perf_counter()
        for _ in range(batch):
            call()
        times.append((time.perf_counter() - begun) / batch)
    return min(times) * 1e6


def _create(resource: dict[str, Any]) -> float:
    """The time of a create in microseconds, without HTTP, in a SQLite store."""
    with tempfile.TemporaryDirectory() as folder, threadwell.open(Path(folder) / "bench.db") as tw:
        return _least(lambda: tw.create_resource(resource), 1, _CREATES)


def _contained() -> float:
    inner = {"resourceType": "Practitioner", "id": "a"}
    resource = {**_RESOURCES["a message"], "contained": [inner], "sender": {"reference": "#a"}}
    return _least(lambda: check_ids(resource))
