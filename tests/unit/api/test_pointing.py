"""References are held against what is there, where the store's settings say so, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.api.clients import add_client
from threadwell.intake.guides.keeping import set_checks
from threadwell.stores.contract import DEFAULT_PROJECT

NOWHERE = "Patient/not-there"
ME = "Practitioner/bell"


@pytest.fixture
def strict(api: Any) -> Any:
    api.run(set_checks(api.store, DEFAULT_PROJECT, references="exists"))
    return api


def about(reference: str, **more: Any) -> dict[str, Any]:
    code = {"text": "weight"}
    subject = {"reference": reference, **more}
    return {"resourceType": "Observation", "status": "final", "code": code, "subject": subject}


def found(answer: Any) -> tuple[int, str]:
    issue = answer.json()["issue"][0]
    return answer.status_code, issue.get("expression", [""])[0]


def test_each_way_to_write_is_refused_what_leads_to_nothing(strict: Any) -> None:
    patient = f"Patient/{strict.make()['id']}"
    expected = (422, "Observation.subject")
    for text in (NOWHERE, f"{NOWHERE}/_history/1", f"{strict.url}/fhir/R4/{NOWHERE}"):
        assert found(strict.call("POST", "Observation", about(text))) == expected
    answer = strict.call("POST", "Observation", about(patient))
    assert answer.status_code == 201
    made = answer.json()
    path = f"Observation/{made['id']}"
    assert found(strict.call("PUT", path, {**about(NOWHERE), "id": made["id"]})) == expected
    patch = [{"op": "replace", "path": "/subject/reference", "value": NOWHERE}]
    assert found(strict.call("PATCH", path, patch)) == expected
    assert found(strict.call("PUT", "Observation?identifier=urn:t|x", about(NOWHERE))) == expected
    entry = strict.entry("POST", "Observation", about(NOWHERE))
    batch = strict.bundle("batch", entry).json()
    assert batch["entry"][0]["response"]["status"] == "422"
    answer = strict.bundle("transaction", entry)
    assert found(answer) == (422, "Bundle.entry[0].resource.subject")
    assert strict.ids("Observation") == [made["id"]]


def test_what_is_not_of_this_server_is_nobodys_business(strict: Any) -> None:
    for text in ("https://other.example.org/fhir/Patient/1", "urn:uuid:" + strict.never):
        assert strict.call("POST", "Observation", about(text)).status_code == 201


def test_a_transaction_has_what_it_writes_and_not_what_it_deletes(strict: Any) -> None:
    local = "urn:uuid:" + strict.never
    new = strict.entry("POST", "Patient", {"resourceType": "Patient"}, local)
    refers = strict.entry("POST", "Observation", about(local))
    assert strict.bundle("transaction", refers, new).status_code == 200
    assert strict.bundle("batch", refers, new).json()["entry"][0]["response"]["status"] == "201"
    patient = f"Patient/{strict.make()['id']}"
    deletes = strict.entry("DELETE", patient)
    refers = strict.entry("POST", "Observation", about(patient))
    assert found(strict.bundle("transaction", deletes, refers))[0] == 422


def test_what_was_there_before_may_stay(strict: Any) -> None:
    patient = f"Patient/{strict.make()['id']}"
    made = strict.call("POST", "Observation", about(patient)).json()
    assert strict.call("DELETE", patient).status_code == 200
    assert found(strict.call("POST", "Observation", about(patient)))[0] == 422
    changed = {**made, "status": "amended"}
    assert strict.call("PUT", f"Observation/{made['id']}", changed).status_code == 200


@pytest.mark.parametrize(
    ("setting", "reference", "status"),
    [
        ("off", {"type": "Device", "identifier": {"value": "1"}}, 201),
        ("type", {"type": "Device", "identifier": {"value": "1"}}, 422),
        ("type", {"type": "Practitioner", "identifier": {"value": "1"}}, 201),
        ("type", {"reference": "Practitioner/not-there"}, 201),
        ("exists", {"reference": "Practitioner/not-there"}, 422),
    ],
)
def test_each_setting_checks_as_much_as_it_says(
    api: Any, setting: str, reference: dict[str, Any], status: int
) -> None:
    api.run(set_checks(api.store, DEFAULT_PROJECT, references=setting))
    patient = {"resourceType": "Patient", "generalPractitioner": [reference]}
    assert api.call("POST", "Patient", patient).status_code == status


def limited(api: Any, *entries: dict[str, Any]) -> str:
    """How a client comes whose policy has these entries."""
    policy = {"resourceType": "AccessPolicy", "id": "some", "name": "some", "resource": [*entries]}
    client = api.run(add_client(api.store, "limited"))
    api.run(keep_policy(api.store, DEFAULT_PROJECT, policy))
    member = Membership(f"ClientApplication/{client.client_id}", ME, (Grant("some"),))
    api.run(keep_membership(api.store, DEFAULT_PROJECT, member))
    return api.credentials(client.client_id, client.client_secret)


def test_what_is_hidden_is_not_there(strict: Any) -> None:
    hidden = f"Patient/{strict.make(gender='male')['id']}"
    seen = f"Patient/{strict.make(gender='female')['id']}"
    basic = limited(
        strict,
        {"resourceType": "Patient", "criteria": "Patient?gender=female"},
        {"resourceType": "Observation"},
    )

    def written(text: str) -> Any:
        return strict.call("POST", "Observation", about(text), authorization=basic)

    assert written(seen).status_code == 201
    secret, nothing = written(hidden), written(NOWHERE)
    assert secret.status_code == nothing.status_code == 422
    assert secret.json()["issue"] == nothing.json()["issue"]


def test_nothing_is_told_of_references_that_are_hidden(strict: Any) -> None:
    """They stay as they are, whoever changes the rest; and one may always name oneself."""
    patient = f"Patient/{strict.make()['id']}"
    made = strict.call("POST", "Observation", about(patient)).json()
    path = f"Observation/{made['id']}"
    basic = limited(strict, {"resourceType": "Observation", "hiddenFields": ["subject"]})
    shown = strict.call("GET", path, authorization=basic).json()
    assert "subject" not in shown
    changed = {**shown, "status": "amended"}
    assert strict.call("PUT", path, changed, authorization=basic).status_code == 200
    entry = strict.entry("PUT", path, {**shown, "status": "corrected"})
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert strict.call("POST", "", bundle, authorization=basic).status_code == 200
    patch = [{"op": "replace", "path": "/status", "value": "final"}]
    assert strict.call("PATCH", path, patch, authorization=basic).status_code == 200
    assert strict.call("GET", path).json()["subject"]["reference"] == patient
    of_me = {**about(patient), "performer": [{"reference": ME}]}
    del of_me["subject"]
    assert strict.call("POST", "Observation", of_me, authorization=basic).status_code == 201
