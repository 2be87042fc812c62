"""Batches: entries on their own, each answered as the same request by itself would be."""

from __future__ import annotations

import base64
import json

import pytest

OPERATIONS = [{"op": "add", "path": "/active", "value": True}]


def test_entries_are_independent(api) -> None:
    there, leaving = api.make(), api.make()
    answer = api.bundle(
        "batch",
        api.entry("GET", f"Patient/{there['id']}"),
        api.entry("GET", f"/Patient/{there['id']}"),
        api.entry("GET", f"{api.url}/fhir/R4/Patient/{there['id']}"),
        api.entry("GET", f"Patient/{api.never}"),
        api.entry("POST", "Patient", {"resourceType": "Patient", "gender": 1}),
        api.entry("POST", "Patient", {"resourceType": "Patient", "gender": "male"}),
        api.entry("PUT", f"Patient/{there['id']}", {**there, "active": False}),
        api.entry("DELETE", f"Patient/{leaving['id']}"),
        api.entry("GET", "Patient?_summary=count"),
        api.entry("GET", "Nonsense"),
        api.entry("POST", "Patient/$validate", {"resourceType": "Patient"}),
    )
    assert answer.status_code == 200
    bundle = answer.json()
    assert bundle["type"] == "batch-response"
    statuses = [one["response"]["status"] for one in bundle["entry"]]
    assert " ".join(statuses) == "200 200 200 404 400 201 200 200 200 404 200"
    assert bundle["entry"][0]["resource"] == there
    assert bundle["entry"][3]["response"]["outcome"]["issue"][0]["code"] == "not-found"
    made = bundle["entry"][5]
    assert made["response"]["location"] == f"Patient/{made['resource']['id']}"
    assert made["response"]["outcome"]["id"] == "created"
    assert made["response"]["etag"] == f'W/"{made["resource"]["meta"]["versionId"]}"'
    assert "resource" not in bundle["entry"][7]
    assert bundle["entry"][8]["resource"]["total"] == 2


def test_headers_of_entries(api, mark: str) -> None:
    made = api.make(identifier=api.tagged(mark))
    tag = f'W/"{made["meta"]["versionId"]}"'
    path = f"Patient/{made['id']}"
    body = {**made, "active": True}
    answer = api.bundle(
        "batch",
        api.entry("GET", path, ifNoneMatch=tag),
        api.entry("PUT", path, body, ifMatch='W/"stale"'),
        api.entry("PUT", path, body, ifMatch=tag),
        api.entry("POST", "Patient", made, ifNoneExist=f"identifier=urn:t|{mark}"),
        prefer="return=minimal",
    )
    entries = answer.json()["entry"]
    assert [one["response"]["status"] for one in entries] == ["304", "412", "200", "200"]
    assert not any("resource" in one for one in entries)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_ways_to_bring_a_patch(api, kind: str) -> None:
    made = api.make()
    data = base64.b64encode(json.dumps(OPERATIONS).encode()).decode()
    parts = [
        {"name": "op", "valueCode": "add"},
        {"name": "path", "valueString": "/active"},
        {"name": "value", "valueString": "true"},
    ]
    for body in (
        {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data},
        {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]},
        OPERATIONS,
    ):
        made = api.make()
        (one,) = api.bundle(kind, api.entry("PATCH", f"Patient/{made['id']}", body)).json()["entry"]
        assert one["response"]["status"] == "200"
        assert one["resource"]["active"] is True


@pytest.mark.parametrize("data", ["!", "é", 7])
def test_a_patch_that_is_no_base64(api, data: object) -> None:
    body = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}
    entry = api.entry("PATCH", f"Patient/{api.make()['id']}", body)
    (one,) = api.bundle("batch", entry).json()["entry"]
    assert one["response"]["status"] == "400"


PATIENT = {"resourceType": "Patient"}
MALFORMED = [
    (None, "request"),
    ({}, "request"),
    ({"request": {"url": "Patient"}}, "request.method"),
    ({"request": {"method": "ZAP", "url": "Patient"}}, "request.method"),
    ({"request": {"method": "GET"}}, "request.url"),
    ({"request": {"method": "GET", "url": "/"}}, "request.url"),
    ({"request": {"method": "POST", "url": "Patient"}}, "resource"),
    (
        {"resource": PATIENT, "request": {"method": "POST", "url": "Patient", "ifNoneExist": 7}},
        "request.ifNoneExist",
    ),
    ({"resource": PATIENT, "request": {"method": "PATCH", "url": "Patient/1"}}, "resource"),
    (
        {
            "resource": {"resourceType": "Binary", "data": "!"},
            "request": {"method": "PATCH", "url": "Patient/1"},
        },
        "resource.data",
    ),
]


@pytest.mark.parametrize(("entry", "path"), MALFORMED)
def test_a_malformed_entry_of_a_batch_fails_alone(api, entry: object, path: str) -> None:
    good = api.entry("POST", "Patient", PATIENT)
    answer = api.bundle("batch", good, entry, good)
    assert answer.status_code == 200
    responses = [one["response"] for one in answer.json()["entry"]]
    assert [one["status"] for one in responses] == ["201", "400", "201"]
    named = [issue["expression"] for issue in responses[1]["outcome"]["issue"]]
    assert named == [[f"Bundle.entry[1].{path}"]]


def test_all_malformed_entries_of_a_transaction_are_named(api) -> None:
    good = api.entry("POST", "Patient", PATIENT)
    answer = api.bundle("transaction", good, *(entry for entry, _ in MALFORMED))
    assert answer.status_code == 400
    named = [issue["expression"] for issue in answer.json()["issue"]]
    assert named == [[f"Bundle.entry[{at}].{path}"] for at, (_, path) in enumerate(MALFORMED, 1)]
    assert api.ids("Patient") == []


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Bundle", "type": "batch", "entry": {}},
        {"resourceType": "Patient"},
        [],
    ],
)
def test_what_is_no_bundle_of_requests(api, body: object) -> None:
    assert api.call("POST", "", body).status_code == 400


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_an_empty_bundle(api, kind: str) -> None:
    expected = {"resourceType": "Bundle", "type": f"{kind}-response"}
    assert api.bundle(kind).json() == expected


def test_many_entries_keep_their_order(api) -> None:
    entries = [
        api.entry("POST", "Patient", {"resourceType": "Patient", "name": [{"family": f"B{n}"}]})
        for n in range(100)
    ]
    answered = api.bundle("batch", *entries).json()["entry"]
    assert [one["resource"]["name"][0]["family"] for one in answered] == [
        f"B{n}" for n in range(100)
    ]
