"""What administrators read and change as if it were FHIR, as Medplum's clients do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from threadwell.api.clients import add_client
from threadwell.inbox.browsers import Accounts
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore
from threadwell.users.inviting import Invitation, invite

FORM = "application/x-www-form-urlencoded"
PATIENTS = {
    "resourceType": "AccessPolicy",
    "name": "patients",
    "resource": [{"resourceType": "Patient", "readonly": True}],
}


@pytest.fixture
def api(new_api: Any) -> Any:
    store = MemoryStore()
    return new_api(store=store, people=Accounts(store, DEFAULT_PROJECT))


def made(api: Any, body: Any) -> Any:
    answer = api.call("POST", body["resourceType"], body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"].endswith(f"/{body['resourceType']}/{answer.json()['id']}")
    return answer.json()


def a_client(api: Any, **more: Any) -> Any:
    return made(api, {"resourceType": "ClientApplication", "name": "billing", **more})


def status(api: Any, client: Any, path: str = "Patient") -> int:
    basic = api.credentials(client["id"], client["secret"])
    answer: int = api.call("GET", path, authorization=basic).status_code
    return answer


def put(api: Any, resource: Any, **headers: str) -> Any:
    path = f"{resource['resourceType']}/{resource['id']}"
    return api.call("PUT", path, resource, **headers)


def membership(api: Any, who: str) -> Any:
    answer = api.call("GET", f"ProjectMembership?profile={who}").json()
    (entry,) = answer["entry"]
    return entry["resource"]


def test_a_client_is_made_read_changed_and_ended(api: Any) -> None:
    client = a_client(api, description="sums up")
    assert status(api, client) == 200
    read = api.call("GET", f"ClientApplication/{client['id']}")
    assert "secret" not in read.json()
    assert read.headers["etag"] == f'W/"{read.json()["meta"]["versionId"]}"'
    changed = put(api, {**read.json(), "name": "accounts"}, if_match=read.headers["etag"])
    assert (changed.status_code, changed.json()["name"]) == (200, "accounts")
    # The secret stays, and who has seen an earlier version is told so.
    assert status(api, client) == 200
    assert put(api, read.json(), if_match=read.headers["etag"]).status_code == 412
    assert put(api, {**changed.json(), "status": "off"}).json()["status"] == "off"
    assert status(api, client) == 401
    put(api, {**changed.json(), "status": "active"})
    assert status(api, client) == 200
    path = f"ClientApplication/{client['id']}"
    assert [api.call("DELETE", path).status_code for _ in range(2)] == [200, 200]
    assert status(api, client) == 401
    assert api.call("GET", path).status_code == 404


def test_a_secret_is_shown_once_and_kept_as_a_hash(api: Any) -> None:
    client = a_client(api)
    private = json.dumps(
        {
            kind: [value.decode(errors="replace") for value in found.values()]
            for kind in api.run(api.store.private_kinds())
            for found in [api.run(api.store.list_private(kind))]
        }
    )
    assert client["secret"] not in private
    path = f"ClientApplication/{client['id']}/$rotate-secret"
    new = api.call("POST", path, {"resourceType": "Parameters"}).json()
    assert new["secret"] != client["secret"]
    assert (status(api, client), status(api, new)) == (401, 200)
    own = "0123456789abcdef" * 2
    with_own = put(api, {**new, "secret": own})
    assert "secret" not in with_own.json()
    assert (status(api, new), status(api, {**new, "secret": own})) == (401, 200)
    assert put(api, {**new, "secret": "short"}).status_code == 400


def test_a_policy_is_made_changed_and_holds_at_once(api: Any) -> None:
    policy = made(api, PATIENTS)
    client = a_client(api, accessPolicy={"reference": f"AccessPolicy/{policy['id']}"})
    assert (status(api, client), status(api, client, "Encounter")) == (200, 403)
    wider = {**policy, "resource": [{"resourceType": "Encounter"}]}
    assert put(api, wider).json()["resource"] == wider["resource"]
    assert (status(api, client), status(api, client, "Encounter")) == (403, 200)
    bad = put(api, {**policy, "resource": [{"resourceType": "Nonsense"}]})
    assert bad.status_code == 400
    # Who has it could do nothing without it.
    path = f"AccessPolicy/{policy['id']}"
    assert api.call("DELETE", path).status_code == 409
    api.call("DELETE", f"ClientApplication/{client['id']}")
    assert api.call("DELETE", path).status_code == 200
    assert api.call("GET", path).status_code == 404


def test_what_a_membership_gives_holds_for_the_next_request(api: Any) -> None:
    policy = made(api, PATIENTS)
    client = a_client(api)
    who = f"ClientApplication/{client['id']}"
    mine = membership(api, who)
    assert "access" not in mine
    named = {"policy": {"reference": f"AccessPolicy/{policy['id']}"}}
    given = put(api, {**mine, "access": [named]}).json()
    assert given["accessPolicy"] == named["policy"]
    assert (status(api, client), status(api, client, "Encounter")) == (200, 403)
    without = {
        name: value for name, value in given.items() if name not in ("access", "accessPolicy")
    }
    assert "access" not in put(api, without).json()
    assert status(api, client, "Encounter") == 200
    assert put(api, {**mine, "accessPolicy": named["policy"]}).status_code == 200
    assert status(api, client, "Encounter") == 403
    none = put(api, {**mine, "accessPolicy": {"reference": "AccessPolicy/none"}})
    assert none.status_code == 400
    for name, value in (
        ("profile", "Practitioner/1"),
        ("user", "User/1"),
        ("project", "Project/1"),
    ):
        assert put(api, {**mine, name: {"reference": value}}).status_code == 400, name
    admin = put(api, {**mine, "admin": True}).json()
    assert admin["admin"]
    assert put(api, {**admin, "active": False}).json()["active"] is False
    assert status(api, client) == 401


def test_memberships_of_people_are_changed_too(api: Any) -> None:
    policy = made(api, PATIENTS)
    asked = Invitation("robin@clinic.example.org", "Robin", "Ash")
    invited = api.run(invite(api.store, DEFAULT_PROJECT, asked, author="", clock=api.clock))
    behalf = {"x_medplum_on_behalf_of": f"ProjectMembership/{invited.member.id}"}
    assert api.call("GET", "Encounter", **behalf).status_code == 200
    mine = membership(api, invited.member.profile)
    named = {"reference": f"AccessPolicy/{policy['id']}"}
    body = {**mine, "accessPolicy": named, "access": []}
    path = f"/admin/projects/{DEFAULT_PROJECT}/members/{mine['id']}"
    for change in (lambda: api.call("POST", path, body), lambda: put(api, body)):
        assert put(api, {**mine, "access": []}).status_code == 200
        assert api.call("GET", "Encounter", **behalf).status_code == 200
        assert change().status_code == 200
        assert api.call("GET", "Encounter", **behalf).status_code == 403
    assert put(api, {**mine, "active": False}).json()["active"] is False
    assert api.call("GET", "Patient", **behalf).status_code == 403
    assert put(api, {**mine, "active": True, "access": []}).json()["active"] is True
    assert api.call("GET", "Encounter", **behalf).status_code == 200
    assert api.call("DELETE", f"ProjectMembership/{mine['id']}").status_code == 200
    assert api.call("GET", f"ProjectMembership/{mine['id']}").status_code == 404
    assert api.call("GET", "Patient", **behalf).status_code == 403


def test_who_is_cared_for_never_gets_everything(api: Any) -> None:
    patient = api.make(name=[{"family": "Ash", "given": ["Leo"]}])
    asked = Invitation("leo@example.org", profile=f"Patient/{patient['id']}")
    invited = api.run(invite(api.store, DEFAULT_PROJECT, asked, author="", clock=api.clock))
    mine = membership(api, invited.member.profile)
    bare = {k: v for k, v in mine.items() if k not in ("access", "accessPolicy")}
    assert put(api, bare).json()["accessPolicy"]["reference"] == "AccessPolicy/patient"


def test_they_are_searched_and_paged(api: Any) -> None:
    for name in ("night billing", "billing", "letters"):
        a_client(api, name=name)

    def names(query: str) -> list[str]:
        found = api.call("GET", f"ClientApplication?{query}").json()
        return [entry["resource"]["name"] for entry in found.get("entry", [])]

    assert names("name=bill") == ["billing", "night billing"]
    assert names("name:exact=billing") == ["billing"]
    assert names("name:contains=ette") == ["letters"]
    assert len(names("_count=2")) == 2
    page = api.call("GET", "ClientApplication?_count=2").json()
    (following,) = [one["url"] for one in page["link"] if one["relation"] == "next"]
    assert len(api.call("GET", following).json()["entry"]) == 2
    by_form = api.call("POST", "ClientApplication/_search", b"name=letters", content_type=FORM)
    assert by_form.json()["total"] == 1
    assert api.call("GET", "ClientApplication?nonsense=1").status_code == 400
    assert names("name=nobody") == []


def test_a_patch_is_json_patch(api: Any) -> None:
    client = a_client(api)
    path = f"ClientApplication/{client['id']}"
    operations = [{"op": "replace", "path": "/name", "value": "letters"}]
    kind = "application/json-patch+json"
    answer = api.call("PATCH", path, operations, content_type=kind)
    assert answer.json()["name"] == "letters"
    wrong = [{"op": "replace", "path": "/id", "value": "x"}]
    assert api.call("PATCH", path, wrong, content_type=kind).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        (method, path, body)
        for type_ in ("ClientApplication", "AccessPolicy", "ProjectMembership", "User", "Project")
        for method, path, body in (
            ("GET", type_, None),
            ("POST", type_, {"resourceType": type_, "name": "x"}),
            ("POST", f"{type_}/_search", {}),
            ("GET", f"{type_}/{DEFAULT_PROJECT}", None),
            ("PUT", f"{type_}/{DEFAULT_PROJECT}", {"resourceType": type_, "id": DEFAULT_PROJECT}),
            ("DELETE", f"{type_}/{DEFAULT_PROJECT}", None),
        )
    ]
    + [
        ("GET", f"/admin/projects/{DEFAULT_PROJECT}", None),
        ("GET", f"/admin/projects/{DEFAULT_PROJECT}/members/1", None),
        ("POST", f"/admin/projects/{DEFAULT_PROJECT}/client", {"name": "x"}),
        ("POST", f"/admin/projects/{DEFAULT_PROJECT}/bot", {"name": "x"}),
        ("POST", f"/admin/projects/{DEFAULT_PROJECT}/secrets", []),
        ("POST", f"/admin/projects/{DEFAULT_PROJECT}/settings", []),
        ("POST", f"/admin/projects/{DEFAULT_PROJECT}/sites", []),
    ],
)
def test_nobody_else_sees_any_of_it(api: Any, method: str, path: str, body: Any) -> None:
    policy = made(api, {**PATIENTS, "resource": [{"resourceType": "*"}]})
    limited = a_client(api, accessPolicy={"reference": f"AccessPolicy/{policy['id']}"})
    plain = a_client(api)
    for one in (limited, plain):
        basic = api.credentials(one["id"], one["secret"])
        assert api.call(method, path, body, authorization=basic).status_code == 403
    assert api.call(method, path, body, authorization=None).status_code == 401


def test_the_project_is_told_with_its_members(api: Any) -> None:
    client = a_client(api)
    told = api.call("GET", f"/admin/projects/{DEFAULT_PROJECT}").json()
    assert told["project"]["name"] == "Threadwell"
    named = {one["profile"]["display"]: one["role"] for one in told["members"]}
    assert named == {"tests": "admin", client["name"]: "member"}
    assert api.call("GET", f"Project/{DEFAULT_PROJECT}").json()["name"] == "Threadwell"
    assert api.call("GET", "/admin/projects/1").status_code == 404
    bot = api.call("POST", f"/admin/projects/{DEFAULT_PROJECT}/bot", {"name": "x"})
    assert bot.status_code == 501
    # What it is told by auth/me is found here.
    me = api.call("GET", "/auth/me").json()["membership"]
    assert api.call("GET", f"ProjectMembership/{me['id']}").json()["admin"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x", "redirectUris": ["javascript:alert(1)"]},
        {"name": "x", "jwksUri": "ftp://example.org"},
        {"name": "x", "identityProvider": {}},
        {"name": "x", "secret": "too short"},
        {"name": "x", "accessPolicy": {"reference": "AccessPolicy/none"}},
    ],
)
def test_what_cannot_be_honoured_is_refused(api: Any, body: Any) -> None:
    before = api.call("GET", "ClientApplication").json()["total"]
    answer = api.call("POST", "ClientApplication", {"resourceType": "ClientApplication", **body})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"]
    assert api.call("GET", "ClientApplication").json()["total"] == before


def test_a_client_of_the_store_may_not_be_taken(api: Any) -> None:
    """An id that a body brings is not taken: clients of others may have it."""
    other = api.run(add_client(api.store, "other"))
    body = {"resourceType": "ClientApplication", "id": other.client_id, "name": "mine"}
    assert made(api, body)["id"] != other.client_id
