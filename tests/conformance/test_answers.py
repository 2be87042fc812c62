"""What the server says is FHIR: each answer passes the validation that it asks of others."""

from __future__ import annotations

import pytest

from threadwell.fhir.json import decode
from threadwell.fhir.validation import validate

NEVER = "11111111-2222-4333-8444-555555555555"
PATIENT = {"resourceType": "Patient", "name": [{"family": "Brook"}]}


def bundle(kind: str, *requests: tuple[str, str, object]) -> dict[str, object]:
    entries = [
        {"request": {"method": method, "url": url}, **({"resource": body} if body else {})}
        for method, url, body in requests
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "Patient", PATIENT),
        ("GET", "Patient/{id}", None),
        ("GET", "Patient/{id}?_elements=name", None),
        ("PUT", "Patient/{id}", {**PATIENT, "id": "{id}", "active": True}),
        ("DELETE", "Patient/{id}", None),
        ("GET", "Patient/{id}/_history", None),
        ("GET", "Patient?_total=accurate&_count=1&_revinclude=Communication:subject", None),
        ("GET", "Patient?_count=0", None),
        ("GET", "Patient?_summary=count", None),
        ("GET", "Patient/{id}/$everything", None),
        ("POST", "Patient/$validate", PATIENT),
        ("POST", "Patient/$validate", {"resourceType": "Patient", "gender": 1}),
        ("POST", "", bundle("batch", ("POST", "Patient", PATIENT), ("GET", "Patient/x", None))),
        ("POST", "", bundle("transaction", ("POST", "Patient", PATIENT), ("GET", "Patient", None))),
        ("POST", "", bundle("transaction", ("PUT", f"Patient/{NEVER}", PATIENT))),
        ("GET", f"Patient/{NEVER}", None),
        ("GET", "Patient?nonsense=1", None),
        ("POST", "Patient/{id}", PATIENT),
    ],
)
def test_answers_are_valid(api, method: str, path: str, body: object) -> None:
    made = api.call("POST", "Patient", PATIENT).json()["id"]
    message = {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": f"Patient/{made}"},
    }
    assert api.call("POST", "Communication", message).status_code == 201
    if isinstance(body, dict) and "id" in body:
        body = {**body, "id": made}
    answer = api.call(method, path.format(id=made), body)
    assert answer.status_code < 500
    assert validate(decode(answer.content)) == []
