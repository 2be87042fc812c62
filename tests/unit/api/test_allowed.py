"""What R4 leaves to each server, and what ``Prefer`` asks for, on each store."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.stores.allowed import allow
from threadwell.stores.contract import DEFAULT_PROJECT


def settle(api: Any, name: str) -> None:
    api.run(allow(api.store, DEFAULT_PROJECT, name, on=True))


def test_an_update_makes_what_never_was_where_it_is_allowed(api: Any) -> None:
    ana = {"resourceType": "Patient", "id": "ana"}
    assert api.call("PUT", "Patient/ana", ana).status_code == 404
    entry = api.entry("PUT", "Patient/ben", {"resourceType": "Patient", "id": "ben"})
    assert api.bundle("transaction", entry).status_code == 404
    settle(api, "update_create")
    assert api.call("PUT", "Patient/ana", ana, if_match='W/"1"').status_code == 412
    made = api.call("PUT", "Patient/ana", ana)
    assert (made.status_code, made.json()["id"]) == (201, "ana")
    assert "/Patient/ana/_history/" in made.headers["location"]
    assert api.call("PUT", "Patient/ana", ana).status_code == 200
    assert api.call("PUT", "Patient/eve", ana).status_code == 400
    answer = api.bundle("transaction", entry)
    assert answer.json()["entry"][0]["response"]["status"].startswith("201")
    stated = api.call("GET", "metadata").json()["rest"][0]["resource"][0]
    assert (stated["updateCreate"], stated["conditionalDelete"]) == (True, "single")


def test_a_condition_deletes_several_where_it_is_allowed(api: Any) -> None:
    for _ in range(3):
        api.make(gender="other")
    kept = api.make(gender="female")["id"]
    assert api.call("DELETE", "Patient?gender=other").status_code == 412
    settle(api, "delete_several")
    assert api.call("DELETE", "Patient?gender=other").status_code == 200
    assert api.ids("Patient") == [kept]
    assert api.call("DELETE", "Patient?gender=other").status_code == 200
    assert api.call("DELETE", "Patient?_count=5").status_code == 400
    assert api.call("DELETE", "Patient?gender=female", if_match='W/"1"').status_code == 412


@pytest.mark.parametrize(
    ("asked", "ignored"),
    [
        ("shoe=44", "shoe"),
        ("shoe=44&gender=female", "shoe"),
        ("gender=female&_sort=shoe&_include=Patient:shoe", "_sort, _include"),
        ("gender=female&general-practitioner.shoe=44", "general-practitioner.shoe"),
        ("gender=female&_has:Encounter:patient:shoe=44", "_has:Encounter:patient:shoe"),
    ],
)
def test_a_lenient_search_ignores_what_there_is_not(new_api: Any, asked: str, ignored: str) -> None:
    api = new_api()
    one = api.make(gender="female")["id"]
    assert api.call("GET", f"Patient?{asked}").status_code == 400
    for way in ("GET", "POST"):
        path = f"Patient?{asked}" if way == "GET" else f"Patient/_search?{asked}"
        body = None if way == "GET" else b""
        form = {} if way == "GET" else {"content_type": "application/x-www-form-urlencoded"}
        answer = api.call(way, path, body, prefer="handling=lenient", **form)
        assert answer.status_code == 200, answer.text
        match, told = answer.json()["entry"]
        assert match["resource"]["id"] == one
        assert told["search"]["mode"] == "outcome"
        assert told["resource"]["issue"][0]["details"]["text"].endswith(f": {ignored}")
        assert "shoe" not in answer.json()["link"][0]["url"]


@pytest.mark.parametrize("asked", ["birthdate=never", "gender:nothing=x", "_count=x"])
def test_what_is_wrong_is_refused_all_the_same(new_api: Any, asked: str) -> None:
    api = new_api()
    assert api.call("GET", f"Patient?{asked}", prefer="handling=lenient").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "Patient", {"resourceType": "Patient"}),
        ("PUT", "Patient/{id}", {"resourceType": "Patient", "id": "{id}", "gender": "other"}),
        ("PUT", "Patient?_id={id}", {"resourceType": "Patient", "gender": "male"}),
        ("PATCH", "Patient/{id}", [{"op": "add", "path": "/active", "value": True}]),
        ("PATCH", "Patient?_id={id}", [{"op": "add", "path": "/active", "value": False}]),
    ],
)
@pytest.mark.parametrize("kind", ["", "batch", "transaction"])
@pytest.mark.parametrize("wanted", ["minimal", "representation", "OperationOutcome"])
def test_every_way_to_write_returns_what_is_preferred(
    new_api: Any, method: str, path: str, body: Any, kind: str, wanted: str
) -> None:
    if kind and method == "PATCH":
        pytest.skip("a patch in a bundle is a Binary or Parameters")
    api = new_api()
    id_ = api.make()["id"]
    path = path.replace("{id}", id_)
    if isinstance(body, dict):
        body = {name: id_ if value == "{id}" else value for name, value in body.items()}
    prefer = f"return={wanted}"
    if kind:
        entry = api.bundle(kind, api.entry(method, path, body), prefer=prefer).json()["entry"][0]
        # That all went well may be told of an entry in any case.
        told = entry["response"].get("outcome") if wanted == "OperationOutcome" else None
        found = entry.get("resource", told)
    else:
        of_patch = {"content_type": "application/json-patch+json"} if method == "PATCH" else {}
        answer = api.call(method, path, body, prefer=prefer, **of_patch)
        found = answer.json() if answer.content else None
    type_ = None if found is None else found["resourceType"]
    kinds = {"minimal": None, "representation": "Patient"}
    assert type_ == kinds.get(wanted, "OperationOutcome")
