"""Every resource type of R4 takes every interaction: nothing is built for a few types only."""

from __future__ import annotations

import pytest

from threadwell.fhir.definitions import RESOURCE_TYPES


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_a_life(api, least, type_: str) -> None:
    made = api.call("POST", type_, least(type_))
    assert made.status_code == 201, made.text
    path = f"{type_}/{made.json()['id']}"

    language = [{"op": "add", "path": "/language", "value": "en"}]
    patched = api.call("PATCH", path, language, **{"content-type": "application/json-patch+json"})
    assert patched.status_code == 200, patched.text
    read = api.call("GET", path, accept="application/fhir+json").json()
    # A Binary shows its data only here.
    assert {**read, "data": None} == {**patched.json(), "data": None}

    updated = api.call("PUT", path, {**patched.json(), "language": "sv"})
    assert (updated.status_code, updated.json()["language"]) == (200, "sv")
    found = api.call("GET", f"{type_}?_id={made.json()['id']}&_total=accurate").json()
    assert (found["total"], found["entry"][0]["resource"]) == (1, updated.json())

    assert api.call("DELETE", path).status_code == 200
    assert api.call("GET", path).status_code == 410
    assert api.call("GET", f"{path}/_history").json()["total"] == 4
