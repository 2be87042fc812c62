"""Links between the entries of a bundle: what they call each other is never stored."""

from __future__ import annotations

import base64
import json

import pytest

JSON_PATCH = "application/json-patch+json"
PATIENT = {"resourceType": "Patient"}
URN = "urn:uuid:5e0c2f1a-7f41-4b0b-9c26-51f0a2a3b4c5"
OTHER = "urn:uuid:f1f6a9f0-3a60-4a8f-8d62-94c9a1c7d8e9"
FAR = "http://records.example.org/fhir/"


def message(**members: object) -> dict[str, object]:
    return {"resourceType": "Communication", "status": "completed", **members}


def about(reference: str) -> dict[str, object]:
    return message(subject={"reference": reference})


@pytest.mark.parametrize(
    ("full_url", "reference"),
    [
        (URN, f"{URN}/_history/1"),
        (f"{FAR}Patient/77", f"{FAR}Patient/77/_history/1"),
        (f"{FAR}Patient/77", "Patient/77/_history/3"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "found"])
def test_a_link_to_a_version(
    shared_api, mark: str, full_url: str, reference: str, method: str
) -> None:
    made = shared_api.make(identifier=shared_api.tagged(mark))
    id_ = made["id"]
    path = f"Patient/{id_}"
    named = {
        "POST": shared_api.entry("POST", "Patient", PATIENT, full_url),
        # Nothing changes, and still there is a version to refer to.
        "PUT": shared_api.entry("PUT", path, made, full_url),
        "PATCH": shared_api.entry(
            "PATCH", path, [{"op": "test", "path": "/id", "value": made["id"]}], full_url
        ),
        "found": shared_api.entry("POST", "Patient", PATIENT, full_url, ifNoneExist=f"_id={id_}"),
    }[method]
    refers = shared_api.entry("POST", "Communication", about(reference), f"{FAR}Communication/1")
    for entries in ([named, refers], [refers, named]):
        answer = shared_api.bundle("transaction", *entries)
        assert answer.status_code == 200, answer.text
        shown = {one["resource"]["resourceType"]: one["resource"] for one in answer.json()["entry"]}
        patient = shown["Patient"]
        led = shown["Communication"]["subject"]["reference"]
        assert led == f"Patient/{patient['id']}/_history/{patient['meta']['versionId']}"
        assert shared_api.call("GET", led).json() == patient


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_patch_links(api, kind: str) -> None:
    header = api.make("Communication", status="completed", subject={"display": "?"})
    operations = [
        {"op": "add", "path": "/subject/reference", "value": URN},
        {"op": "add", "path": "/recipient", "value": [{"reference": URN}]},
    ]
    answer = api.bundle(
        kind,
        api.entry("PATCH", f"Communication/{header['id']}", operations),
        api.entry("POST", "Patient", PATIENT, URN),
    )
    patched, made = (one["resource"] for one in answer.json()["entry"])
    assert patched["subject"]["reference"] == f"Patient/{made['id']}"
    assert patched["recipient"] == [{"reference": f"Patient/{made['id']}"}]


@pytest.mark.parametrize("first", [True, False])
def test_entries_of_a_batch_link(api, first: bool) -> None:
    entries = [
        api.entry("POST", "Patient", PATIENT, URN),
        api.entry("POST", "Communication", about(URN), OTHER),
        api.entry("POST", "Communication", message(partOf=[{"reference": OTHER}])),
        api.entry(
            "POST",
            "Provenance",
            {
                "resourceType": "Provenance",
                "recorded": "2024-03-10T12:00:00Z",
                "agent": [{"who": {"display": "somebody"}}],
                "target": [{"reference": f"{URN}/_history/1"}],
            },
        ),
    ]
    answer = api.bundle("batch", *(entries if first else reversed(entries)))
    shown = [one["resource"] for one in answer.json()["entry"]]
    patient, header, child, provenance = shown if first else reversed(shown)
    assert header["subject"]["reference"] == f"Patient/{patient['id']}"
    assert child["partOf"] == [{"reference": f"Communication/{header['id']}"}]
    version = patient["meta"]["versionId"]
    target = f"Patient/{patient['id']}/_history/{version}"
    assert provenance["target"] == [{"reference": target}]


def test_a_batch_links_to_what_is_there(api, mark: str) -> None:
    made = api.make(identifier=api.tagged(mark))
    condition = f"identifier=urn:t|{mark}"
    answer = api.bundle(
        "batch",
        api.entry("POST", "Patient", PATIENT, URN, ifNoneExist=condition),
        api.entry("PUT", f"Patient/{made['id']}", {**made, "active": True}, OTHER),
        api.entry("POST", "Communication", about(URN)),
        api.entry("POST", "Communication", about(OTHER)),
    )
    entries = answer.json()["entry"]
    assert [one["response"]["status"] for one in entries] == ["200", "200", "201", "201"]
    for one in entries[2:]:
        assert one["resource"]["subject"]["reference"] == f"Patient/{made['id']}"


@pytest.mark.parametrize(
    "others",
    [
        (),
        (("POST", "Patient", {"resourceType": "Patient", "gender": 1}, URN),),
        (("GET", "Patient", None, URN),),
        (("POST", "Patient", PATIENT, URN), ("POST", "Patient", PATIENT, URN)),
        (("POST", "Patient", {**PATIENT, "generalPractitioner": [{"reference": OTHER}]}, URN),),
        (("POST", "Communication", message(partOf=[{"reference": "urn:oid:1.2.3"}]), URN),),
    ],
    ids=["none", "refused", "read", "two", "in turn", "oid"],
)
@pytest.mark.parametrize("writes", ["POST", "PUT", "PATCH", "PATCH value", "PATCH in base64"])
def test_a_link_of_a_batch_that_leads_nowhere_is_refused(api, others, writes: str) -> None:
    header = api.make("Communication", status="completed")
    path = f"Communication/{header['id']}"
    method, _, how = writes.partition(" ")
    body: object = about(URN)
    if method == "PUT":
        body = {**header, **about(URN)}
    elif method == "PATCH":
        body = [{"op": "add", "path": "/subject", "value": {"reference": URN}}]
        if how == "value":
            body = [
                {"op": "add", "path": "/subject", "value": {"display": "?"}},
                {"op": "add", "path": "/subject/reference", "value": URN},
            ]
        elif how:
            data = base64.b64encode(json.dumps(body).encode()).decode()
            body = {"resourceType": "Binary", "contentType": JSON_PATCH, "data": data}
    mine = api.entry(method, "Communication" if method == "POST" else path, body, OTHER)
    answer = api.bundle("batch", mine, *(api.entry(*other) for other in others))
    first = answer.json()["entry"][0]["response"]
    assert first["status"] == "400"
    assert first["outcome"]["issue"][0]["details"]["text"].startswith("The reference leads to no")
    assert api.ids("Communication") == [header["id"]]
    assert api.versions("Communication", header["id"]) == 1
