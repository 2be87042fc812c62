"""Preconditions in headers, and in entries of bundles: 412, and nothing happens (RFC 9110 §13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

PATCH = [{"op": "add", "path": "/active", "value": True}]
JSON_PATCH = "application/json-patch+json"
#: When the tests' clock stands.
NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)


def http(when: datetime) -> str:
    return format_datetime(when, usegmt=True)


def ask(api, method: str, made: dict, **headers: str) -> int:
    path = f"Patient/{made['id']}"
    match method:
        case "PUT":
            body = {**made, "gender": "other"}
            return api.call("PUT", path, body, **headers).status_code
        case "PUT?":
            body = {"resourceType": "Patient", "gender": "other"}
            return api.call("PUT", f"Patient?_id={made['id']}", body, **headers).status_code
        case "PATCH":
            typed = {"content_type": JSON_PATCH, **headers}
            return api.call("PATCH", path, PATCH, **typed).status_code
        case "DELETE?":
            return api.call("DELETE", f"Patient?_id={made['id']}", **headers).status_code
    return api.call(method, path, **headers).status_code


WRITES = ["PUT", "PUT?", "PATCH", "DELETE", "DELETE?"]


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("if_none_match", "*", 412),
        ("if_none_match", "{tag}", 412),
        ("if_none_match", '"other", {tag}', 412),
        ("if_none_match", 'W/"other"', 200),
        ("if_unmodified_since", http(NOON - timedelta(seconds=1)), 412),
        ("if_unmodified_since", "Monday, 01-Jan-01 00:00:00 GMT", 412),
        ("if_unmodified_since", http(NOON), 200),
        ("if_unmodified_since", "yesterday", 200),
        # RFC 9110 §13.1.3: of writes it says nothing.
        ("if_modified_since", http(NOON + timedelta(days=1)), 200),
    ],
)
def test_writes(api, method: str, name: str, value: str, status: int) -> None:
    made = api.make()
    given = value.replace("{tag}", f'W/"{made["meta"]["versionId"]}"')
    assert ask(api, method, made, **{name: given}) == status
    assert api.versions("Patient", made["id"]) == (2 if status == 200 else 1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_modified_since": http(NOON)}, 304),
        ({"if_modified_since": http(NOON + timedelta(days=1))}, 304),
        ({"if_modified_since": http(NOON - timedelta(seconds=1))}, 200),
        ({"if_modified_since": "never"}, 200),
        # RFC 9110 §13.2.2: the version tells more than the time.
        ({"if_modified_since": http(NOON), "if_none_match": '"other"'}, 200),
        ({"if_unmodified_since": http(NOON - timedelta(seconds=1))}, 412),
        ({"if_unmodified_since": http(NOON)}, 200),
        ({"if_match": '"other"'}, 412),
        ({"if_match": "*"}, 200),
        ({"if_match": "*", "if_unmodified_since": http(NOON - timedelta(days=1))}, 200),
    ],
)
@pytest.mark.parametrize("type_", ["Patient", "Binary"])
def test_reads(api, type_: str, headers: dict[str, str], status: int) -> None:
    made = (
        api.make("Binary", contentType="text/plain", data="aGk=")
        if type_ == "Binary"
        else (api.make())
    )
    path = f"{type_}/{made['id']}"
    for url in (path, f"{path}/_history/{made['meta']['versionId']}"):
        answer = api.call("GET", url, **headers)
        assert answer.status_code == status
        assert bool(answer.content) == (status != 304)


def test_what_is_deleted_may_be_made_again(api) -> None:
    made = api.make()
    api.call("DELETE", f"Patient/{made['id']}")
    assert ask(api, "PUT", made, if_none_match="*") == 201


def test_a_condition_that_finds_nothing(api, mark: str) -> None:
    query, body = f"Patient?identifier=urn:t|{mark}", {"resourceType": "Patient"}
    assert api.call("DELETE", query, if_match="*").status_code == 412
    assert api.call("DELETE", query).status_code == 200
    assert api.call("PUT", query, body, if_match="*").status_code == 412
    assert api.call("PUT", query, body, if_none_match="*").status_code == 201


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_entries(api, kind: str) -> None:
    made = api.make()
    path, body = f"Patient/{made['id']}", {**made, "gender": "other"}

    def status(*entry: object, **request: str) -> str:
        answer = api.bundle(kind, api.entry(*entry, **request))
        if answer.json()["resourceType"] == "OperationOutcome":
            return str(answer.status_code)
        return answer.json()["entry"][0]["response"]["status"]

    assert status("GET", path, ifModifiedSince="2024-03-10T12:00:00.000Z") == "304"
    assert status("GET", path, ifModifiedSince="2024-03-10T11:59:59.999Z") == "200"
    assert status("GET", path, ifModifiedSince="noon") == "400"
    assert status("PUT", path, body, ifNoneMatch="*") == "412"
    assert status("DELETE", path, ifNoneMatch="*") == "412"
    assert status("PATCH", path, PATCH, ifNoneMatch="*") == "412"
    assert status("DELETE", f"Patient?_id={api.never}", ifMatch='W/"1"') == "412"
    assert api.versions("Patient", made["id"]) == 1
    assert status("PUT", path, body, ifNoneMatch='W/"other"') == "200"
