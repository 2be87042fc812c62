"""Search parameters that are created over FHIR, on each store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.api.claims import Claims
from threadwell.api.clients import add_client
from threadwell.api.oauth.keys import signing_key
from threadwell.api.oauth.tokens import access_token
from threadwell.duties.duty import Workplace
from threadwell.duties.indexing import duty
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

PLAN = "https://practice.example/plan"


def parameter(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "SearchParameter",
        "url": "https://practice.example/SearchParameter/plan",
        "name": "Plan",
        "description": "What a patient pays by",
        "status": "active",
        "code": "plan",
        "base": ["Patient"],
        "type": "token",
        "expression": f"Patient.extension('{PLAN}').value",
        **members,
    }


def patient(plan: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "extension": [{"url": PLAN, "valueCode": plan}]}


def index(api: Any) -> None:
    """Have the duty do what is due."""
    served = duty(Workplace(api.store))

    async def rounds() -> None:
        while await served.round() is not None:
            pass

    api.run(rounds())


@pytest.mark.parametrize(
    ("members", "status", "told"),
    [
        ({}, 201, ""),
        ({"status": "draft", "expression": "Patient.nothing"}, 201, ""),
        ({"expression": "Patient.nothing"}, 422, "Patient has no nothing"),
        ({"expression": "Patient.name.where(family ="}, 422, "cannot be worked out"),
        ({"expression": "Patient.name[0].lower('\\'')"}, 422, "do not use Patient.name[0].lower('"),
        ({"expression": "Patient.name.where(use > 'old')"}, 422, "test (use > 'old')"),
        ({"expression": "Encounter.status"}, 422, "leads to nothing in Patient"),
        ({"expression": "Patient.gender", "type": "date"}, 422, "no values of type date"),
        ({"expression": "(" * 30 + "Patient.gender" + ")" * 30}, 422, "parentheses"),
        ({"type": "special"}, 422, "special"),
        ({"base": ["Resource"]}, 422, "name the types"),
        ({"code": "gender", "expression": "Patient.gender"}, 422, "R4 has a parameter gender"),
        ({"code": "a.b"}, 422, "SearchParameter.code"),
        ({"code": "_plan"}, 422, "SearchParameter.code"),
    ],
)
def test_what_cannot_be_used_is_refused(
    new_api: Any, members: dict[str, Any], status: int, told: str
) -> None:
    answer = new_api().call("POST", "SearchParameter", parameter(**members))
    assert answer.status_code == status, answer.text
    assert told in answer.text


def test_one_that_r4_serves_is_only_kept(api: Any) -> None:
    """As implementation guides have them: derived from R4's own."""
    derived = parameter(
        code="gender",
        expression="Patient.gender",
        derivedFrom="http://hl7.org/fhir/SearchParameter/individual-gender",
    )
    assert api.call("POST", "SearchParameter", derived).status_code == 201
    assert api.run(api.store.parameters(DEFAULT_PROJECT)).listed == ()


def test_from_its_creation_to_its_end(api: Any) -> None:
    api.call("POST", "Patient", patient("gold"))
    made = api.call("POST", "SearchParameter", parameter()).json()
    other = parameter(url="https://practice.example/SearchParameter/other")
    assert api.call("POST", "SearchParameter", other).status_code == 422
    index(api)
    api.call("POST", "Patient", patient("gold"))
    assert api.call("GET", "Patient?plan=gold&_total=accurate").json()["total"] == 2
    stated = [
        one["definition"]
        for of in api.call("GET", "metadata").json()["rest"][0]["resource"]
        for one in of.get("searchParam", ())
        if one["name"] == "plan"
    ]
    assert stated == [parameter()["url"]]
    assert api.call("GET", "Patient?_filter=plan eq gold&_total=accurate").json()["total"] == 2
    assert api.call("DELETE", f"SearchParameter/{made['id']}").status_code == 200
    refused = api.call("GET", "Patient?plan=gold")
    assert refused.status_code == 400
    index(api)
    assert "Unknown search parameter: plan" in api.call("GET", "Patient?plan=gold").text


