"""One format: who asks for another, or sends one, is told so (406, 415)."""

from __future__ import annotations

import pytest

FHIR = "application/fhir+json"
PATIENT = {"resourceType": "Patient"}

ACCEPTED = [
    None,
    "",
    "*/*",
    "application/*",
    FHIR,
    f"{FHIR}; charset=utf-8",
    f"{FHIR}; fhirVersion=4.0",
    f"{FHIR}; fhirVersion=3.0, {FHIR}; fhirVersion=4.0",
    "application/json",
    "text/json",
    "application/fhir+xml;q=1.0, application/fhir+json;q=0.9",
    "application/xml, */*;q=0.1",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    # Nothing that can be understood is nothing that is asked for.
    "garbled",
    ",,",
]
REFUSED = [
    "application/fhir+xml",
    "text/html",
    "image/png, text/turtle",
    f"{FHIR};q=0",
    f"{FHIR};q=0, application/json;q=0.0, text/json; q=0",
    f"{FHIR}; fhirVersion=3.0",
    f"{FHIR}; fhirVersion=5.0",
    'text/html; level="a, application/json"',
    "image/*",
]


@pytest.mark.parametrize("accept", ACCEPTED)
def test_what_takes_json(shared_api, accept: str | None) -> None:
    assert shared_api.call("GET", "Patient", accept=accept).status_code == 200


@pytest.mark.parametrize("accept", REFUSED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "$validate", ""])
def test_what_does_not(new_api, accept: str, method: str) -> None:
    api = new_api()
    made = api.make()
    path = f"Patient/{made['id']}"
    answer = {
        "GET": lambda: api.call("GET", "metadata", accept=accept, authorization=None),
        "POST": lambda: api.call("POST", "Patient", PATIENT, accept=accept),
        "PUT": lambda: api.call("PUT", path, {**made, "active": True}, accept=accept),
        "PATCH": lambda: api.call("PATCH", path, [], accept=accept),
        "DELETE": lambda: api.call("DELETE", path, accept=accept),
        "$validate": lambda: api.call("POST", "Patient/$validate", PATIENT, accept=accept),
        "": lambda: api.bundle("batch", api.entry("POST", "Patient", PATIENT), accept=accept),
    }[method]()
    assert answer.status_code == 406
    assert answer.json()["issue"][0]["code"] == "not-supported"
    assert api.ids("Patient") == [made["id"]]
    assert api.versions("Patient", made["id"]) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_format=json", 200),
        ("_format=text/json", 200),
        ("_format=application/fhir+json", 200),
        ("_format=application/fhir%2Bjson", 200),
        ("_format=application/fhir%2Bjson%3B%20fhirVersion%3D4.0", 200),
        ("%5Fformat=json", 200),
        ("_format=xml", 406),
        ("%5Fformat=xml", 406),
        ("_format=application/fhir+json;fhirVersion=3.0", 406),
        ("_format=html", 406),
        ("_format=", 406),
        ("_format=json&_format=xml", 406),
    ],
)
def test_format_wins_over_accept(shared_api, query: str, status: int) -> None:
    made = shared_api.make()
    wrong = "application/fhir+xml" if status == 200 else FHIR
    for url in (f"Patient/{made['id']}?{query}", f"Patient?_id={made['id']}&{query}"):
        assert shared_api.call("GET", url, accept=wrong).status_code == status
    form = shared_api.call(
        "POST",
        "Patient/_search",
        query.encode(),
        accept=wrong,
        content_type="application/x-www-form-urlencoded",
    )
    assert form.status_code == status
    body = {**made, "active": True}
    assert (
        shared_api.call("PUT", f"Patient/{made['id']}?{query}", body, accept=wrong).status_code
        == status
    )


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 201),
        (FHIR, 201),
        ("Application/FHIR+JSON ; Charset=UTF-8", 201),
        ('application/json; charset="utf-8"', 201),
        ("text/json", 201),
        ("application/json+fhir", 201),
        (f"{FHIR}; fhirVersion=4.0", 201),
        (f"{FHIR}; fhirVersion=4.0.1", 201),
        (f"{FHIR}; fhirVersion=3.0", 415),
        (f"{FHIR}; charset=iso-8859-1", 415),
        (f"{FHIR}, text/html", 415),
        (f"text/html, {FHIR}", 415),
        ("application/json-patch+json", 415),
        ("application/fhir+xml", 415),
        ("application/jsonp", 415),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
        ("json", 415),
        ("", 415),
    ],
)
def test_what_is_sent(shared_api, content_type: str | None, status: int) -> None:
    body = b'{"resourceType":"Patient"}'
    assert shared_api.call("POST", "Patient", body, content_type=content_type).status_code == status


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json-patch+json", 200),
        ("application/json-patch+json; charset=utf-8", 200),
        ("application/json", 200),
        (FHIR, 200),
        (None, 200),
        ("application/merge-patch+json", 415),
        ("application/xml-patch+xml", 415),
    ],
)
def test_kinds_of_patch(shared_api, content_type: str | None, status: int) -> None:
    made = shared_api.make()
    patch = b'[{"op":"add","path":"/active","value":true}]'
    answer = shared_api.call("PATCH", f"Patient/{made['id']}", patch, content_type=content_type)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("accept", "shown"),
    [
        (None, "image/png"),
        ("*/*", "image/png"),
        ("image/*", "image/png"),
        ("text/html", "image/png"),
        (FHIR, FHIR),
        ("application/json+fhir", FHIR),
        (f"{FHIR}, */*; q=0.1", FHIR),
        (f"{FHIR};q=0.5, image/png", "image/png"),
        (f"{FHIR};q=0.5, image/jpeg", FHIR),
        ("application/fhir+xml, application/fhir+json;q=0.9", FHIR),
        ("application/fhir+xml", None),
        ("application/fhir+xml, */*;q=0.1", "image/png"),
        ("application/json", "image/png"),
    ],
)
def test_a_binary_as_bytes_or_as_a_resource(
    shared_api, accept: str | None, shown: str | None
) -> None:
    made = shared_api.call("POST", "Binary", b"\x89PNG", content_type="image/png").json()
    path = f"Binary/{made['id']}"
    for url in (path, f"{path}/_history/{made['meta']['versionId']}"):
        answer = shared_api.call("GET", url, accept=accept)
        if shown is None:
            assert answer.status_code == 406
        else:
            assert answer.headers["content-type"].partition(";")[0] == shown


@pytest.mark.parametrize(
    "content_type", ["image/png, text/html", "text/html image/png", "png", "image/png; a", ""]
)
def test_content_of_no_type_or_two_is_refused(api, content_type: str) -> None:
    answer = api.call("POST", "Binary", b"<b>", content_type=content_type)
    assert answer.status_code == 415
    assert api.ids("Binary") == []
