"""The history of a type and of the system (FHIR R4 §3.1.0.13), on each kind of store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.conftest import NOON, Api


def entries(api: Api, path: str) -> list[dict[str, Any]]:
    answer = api.call("GET", path)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert (bundle["type"], "total" in bundle) == ("history", False)
    return bundle.get("entry", [])


def told(api: Api, path: str) -> list[tuple[str, str, bool]]:
    """Method, URL and whether there is a resource."""
    return [
        (one["request"]["method"], one["request"]["url"], "resource" in one)
        for one in entries(api, path)
    ]


@pytest.fixture
def made(api: Api) -> tuple[str, str]:
    """A patient, created, changed and deleted a second each, and a group between."""
    patient = api.make("Patient")["id"]
    api.clock.now += 1000
    group = api.make("Group", type="person", actual=True)["id"]
    api.clock.now += 1000
    body = {"resourceType": "Patient", "id": patient, "active": True}
    assert api.call("PUT", f"Patient/{patient}", body).status_code == 200
    api.clock.now += 1000
    assert api.call("DELETE", f"Patient/{patient}").status_code == 200
    return patient, group


def test_everything_that_was_committed(api: Api, made: tuple[str, str]) -> None:
    patient, group = (
        f"{type_}/{id_}" for type_, id_ in zip(("Patient", "Group"), made, strict=True)
    )
    of_patient = [("DELETE", patient, False), ("PUT", patient, True), ("POST", "Patient", True)]
    assert told(api, "Patient/_history") == of_patient
    assert told(api, "Group/_history") == [("POST", "Group", True)]
    assert told(api, "Task/_history") == []
    assert told(api, "_history") == [*of_patient[:2], ("POST", "Group", True), of_patient[2]]
    (deleted, *_), base = entries(api, "_history"), f"{api.url}/fhir/R4"
    assert deleted["fullUrl"] == f"{base}/{patient}"
    assert deleted["response"]["status"] == "410"
    assert deleted["response"]["lastModified"] == "2024-03-10T12:00:03.000Z"
    assert entries(api, "_history?_count=0") == []
    assert group == f"Group/{made[1]}"


def at(seconds: float) -> str:
    return f"2024-03-10T12:00:{seconds:06.3f}Z"


@pytest.mark.usefixtures("made")
def test_times(api: Api) -> None:
    assert NOON == 1_710_072_000_000
    for query, methods in (
        (f"_since={at(0)}", "DELETE PUT POST POST"),
        (f"_since={at(1)}", "DELETE PUT POST"),
        (f"_since={at(3.001)}", ""),
        (f"_at={at(1.5)}", "POST POST"),
        (f"_at={at(2.5)}", "PUT POST"),
        (f"_at={at(3.5)}", "DELETE POST"),
        ("_at=2024-03-10", "DELETE PUT POST POST"),
        ("_at=2024-03-09", ""),
        ("_at=2024-03-11", "DELETE POST"),
        (f"_since={at(2)}&_at={at(2.5)}", "PUT"),
    ):
        assert [one[0] for one in told(api, f"_history?{query}")] == methods.split(), query


def test_pages_neither_skip_nor_repeat_while_others_write(api: Api) -> None:
    ids = [api.make("Patient")["id"] for _ in range(7)]
    met, path = [], "Patient/_history?_count=2"
    while path:
        bundle = api.call("GET", path).json()
        met += [entry["resource"]["id"] for entry in bundle["entry"]]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        path = links.get("next", "")
        # What is written meanwhile comes before all this.
        api.make("Patient")
        api.call("DELETE", f"Patient/{ids[0]}")
    assert met == ids[::-1]


def test_a_page_ends_where_it_has_enough_bytes(new_api: type[Api]) -> None:
    api = new_api(max_page=3000)
    for _ in range(5):
        api.make("Patient", name=[{"family": "x" * 1000}])
    pages, path = [], "_history"
    while path:
        bundle = api.call("GET", path).json()
        pages.append(len(bundle["entry"]))
        path = {link["relation"]: link["url"] for link in bundle["link"]}.get("next", "")
    assert pages == [3, 2]


@pytest.mark.parametrize(
    "path",
    [
        "_history?_since=soon",
        "Patient/_history?_offset=1",
        "_history?_cursor=x",
        "_history?_cursor=" + "9" * 30,
        "Patient/_history?_count=-1",
    ],
)
def test_what_is_refused(api: Api, path: str) -> None:
    assert api.call("GET", path).status_code == 400


def test_methods(api: Api) -> None:
    assert api.call("POST", "_history", {}).status_code == 405
    assert api.call("GET", "Nothing/_history").status_code == 404
