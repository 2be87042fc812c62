"""A search parameter of one's own on each way that a search may go, also through a policy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.test_own_parameters import index, parameter, patient
from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.api.clients import add_client
from threadwell.stores.contract import DEFAULT_PROJECT

REGARDS = "https://practice.example/regards"
#: Who leads to whom: a message regards a patient.
BY_REFERENCE = parameter(
    url="https://practice.example/SearchParameter/regards",
    code="regards",
    base=["Communication"],
    type="reference",
    target=["Patient"],
    expression=f"Communication.extension('{REGARDS}').value",
)


class Practice:
    """Two patients, each with a message that regards them by an extension alone."""

    def __init__(self, api: Any) -> None:
        self.api = api
        for one in (parameter(), BY_REFERENCE):
            assert api.call("POST", "SearchParameter", one).status_code == 201
        index(api)
        self.names: dict[str, str] = {}
        for name, plan in (("ana", "gold"), ("ben", "tin")):
            made = {**patient(plan), "gender": "female" if name == "ana" else "male"}
            id_ = api.call("POST", "Patient", made).json()["id"]
            self.names[f"Patient/{id_}"] = name
            regards = {"url": REGARDS, "valueReference": {"reference": f"Patient/{id_}"}}
            message = {
                "resourceType": "Communication",
                "status": "completed",
                "extension": [regards],
            }
            id_ = api.call("POST", "Communication", message).json()["id"]
            self.names[f"Communication/{id_}"] = f"to {name}"

    def limited(self, *entries: dict[str, Any]) -> str:
        api = self.api
        policy = {"resourceType": "AccessPolicy", "id": "p", "name": "p", "resource": [*entries]}
        api.run(keep_policy(api.store, DEFAULT_PROJECT, policy))
        client = api.run(add_client(api.store, "limited"))
        member = Membership(f"ClientApplication/{client.client_id}", "", (Grant("p"),))
        api.run(keep_membership(api.store, DEFAULT_PROJECT, member))
        return str(api.credentials(client.client_id, client.client_secret))

    def found(self, asked: str, login: str = "") -> list[str] | int:
        """What a search has in its answer, by name, or its status."""
        more = {"authorization": login} if login else {}
        answer = self.api.call("GET", asked, **more)
        if answer.status_code != 200:
            return int(answer.status_code)
        got = [one["resource"] for one in answer.json().get("entry", [])]
        return [self.names[f"{one['resourceType']}/{one['id']}"] for one in got]


@pytest.fixture
def practice(api: Any) -> Practice:
    return Practice(api)


#: A search, and what it finds.
WAYS: list[tuple[str, list[str]]] = [
    ("Patient?plan=gold", ["ana"]),
    ("Patient?plan:not=gold", ["ben"]),
    ("Patient?_sort=plan", ["ana", "ben"]),
    ("Patient?_sort=-plan", ["ben", "ana"]),
    ("Patient?_filter=plan eq tin", ["ben"]),
    ("Communication?regards:Patient.plan=gold", ["to ana"]),
    ("Communication?regards.plan=tin", ["to ben"]),
    ("Patient?_has:Communication:regards:status=completed&plan=tin", ["ben"]),
    ("Communication?regards.plan=gold&_include=Communication:regards", ["to ana", "ana"]),
    ("Communication?regards.plan=gold&_include=Communication:*", ["to ana", "ana"]),
    ("Patient?plan=tin&_revinclude=Communication:regards", ["ben", "to ben"]),
    (
        "Patient?plan=tin&_revinclude=Communication:regards&_include:iterate=Communication:regards",
        ["ben", "to ben"],
    ),
]


def test_every_way_leads_by_it(practice: Practice) -> None:
    for asked, expected in WAYS:
        assert practice.found(asked) == expected, asked


def test_every_way_ends_at_what_a_policy_hides(practice: Practice) -> None:
    """By a parameter of one's own in the criteria."""
    login = practice.limited(
        {"resourceType": "Patient", "criteria": "Patient?plan:not=tin"},
        {"resourceType": "Communication"},
    )
    hidden = {"ben"}
    for asked, expected in WAYS:
        of_hidden = "plan=tin" in asked or "eq tin" in asked or asked.endswith(":not=gold")
        # What leads through somebody who is hidden is not found either.
        left = [] if of_hidden else [one for one in expected if one not in hidden]
        assert practice.found(asked, login) == left, asked


def test_what_is_hidden_is_asked_by_no_way(practice: Practice) -> None:
    """Nobody learns of a hidden extension by what finds it, sorts by it, or follows it."""
    login = practice.limited(
        {"resourceType": "Patient", "hiddenFields": ["extension"]},
        {"resourceType": "Communication", "hiddenFields": ["extension"]},
    )
    followed = {
        "Communication?_include=Communication:regards&_sort=_id",
        "Communication?_include=Communication:*&_sort=_id",
        "Patient?_revinclude=Communication:regards&_sort=_id",
    }
    for asked in followed:
        type_ = asked.partition("?")[0]
        assert practice.found(asked, login) == practice.found(f"{type_}?_sort=_id"), asked
    for asked, _ in WAYS:
        found = practice.found(asked, login)
        assert found in ([], 403), (asked, found)


def test_what_is_only_shown_is_asked_by_every_way(practice: Practice) -> None:
    login = practice.limited(
        {"resourceType": "Patient", "readonlyFields": ["extension"]},
        {"resourceType": "Communication", "readonlyFields": ["extension"]},
    )
    for asked, expected in WAYS:
        assert practice.found(asked, login) == expected, asked


def test_graphql_leads_by_it(practice: Practice) -> None:
    """By ``_filter``, as the schema is that of R4; and only through what may be seen."""

    def ids(text: str, login: str = "") -> Any:
        more = {"authorization": login} if login else {}
        answer = practice.api.call("POST", "$graphql", {"query": text}, **more).json()
        found = answer.get("data") or {}
        return [practice.names[f"Patient/{one['id']}"] for one in found.get("PatientList") or ()]

    by_plan = '{ PatientList(_filter: "plan eq gold") { id } }'
    assert ids(by_plan) == ["ana"]
    hiding = practice.limited({"resourceType": "Patient", "hiddenFields": ["extension"]})
    assert ids(by_plan, hiding) == []