def limited(api: Any, criteria: str, *types: str) -> str:
    """How a client comes that may see what the criteria find, and all of some types."""
    entries = [{"resourceType": criteria.partition("?")[0], "criteria": criteria}]
    entries += [{"resourceType": type_} for type_ in types]
    policy = {"resourceType": "AccessPolicy", "id": "one", "name": "one", "resource": entries}
    api.run(keep_policy(api.store, DEFAULT_PROJECT, policy))
    client = api.run(add_client(api.store, "limited"))
    member = Membership(f"ClientApplication/{client.client_id}", "", (Grant("one"),))
    api.run(keep_membership(api.store, DEFAULT_PROJECT, member))
    return str(api.credentials(client.client_id, client.client_secret))


def with_scope(api: Any, scope: str) -> str:
    """How a client comes that has a token of that scope."""
    key = api.run(signing_key(api.store))
    id_, now = api.client.client_id, api.clock() // 1000
    token = access_token(key, f"{api.url}/", Claims(id_, "1", now + 99, 0, (scope,)), now, sub=id_)
    return f"Bearer {token}"


def statuses(api: Any, path: str, authorization: str) -> tuple[int, int]:
    """Of a read, and of a search of its type."""
    type_ = path.partition("/")[0]
    answers = [api.call("GET", one, authorization=authorization) for one in (path, type_)]
    return answers[0].status_code, answers[1].status_code


def test_who_was_limited_by_one_that_is_gone_sees_nothing(api: Any) -> None:
    """From the moment on that it is gone: nobody waits until a policy is looked up anew."""
    made = api.call("POST", "SearchParameter", parameter()).json()
    index(api)
    vip = f"Patient/{api.call('POST', 'Patient', patient('vip')).json()['id']}"
    by_own = limited(api, "Patient?plan:not=vip")
    plain = f"Patient/{api.call('POST', 'Patient', patient('plain')).json()['id']}"
    assert statuses(api, plain, by_own) == (200, 200)
    assert api.call("DELETE", f"SearchParameter/{made['id']}").status_code == 200
    assert statuses(api, vip, by_own) == (403, 403)


def test_who_was_limited_by_one_that_is_left_out_sees_nothing(api: Any) -> None:
    hidden = f"Patient/{api.make(gender='female')['id']}"
    seen = f"Patient/{api.make(gender='male')['id']}"
    criteria = "Patient?gender:not=female"
    callers = [limited(api, criteria), with_scope(api, f"user/{criteria.replace('?', '.rs?')}")]
    for caller in callers:
        assert statuses(api, seen, caller) == (200, 200)
    turned_off = api.store.change_parameters(
        DEFAULT_PROJECT, lambda now: now.turned("Patient", "gender", on=False)
    )
    api.run(turned_off)
    callers.append(with_scope(api, f"system/{criteria.replace('?', '.rs?')}"))
    for caller in callers:
        assert statuses(api, hidden, caller) == (403, 403)


def test_what_a_scope_hides_is_not_asked_by_one_of_ones_own(new_api: Any) -> None:
    api = new_api()
    of_header = parameter(
        code="secret",
        base=["Subscription"],
        type="string",
        expression="Subscription.channel.header",
    )
    assert api.call("POST", "SearchParameter", of_header).status_code == 201
    reads = with_scope(api, "system/Subscription.rs")
    assert api.call("GET", "Subscription?secret=a", authorization=reads).status_code == 403
    writes = with_scope(api, "system/Subscription.cruds")
    assert api.call("GET", "Subscription?secret=a", authorization=writes).status_code == 200


def test_nobody_says_what_the_criteria_mean_that_limit_them(new_api: Any) -> None:
    api = new_api()
    made = api.call("POST", "SearchParameter", parameter()).json()
    path = f"SearchParameter/{made['id']}"
    vip = f"Patient/{api.call('POST', 'Patient', patient('vip')).json()['id']}"
    caller = limited(api, "Patient?plan:not=vip", "SearchParameter")
    elsewhere = {**made, "expression": "Patient.extension('https://other.example/x').value"}
    renamed = {**made, "code": "scheme"}
    for method, body in (("PUT", elsewhere), ("PUT", renamed), ("DELETE", None)):
        assert api.call(method, path, body, authorization=caller).status_code == 403
    assert api.call("POST", "SearchParameter", parameter(), authorization=caller).status_code == 403
    # What nothing of theirs asks by is theirs to define.
    other = parameter(code="other", url="https://practice.example/SearchParameter/other")
    assert api.call("POST", "SearchParameter", other, authorization=caller).status_code == 201
    assert statuses(api, vip, caller)[0] in (403, 404)
    api.clock.now += 60_000
    assert statuses(api, vip, caller) == (404, 200)


