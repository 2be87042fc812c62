"""What docs/specifications.md says of deviations and open points is so, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ENCOUNTER = {
    "resourceType": "Encounter",
    "status": "finished",
    "class": {"system": ACT, "code": "VR"},
    "period": {"start": "2024-04-10T09:00:00Z", "end": "2024-04-10T10:00:00Z"},
}
PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Øst", "given": ["Zoë"]}],
    "telecom": [
        {"system": "phone", "value": "+1 (555) 010-0142"},
        {"system": "email", "value": "Zoe@Example.org"},
    ],
}


@pytest.fixture(scope="module")
def http(server: Any) -> Iterator[httpx.Client]:
    with server.http() as client:
        client.headers["Content-Type"] = "application/fhir+json"
        yield client


@pytest.fixture(scope="module")
def patient(http: httpx.Client) -> str:
    return str(http.post("Patient", json=PATIENT).json()["id"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Patient?_format=xml", 406),
        ("GET", "Patient/_history", 200),
        ("GET", "_history", 200),
        ("GET", "", 200),
        ("GET", "Patient/{id}/Encounter", 200),
        ("GET", "Patient/{id}/*", 200),
        ("GET", "?_type=Patient&birthdate=1980", 200),
        ("GET", "Encounter?_compartment=Patient/{id}", 200),
        ("GET", "?birthdate=1980", 400),
        ("GET", "?_type=Patient&_offset=1", 400),
        ("GET", "Patient/{id}/_history?_fields=gender", 200),
        ("GET", "Patient/{id}/_history?_since=2024", 200),
        ("GET", "Patient/{id}/$everything", 200),
        ("DELETE", "Patient/never", 404),
        ("POST", "$graphql", 400),
        ("GET", "ValueSet/$expand", 400),
        ("GET", "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/event-status", 200),
        ("GET", "Patient?_content=x", 400),
        ("GET", "Patient?_text=x", 400),
        ("GET", "Patient?_query=x", 400),
        ("GET", "Patient?_filter=x", 400),
        ("GET", "Patient?age=4", 400),
        ("GET", "Patient?birthOrderBoolean=true", 400),
        ("GET", "Location?near=1|2", 400),
        ("GET", "Patient?_list=1", 400),
        ("GET", "Patient?_contained=true", 400),
        ("GET", "Patient?_sort=_score", 400),
        ("GET", "Patient?gender:in=x", 400),
        ("GET", "Patient?identifier:of-type=a|b", 400),
        ("GET", "Encounter?type:below=x", 400),
        ("GET", "Patient?name=", 400),
        ("GET", "Patient?name=a,,b", 400),
        ("GET", "Patient?nmae=a", 400),
        ("GET", "Patient?_offset=10001", 400),
        ("GET", "Patient?_count=100000", 200),
        ("GET", "Observation?_sort=code-value-quantity", 400),
        ("GET", "Patient?" + "link:Patient." * 9 + "name=a", 400),
    ],
)
def test_answers(http: httpx.Client, patient: str, method: str, path: str, status: int) -> None:
    assert http.request(method, path.format(id=patient)).status_code == status


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("phone=+15550100142", True),
        ("phone=%2B15550100142", True),
        ("phone=phone|+15550100142", True),
        ("phone=+1 555 010 0142", True),
        ("phone=5550100142", False),
        ("email=zoe@example.org", True),
        ("family=ost", True),
        ("given=zoe", True),
        ("phonetic=ost", True),
        ("phonetic=oost", False),
        ("deceased=false", True),
    ],
)
def test_patients_are_found(http: httpx.Client, patient: str, query: str, found: bool) -> None:
    answer = http.get(f"{http.base_url}Patient?{query}&_id={patient}")
    assert ("entry" in answer.json()) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=http://hl7.org/fhir/encounter-status|finished", True),
        ("status=http://hl7.org/fhir/encounter-status|planned", False),
        ("status=Finished", False),
        ("date=ge2024-04-10T09:00:00Z&date=le2024-04-10T10:00:00Z", True),
        ("date=sa2024-04-10T08:59:59Z", True),
        ("date=2024-04-10T09:00", False),
        ("date=2024-04-10", True),
    ],
)
def test_encounters_are_found(http: httpx.Client, query: str, found: bool) -> None:
    own = http.post("Encounter", json=ENCOUNTER).json()["id"]
    answer = http.get(f"Encounter?{query}&_id={own}")
    assert ("entry" in answer.json()) is found


def test_updates(http: httpx.Client) -> None:
    made = http.post("Patient", json={"resourceType": "Patient", "id": "chosen"}).json()
    assert made["id"] != "chosen"
    path = f"Patient/{made['id']}"
    assert http.put("Patient/unknown", json={**made, "id": "unknown"}).status_code == 404
    same = http.put(path, json=made)
    assert same.json()["meta"]["versionId"] == made["meta"]["versionId"]
    chosen = {"resourceType": "Patient", "id": "chosen"}
    assert http.put("Patient?identifier=a|none", json=chosen).status_code == 400
    assert [http.delete(path).status_code for _ in range(2)] == [200, 200]
    assert http.get(path).status_code == 410
    assert http.put(path, json=made).status_code == 201


def test_patches(http: httpx.Client, patient: str) -> None:
    def patch(*operations: dict[str, Any], **headers: str) -> int:
        return http.patch(f"Patient/{patient}", json=list(operations), headers=headers).status_code

    assert patch({"op": "replace", "path": "/maritalStatus", "value": {"text": "single"}}) == 400
    assert patch({"op": "add", "path": "/photo/-", "value": {"title": "a photo"}}) == 200
    assert patch({"op": "replace", "path": "/id", "value": "chosen"}) == 400
    active = {"op": "add", "path": "/active", "value": True}
    assert patch(active, **{"If-Match": 'W/"stale"'}) == 412
    assert patch(active, **{"Content-Type": "application/merge-patch+json"}) == 415


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"generalPractitioner": [{"reference": "Practitioner/nowhere"}]}, 201),
        ({"generalPractitioner": [{"reference": "Medication/1"}]}, 400),
        ({"generalPractitioner": [{"reference": "https://example.org/fhir/Medication/1"}]}, 400),
        ({"generalPractitioner": [{"reference": "urn:uuid:not-one"}]}, 400),
        ({"generalPractitioner": [{"reference": "Practitioner?name=nobody"}]}, 400),
        ({"name": [{"family": " "}]}, 201),
        ({"name": [{"family": ""}]}, 400),
        ({"name": [{"given": ["a", "b"], "_given": [{"id": "x"}]}]}, 400),
        ({"maritalStatus": {"coding": [{"system": "urn:x", "code": "no-such"}]}}, 201),
        ({"contact": [{"gender": "female"}]}, 400),
        (
            {
                "contact": [
                    {"name": {"text": "a"}, "period": {"start": "2024-05-03", "end": "2024-05"}}
                ]
            },
            201,
        ),
        ({"contained": [{"resourceType": "Practitioner", "id": "a"}]}, 400),
        ({"identifier": [{"system": "mrn", "value": "1"}]}, 400),
        ({"identifier": [{"system": "urn:oid:1.x", "value": "1"}]}, 400),
        ({"meta": {"profile": ["StructureDefinition/x"]}}, 400),
        ({"deceasedDateTime": "2024-05-01T10:00:00"}, 400),
        ({"text": {"status": "generated", "div": "plain"}}, 400),
        ({"meta": {"profile": ["https://example.org/unknown"], "versionId": "mine"}}, 201),
        ({"extension": [{"url": "urn:x"}]}, 400),
    ],
)
def test_validation(http: httpx.Client, more: dict[str, Any], status: int) -> None:
    answer = http.post("Patient", json={"resourceType": "Patient", **more})
    assert answer.status_code == status
    assert answer.json()["meta"]["versionId"] != "mine" if status == 201 else True


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"resourceType":"Patient","active":true,"active":false}', '"active" stands twice'),
        (b'{"resourceType":"Patient","name":[{"family":"\\ud800"}]}', "surrogate"),
        (b'{"resourceType":"Patient","name":' + b"[" * 5000, "nested deeper"),
    ],
)
def test_json_that_is_refused(http: httpx.Client, body: bytes, why: str) -> None:
    kind = {"Content-Type": "application/fhir+json"}
    answer = http.post("Patient", content=body, headers=kind)
    assert answer.status_code == 400
    assert why in answer.json()["issue"][0]["details"]["text"]


def test_a_transaction_writes_each_resource_once(http: httpx.Client, patient: str) -> None:
    entries = [{"request": {"method": "DELETE", "url": f"Patient/{patient}"}}] * 2
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert http.post("", json=bundle).status_code == 400


def test_what_medplum_s_clients_see(http: httpx.Client, server: Any) -> None:
    made = http.post("Patient", json=PATIENT, headers={"X-Medplum": "extended"})
    version = made.json()["meta"]["versionId"]
    assert made.headers["Location"].endswith(f"/_history/{version}")
    assert {"author", "project", "compartment"} <= made.json()["meta"].keys()
    assert "author" not in http.get(f"Patient/{made.json()['id']}").json()["meta"]
    outcome = http.get("Patient/never").json()
    assert outcome["id"] == "not-found"
    assert outcome["extension"][0]["url"].endswith("/tracing")
    page = httpx.get(server.base_url + "no/such/page")
    assert (page.status_code, page.headers["Content-Type"].partition(";")[0]) == (404, "text/html")
