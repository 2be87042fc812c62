"""A resource is judged whole, whatever of it its writer does not see or change, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.guide_package import guide, url
from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.api.clients import add_client
from threadwell.intake.guides.keeping import add_guide, set_checks
from threadwell.stores.contract import DEFAULT_PROJECT

READING = url("StructureDefinition", "reading")
#: R4 asks for two of them, and the profile for the third.
HIDDEN = ["status", "code", "subject"]


@pytest.fixture
def guided(api: Any) -> Any:
    api.run(add_guide(api.store, DEFAULT_PROJECT, guide()))
    api.run(set_checks(api.store, DEFAULT_PROJECT, profiles="check", references="exists"))
    api.clock.now += 1000
    return api


def limited(api: Any, **entry: Any) -> str:
    """How a client comes whose policy has an entry of Observations."""
    of = {"resourceType": "Observation", **entry}
    policy = {"resourceType": "AccessPolicy", "id": "some", "name": "some", "resource": [of]}
    client = api.run(add_client(api.store, "limited"))
    api.run(keep_policy(api.store, DEFAULT_PROJECT, policy))
    member = Membership(f"ClientApplication/{client.client_id}", "", (Grant("some"),))
    api.run(keep_membership(api.store, DEFAULT_PROJECT, member))
    return api.credentials(client.client_id, client.client_secret)


def reading(api: Any, **more: Any) -> dict[str, Any]:
    """One that is as the profile says."""
    made = {
        "resourceType": "Observation",
        "meta": {"profile": [READING]},
        "identifier": [{"system": "urn:t", "value": "1"}],
        "status": "final",
        "code": {"text": "weight"},
        "subject": {"reference": f"Patient/{api.make()['id']}"},
        "valueQuantity": {"value": 70, "unit": "kg"},
    }
    answer = api.call("POST", "Observation", {**made, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def ways(api: Any, path: str, body: dict[str, Any], basic: str) -> list[int]:
    """The status of each way to write that, and of what says whether it could be written."""
    given = {"resourceType": "Bundle", "entry": [api.entry("PUT", path, body)]}
    patch = [{"op": "add", "path": "/note", "value": body["note"]}]
    asked = [
        api.call("PUT", path, body, authorization=basic).status_code,
        api.call("PUT", "Observation?identifier=urn:t|1", body, authorization=basic).status_code,
        api.call("POST", "", {**given, "type": "transaction"}, authorization=basic).status_code,
        api.call("PATCH", path, patch, authorization=basic).status_code,
    ]
    batch = api.call("POST", "", {**given, "type": "batch"}, authorization=basic).json()
    told = [
        api.call("POST", f"{path}/$validate", body, authorization=basic).json(),
        api.call("GET", f"{path}/$validate", authorization=basic).json(),
    ]
    return [
        *asked,
        int(batch["entry"][0]["response"]["status"][:3]),
        *[400 if one["issue"][0]["severity"] == "error" else 200 for one in told],
    ]


@pytest.mark.parametrize("kind", ["hiddenFields", "readonlyFields"])
def test_nobody_is_refused_for_the_absence_of_what_they_do_not_write(
    guided: Any, kind: str
) -> None:
    made = reading(guided)
    basic = limited(guided, **{kind: HIDDEN})
    path = f"Observation/{made['id']}"
    body = {name: value for name, value in made.items() if name not in HIDDEN}
    noted = {**body, "note": [{"text": "seen"}]}
    assert ways(guided, path, noted, basic) == [200] * 7
    stored = guided.call("GET", path).json()
    assert {name: stored[name] for name in HIDDEN} == {name: made[name] for name in HIDDEN}
    assert stored["note"] == [{"text": "seen"}]


def test_a_rule_of_several_elements_sees_those_that_are_hidden(guided: Any) -> None:
    """A reason why there is no value, beside one (obs-6)."""
    made = reading(guided)
    basic = limited(guided, hiddenFields=["valueQuantity"])
    path = f"Observation/{made['id']}"
    shown = guided.call("GET", path, authorization=basic).json()
    assert "valueQuantity" not in shown
    absent = {**shown, "dataAbsentReason": {"text": "asked"}}
    answer = guided.call("PUT", path, absent, authorization=basic)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "invariant")


def test_what_is_wrong_within_what_is_hidden_is_not_told(guided: Any) -> None:
    """A claim is no way to ask what a hidden element says: the profile wants it to be final."""
    right = reading(guided)
    wrong = reading(guided, meta={"tag": [{"code": "x"}]}, status="preliminary")
    basic = limited(guided, hiddenFields=["status"])
    told = []
    for made in (right, wrong):
        path = f"Observation/{made['id']}"
        shown = guided.call("GET", path, authorization=basic).json()
        claim = {**shown, "meta": {**shown["meta"], "profile": [READING]}}
        written = guided.call("PUT", path, claim, authorization=basic)
        tried = guided.call("POST", f"{path}/$validate", claim, authorization=basic)
        told.append((written.status_code, tried.json()["issue"]))
    assert told[0] == told[1]
    assert told[0][0] == 200
    bad = {**claim, "valueString": "x"}
    del bad["valueQuantity"]
    assert guided.call("PUT", path, bad, authorization=basic).status_code == 422


def test_what_is_sent_in_place_of_what_is_hidden_is_not_judged(guided: Any) -> None:
    made = reading(guided)
    basic = limited(guided, hiddenFields=HIDDEN)
    path = f"Observation/{made['id']}"
    sent = {**made, "status": "nonsense", "code": 5}
    assert guided.call("PUT", path, sent, authorization=basic).status_code == 200
    assert guided.call("GET", path).json()["status"] == "final"
    # What is not there, or is not theirs, has nothing that could be put back.
    gone = {**sent, "id": "none"}
    assert guided.call("PUT", "Observation/none", gone, authorization=basic).status_code == 400


def test_what_is_seen_is_judged_whatever_it_is_called(new_api: Any) -> None:
    """``performer`` is no part of ``performerType``, which is hidden."""
    api = new_api()
    type_ = "ServiceRequest"
    members = {"status": "active", "intent": "order", "subject": {"display": "x"}}
    made = api.make(type_, **members, performerType={"text": "nurse"})
    basic = limited(api, resourceType=type_, hiddenFields=["performerType", "occurrenceDateTime"])
    path = f"{type_}/{made['id']}"
    shown = api.call("GET", path, authorization=basic).json()
    for wrong in ({"performer": "nobody"}, {"performer": [{"reference": "Medication/1"}]}):
        answer = api.call("PUT", path, {**shown, **wrong}, authorization=basic)
        assert answer.status_code == 400, wrong
    # What stands in place of what is hidden is put aside, and nothing of it is told.
    sent = {**shown, "occurrenceDateTime": "never"}
    assert api.call("PUT", path, sent, authorization=basic).status_code == 200
    assert api.call("GET", path).json()["performerType"] == {"text": "nurse"}


def test_nobody_brings_in_what_they_may_not_write(guided: Any) -> None:
    """What is put back is what was stored, also where nothing was stored."""
    made = reading(guided)
    basic = limited(guided, hiddenFields=["note"], readonlyFields=["issued"])
    path = f"Observation/{made['id']}"
    for sent in ({"note": [{"text": "x"}]}, {"issued": "2031-01-01T00:00:00Z"}, {"_issued": {}}):
        answer = guided.call("PUT", path, {**made, **sent}, authorization=basic)
        assert answer.status_code == 200
        stored = guided.call("GET", path).json()
        assert not {"note", "issued", "_issued"} & set(stored)


def test_no_value_of_another_type_stands_beside_one_that_is_hidden(new_api: Any) -> None:
    """Nor does anybody learn by trying it whether there is one."""
    api = new_api()
    type_ = "ServiceRequest"
    members = {"status": "active", "intent": "order", "subject": {"display": "x"}}
    basic = limited(api, resourceType=type_, hiddenFields=["occurrenceDateTime"])
    told = []
    for more in ({"occurrenceDateTime": "2031-05-04"}, {}):
        path = f"{type_}/{api.make(type_, **members, **more)['id']}"
        shown = api.call("GET", path, authorization=basic).json()
        sent = {**shown, "note": [{"text": "x"}], "occurrencePeriod": {"start": "2030-01-01"}}
        answer = api.call("PUT", path, sent, authorization=basic)
        told.append((answer.status_code, sorted(answer.json())))
        stored = api.call("GET", path).json()
        assert {name for name in stored if name.startswith("occ")} == set(more)
    assert told[0] == told[1]
    assert told[0][0] == 200


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [("hiddenFields", [403, 403, 403]), ("readonlyFields", [200, 403, 403]), ("", [200, 200, 200])],
)
def test_the_content_of_a_binary_is_no_element_beside_others(
    new_api: Any, kind: str, statuses: list[int]
) -> None:
    """An entry of any type that names it hides the Binary, or leaves all of it as it is."""
    api = new_api()
    path = f"Binary/{api.make('Binary', contentType='text/plain', data='b25l')['id']}"
    basic = limited(api, resourceType="*", **({kind: ["data"]} if kind else {}))
    sent = {"resourceType": "Binary", "id": path.partition("/")[2], "contentType": "text/plain"}
    answers = [
        api.call("GET", path, authorization=basic),
        api.call("PUT", path, {**sent, "data": "dHdv"}, authorization=basic),
        api.call("PUT", path, b"two", content_type="text/plain", authorization=basic),
    ]
    assert [one.status_code for one in answers] == statuses
    assert api.call("GET", path).content == (b"two" if statuses[1] == 200 else b"one")
