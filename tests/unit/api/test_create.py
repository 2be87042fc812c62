"""create, conditional create, what is ignored and what is refused."""

from __future__ import annotations

import pytest


def test_a_new_resource(api) -> None:
    answer = api.call("POST", "Patient", {"resourceType": "Patient", "gender": "other"})
    made = answer.json()
    version = made["meta"]["versionId"]
    assert answer.status_code == 201
    assert made["gender"] == "other"
    assert made["meta"]["lastUpdated"] == "2024-03-10T12:00:00.000Z"
    assert answer.headers["etag"] == f'W/"{version}"'
    location = f"{api.url}/fhir/R4/Patient/{made['id']}/_history/{version}"
    assert answer.headers["location"] == location
    assert api.call("GET", location).json() == made


@pytest.mark.parametrize("id_", ["11111111-2222-4333-8444-555555555555", "not an id", 7])
def test_the_id_is_the_servers_to_give(api, id_: object) -> None:
    assert api.make(id=id_)["id"] != id_


def test_the_marks_are_the_servers_to_set(api) -> None:
    forged = {
        "versionId": "1",
        "lastUpdated": "1999-01-01T00:00:00Z",
        "author": {"reference": "Practitioner/x"},
        "project": "x",
        "compartment": [],
        "tag": [{"system": "urn:t", "code": "kept"}],
    }
    meta = api.make(meta=forged)["meta"]
    assert meta.keys() == {"versionId", "lastUpdated", "tag"}
    assert meta["tag"] == forged["tag"]
    assert meta["versionId"] != "1"
    assert meta["lastUpdated"].startswith("2024")


def test_decimals_keep_their_digits(api) -> None:
    body = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        b'"valueQuantity":{"value":1.10}}'
    )
    made = api.call("POST", "Observation", body, content_type="application/fhir+json")
    assert b'"value":1.10}' in api.call("GET", f"Observation/{made.json()['id']}").content


@pytest.mark.parametrize(
    ("preference", "resource_type"),
    [
        ("return=minimal", None),
        ("return=representation", "Patient"),
        ("return=OperationOutcome", "OperationOutcome"),
        ("respond-async", "Patient"),
        ("RETURN=Minimal", None),
        ('return="minimal"', None),
        ("return = minimal", None),
        ("respond-async, return=minimal; x=y", None),
        ("return=minimal, return=representation", None),
        ('comment="return=minimal, or so"', "Patient"),
        ("return=anything", "Patient"),
    ],
)
def test_prefer(api, preference: str, resource_type: str | None) -> None:
    answer = api.call("POST", "Patient", {"resourceType": "Patient"}, prefer=preference)
    assert answer.status_code == 201
    assert "location" in answer.headers
    assert (answer.json()["resourceType"] if answer.content else None) == resource_type


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"resourceType":"Patient",', 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[" * 5000, 400),
        (b"[]", 400),
        (b'"Patient"', 400),
        (b"{}", 400),
        (b'{"resourceType":7}', 400),
        (b'{"resourceType":"Practitioner"}', 400),
        (b'{"resourceType":"Patient","meta":7}', 400),
    ],
)
def test_what_is_no_patient(api, body: bytes, status: int) -> None:
    answer = api.call("POST", "Patient", body, content_type="application/fhir+json")
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert api.ids("Patient") == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "image/png"])
def test_other_content_types(api, content_type: str) -> None:
    answer = api.call("POST", "Patient", b"{}", content_type=content_type)
    assert (answer.status_code, answer.json()["id"]) == (415, "unsupported-media-type")


def test_every_mistake_is_named_at_once(api) -> None:
    body = {"resourceType": "Communication", "payload": [{"contentString": 7}], "foo": 1}
    issues = api.call("POST", "Communication", body).json()["issue"]
    named = {issue["expression"][0] for issue in issues}
    assert {"Communication.status", "Communication.foo"} < named
    assert any(path.startswith("Communication.payload[0]") for path in named)


def test_if_none_exist(api, mark: str) -> None:
    body = {"resourceType": "Patient", "identifier": api.tagged(mark)}
    condition = f"identifier=urn:t|{mark}"
    first = api.call("POST", "Patient", body, if_none_exist=condition)
    second = api.call("POST", "Patient", body, if_none_exist=condition.replace("|", "%7C"))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]

    api.make(identifier=api.tagged(mark))
    third = api.call("POST", "Patient", body, if_none_exist=condition)
    assert (third.status_code, third.json()["id"]) == (412, "multiple-matches")


def test_a_condition_may_stand_in_the_url(api, mark: str) -> None:
    body = {"resourceType": "Patient", "identifier": api.tagged(mark)}
    path = f"Patient?_summary=data&identifier=urn:t%7C{mark}"
    answers = [api.call("POST", path, body) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    api.make(identifier=api.tagged(mark))
    third = api.call("POST", path, body)
    assert (third.status_code, third.json()["id"]) == (412, "multiple-matches")
    assert api.call("POST", "Patient?nonsense=1", body).status_code == 400
    entry = {"resource": body, "request": {"method": "POST", "url": path}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert api.call("POST", "", bundle).status_code == 412
    # What says how the answer is to look is no condition, and the name of a file is none.
    plain = api.call("POST", "Patient?_summary=data&_format=json", {"resourceType": "Patient"})
    assert plain.status_code == 201
    file = api.call("POST", "Binary?_filename=x.txt", b"x", content_type="text/plain")
    assert file.status_code == 201


@pytest.mark.parametrize(
    "condition", ["", "_count=1", "nonsense=1", "Person?identifier=1", "Patient?", b"\xff=\xff"]
)
def test_conditions_that_select_nothing_in_particular(api, condition: str | bytes) -> None:
    body = {"resourceType": "Patient"}
    answer = api.call("POST", "Patient", body, if_none_exist=condition)
    assert answer.status_code == 400
    assert api.ids("Patient") == []


@pytest.mark.parametrize(
    "prefix", ["?", "Patient?", "/Patient?", "http://testserver/fhir/R4/Patient?"]
)
def test_a_condition_may_be_a_whole_url(api, mark: str, prefix: str) -> None:
    made = api.make(identifier=api.tagged(f"{mark}?"))
    condition = f"{prefix}identifier=urn:t|{mark}?"
    answer = api.call("POST", "Patient", {"resourceType": "Patient"}, if_none_exist=condition)
    assert (answer.status_code, answer.json()["id"]) == (200, made["id"])


@pytest.mark.parametrize("plus", ["+", "%2B"])
def test_conditional_references_are_resolved(api, plus: str) -> None:
    patient = api.make(telecom=[{"system": "phone", "value": "+15550100"}])
    reference = {"reference": f"Patient?phone={plus}15550100"}
    made = api.make("Communication", status="completed", subject=reference, recipient=[reference])
    assert made["subject"] == {"reference": f"Patient/{patient['id']}"}
    assert made["recipient"] == [{"reference": f"Patient/{patient['id']}"}]


def test_conditional_references_that_cannot_be_resolved(api, mark: str) -> None:
    for _ in range(2):
        api.make(identifier=api.tagged(mark))
    for query, text in [
        (f"Patient?identifier=urn:t|{mark}", "matched multiple resources"),
        ("Patient?identifier=urn:t|none", "did not match any resources"),
        ("Patient?nonsense=1", "nonsense"),
    ]:
        body = {
            "resourceType": "Communication",
            "status": "completed",
            "subject": {"reference": query},
        }
        answer = api.call("POST", "Communication", body)
        assert answer.status_code == 400
        assert text in api.texts(answer)[0]
    assert api.ids("Communication") == []
