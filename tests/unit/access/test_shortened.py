"""What was shortened for some is remembered, and nobody is shown more or less than is theirs."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.unit.access.world import NOON, uuid
from tests.unit.api.conftest import Api, opened_store, store
from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.access.shortened import all_shortened, shortened
from threadwell.api.clients import add_client
from threadwell.fhir.stamp import stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Stored, Write
from threadwell.stores.memory import MemoryStore

__all__ = ["opened_store", "store"]
WHY = {"x_threadwell_break_glass": "Unconscious on arrival"}
BOTH = {"gender": "female", "birthDate": "1990-01-01"}


class Limited(NamedTuple):
    """A client of ``api`` with the policy ``name``, about one Patient."""

    api: Api
    name: str
    basic: str
    patient: str

    def policy(self, *entries: dict[str, Any]) -> None:
        """Keep the policy anew; from now on it holds."""
        resource = [{"resourceType": "Patient", **entry} for entry in entries]
        policy = {"resourceType": "AccessPolicy", "id": self.name, "name": self.name}
        kept = keep_policy(self.api.store, DEFAULT_PROJECT, {**policy, "resource": resource})
        self.api.run(kept)
        self.api.clock.now += 10_000

    def shown(self, **headers: str) -> list[set[str]]:
        """Which of ``BOTH`` are shown: by a read, a version, the history, a search, an include."""
        found = []
        version = f"{self.patient}/_history/{self.read()['meta']['versionId']}"
        id_ = self.patient.partition("/")[2]
        paths = (self.patient, version, f"{self.patient}/_history", f"Patient?_id={id_}")
        # Twice, as the second time it may be known.
        for path in (*paths, *paths):
            answer = self.api.call("GET", path, authorization=self.basic, **headers)
            assert answer.status_code == 200, (path, answer.text)
            body = answer.json()
            of = body["entry"][0]["resource"] if body["resourceType"] == "Bundle" else body
            found.append({name for name in BOTH if name in of})
        return found

    def read(self) -> Any:
        return self.api.call("GET", self.patient, authorization=self.basic).json()


def limited(api: Api, name: str, patient: str) -> Limited:
    client = api.run(add_client(api.store, name))
    basic = api.credentials(client.client_id, client.client_secret)
    made = Limited(api, name, basic, patient)
    made.policy({})
    member = Membership(f"ClientApplication/{client.client_id}", "", (Grant(name),))
    api.run(keep_membership(api.store, DEFAULT_PROJECT, member))
    return made


def hiding(*paths: str) -> dict[str, Any]:
    return {"hiddenFields": list(paths)}


def test_a_policy_that_changes_is_gone_by_at_once(store: Store) -> None:
    api = Api(store=store)
    one = limited(api, "one", f"Patient/{api.make(**BOTH)['id']}")
    for entry, expected in (
        ({}, set(BOTH)),
        (hiding("gender"), {"birthDate"}),
        (hiding("gender", "birthDate"), set()),
        (hiding("birthDate"), {"gender"}),
        ({}, set(BOTH)),
        (hiding("gender"), {"birthDate"}),
    ):
        one.policy(entry)
        assert one.shown() == [expected] * 8


def test_several_see_the_same_version_each_as_is_theirs(store: Store) -> None:
    api = Api(store=store)
    patient = f"Patient/{api.make(**BOTH)['id']}"
    callers = [limited(api, name, patient) for name in ("one", "other", "whole")]
    for caller, entry in zip(callers, (hiding("gender"), hiding("birthDate"), {}), strict=True):
        caller.policy(entry)
    for _ in range(2):
        assert [caller.shown()[0] for caller in callers] == [{"birthDate"}, {"gender"}, set(BOTH)]
    assert set(BOTH) <= set(api.call("GET", patient).json())


def test_what_is_changed_is_shown_as_it_is_now(store: Store) -> None:
    """Also where criteria tell by what is in it which entry counts, and so what is hidden."""
    api = Api(store=store)
    whole = api.make(**BOTH, active=True)
    one = limited(api, "one", f"Patient/{whole['id']}")
    one.policy(
        {"criteria": "Patient?active=true", **hiding("gender")},
        {"criteria": "Patient?active=false", **hiding("birthDate")},
    )
    assert one.shown()[0] == {"birthDate"}
    for active, expected in ((False, {"gender"}), (True, {"birthDate"}), (False, {"gender"})):
        api.call("PUT", one.patient, {**whole, "active": active})
        path = f"Patient?_id={whole['id']}"
        for _ in range(2):
            found = api.call("GET", path, authorization=one.basic).json()["entry"][0]["resource"]
            assert {name for name in BOTH if name in found} == expected
            assert {name for name in BOTH if name in one.read()} == expected
            assert found["active"] is active
    api.call("DELETE", one.patient)
    assert api.call("GET", one.patient, authorization=one.basic).status_code == 404


def test_who_breaks_the_glass_sees_more_for_that_request_alone() -> None:
    api = Api(store=MemoryStore())
    one = limited(api, "one", f"Patient/{api.make(**BOTH)['id']}")
    one.policy(hiding("gender"), {"breakGlass": True})
    for _ in range(2):
        assert one.shown() == [{"birthDate"}] * 8
        assert one.shown(**WHY) == [set(BOTH)] * 8


def put(store: Store, **members: Any) -> Write:
    """A version whose names are the same in each store that it is written to."""
    whole = {"resourceType": "Patient", **members}
    stamped, body = stamp(whole, uuid(1), uuid(2), NOON)
    return Write("Patient", uuid(1), uuid(2), NOON, stamped, body)


@pytest.mark.parametrize("members", [{"gender": "male"}, {"birthDate": "1991-02-02", **BOTH}])
def test_versions_of_one_name_in_two_stores_are_two(members: dict[str, Any]) -> None:
    patient = f"Patient/{uuid(1)}"
    callers = []
    for of in (BOTH, {**BOTH, **members, "language": "en"}):
        api = Api(store=MemoryStore())
        api.run(api.store.commit(DEFAULT_PROJECT, ChangeSet((put(api.store, **of),))))
        callers.append(limited(api, "one", patient))
        callers[-1].policy(hiding("gender"))
    for _ in range(2):
        assert [caller.read().get("language") for caller in callers] == [None, "en"]
        assert not any("gender" in caller.read() for caller in callers)


def test_of_any_number_the_right_ones_are_shown() -> None:
    """More than are remembered, in any order, and others' of the same names."""
    hidden = frozenset({"gender", "name.family"})
    said = b'{"resourceType":"Patient","id":"%d","gender":"female","text":"%s"}'

    def version(number: int, text: bytes, author: str = "") -> Stored:
        body = said % (number, text)
        return Stored("Patient", str(number), f"v{number}", NOON, False, body, author)

    long = b"-" * 30_000
    several = [version(number, long) for number in range(900)]
    for page in (several[:500], several[400:], several[::-1]):
        shown = all_shortened(page, hidden)
        assert [one.id for one in shown] == [one.id for one in page]
        assert [one.body for one in shown] == [
            one.body.replace(b'"gender":"female",', b"") for one in page
        ]
    mine, others = version(1, b"a", "Practitioner/1"), version(1, b"a", "Practitioner/2")
    for one in (mine, others, mine):
        assert shortened(one, hidden).author == one.author
    gone = mine._replace(deleted=True, body=b"")
    assert (shortened(gone, hidden), shortened(mine, frozenset())) == (gone, mine)