@pytest.mark.parametrize(
    "criteria",
    [
        "Patient?plan:not=vip",
        "Patient?plan:missing=true",
        "Patient?_filter=not (plan eq vip)",
        "Patient?general-practitioner:Practitioner.name=x&link:Patient.plan=vip",
        "Patient?_has:Patient:link:plan=vip",
    ],
)
def test_what_any_criteria_mean_is_said_by_administrators(new_api: Any, criteria: str) -> None:
    """Whoever may do everything else: else they would say what others may see."""
    api = new_api()
    api.call("POST", "Patient", patient("plain"))
    made = api.call("POST", "SearchParameter", parameter()).json()
    index(api)
    limited(api, criteria)
    path = f"SearchParameter/{made['id']}"
    elsewhere = {**made, "expression": "Patient.extension('https://other.example/x').value"}
    entry = api.entry("DELETE", path)
    patch = [{"op": "replace", "path": "/status", "value": "retired"}]
    also = parameter(url="https://practice.example/SearchParameter/also", code="also")
    renamed = [{"op": "replace", "path": "/code", "value": "plan"}]

    client = api.run(add_client(api.store, "no administrator", admin=False))
    login = api.credentials(client.client_id, client.client_secret)

    def asked(method: str, at: str, body: Any = None) -> int:
        return int(api.call(method, at, body, authorization=login).status_code)

    other = f"SearchParameter/{api.call('POST', 'SearchParameter', also).json()['id']}"
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert asked("PATCH", other, renamed) in (403, 422)
    assert asked("PUT", path, elsewhere) == 403
    assert asked("PUT", path, {**made, "code": "scheme"}) == 403
    assert asked("PATCH", path, patch) == 403
    assert asked("POST", "", bundle) == 403
    assert asked("DELETE", path) == 403
    assert asked("DELETE", other) == 200
    # What is gone is not made anew by others either.
    assert api.call("DELETE", path).status_code == 200
    assert asked("POST", "SearchParameter", parameter()) == 403
    assert api.call("POST", "SearchParameter", parameter()).status_code == 201


@pytest.fixture(params=["sqlite", "postgres"])
def two(
    request: pytest.FixtureRequest, tmp_path: Path, new_api: Any
) -> Iterator[tuple[Store, Store]]:
    """One store, as two processes have it open."""
    if request.param == "sqlite":
        path = tmp_path / "threadwell.db"
        pair: tuple[Store, Store] = SqliteStore.open(path), SqliteStore.open(path)
    else:
        url = request.getfixturevalue("empty_postgres_url")
        pair = PostgresStore.open(url), PostgresStore.open(url)
    yield pair
    for one in pair:
        new_api.run(one.close())


def test_a_process_that_has_not_heard_of_the_end_shows_nothing_more(
    two: tuple[Store, Store], new_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written after a parameter has gone is found by it as long as anybody asks by it."""
    here, there = (new_api(store=one) for one in two)
    made = here.call("POST", "SearchParameter", parameter()).json()
    index(here)
    plain = here.call("POST", "Patient", patient("plain")).json()["id"]
    caller = limited(here, "Patient?plan:not=vip")
    found = there.run(there.store.home(DEFAULT_PROJECT, anew=True))
    assert len(there.call("GET", "Patient", authorization=caller).json()["entry"]) == 1
    # It is deaf from here on.
    monkeypatch.setattr(type(two[1]), "home", _deaf(two[1], found, type(two[1]).home))
    assert here.call("DELETE", f"SearchParameter/{made['id']}").status_code == 200
    here.call("POST", "Patient", patient("vip"))
    answer = there.call("GET", "Patient", authorization=caller)
    assert [one["resource"]["id"] for one in answer.json()["entry"]] == [plain]
    monkeypatch.undo()
    there.run(there.store.home(DEFAULT_PROJECT, anew=True))
    assert there.call("GET", "Patient", authorization=caller).status_code == 403
    assert here.call("GET", "Patient", authorization=caller).status_code == 403


def _deaf(store: Store, found: Any, real: Any) -> Any:
    async def home(self: Store, project: str, *, anew: bool = False) -> Any:
        return found if self is store else await real(self, project, anew=anew)

    return home
