"""An administrator's client acts for a member: as they may, and never more."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.access.roles import role
from threadwell.api.clients import add_client
from threadwell.api.oauth.access import LOOK, RECHECK
from threadwell.audit.events import events
from threadwell.audit.finding import Wanted, find
from threadwell.audit.trail import Trail
from threadwell.fhir.validation import validate
from threadwell.inbox.browsers import Accounts
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore
from threadwell.users.changing import set_disabled
from threadwell.users.inviting import Invitation, invite
from threadwell.users.keeping import user_of

ROBIN = "robin@clinic.example.org"
EXTENDED = {"x_medplum": "extended"}


class Desk(NamedTuple):
    """A server, the membership of Robin (a participant), and a thread of theirs and of another."""

    api: Any
    trail: Trail
    id: str
    robin: str
    mine: str
    others: str

    @property
    def behalf(self) -> dict[str, str]:
        return {"x_medplum_on_behalf_of": f"ProjectMembership/{self.id}"}

    def status(self, method: str, path: str, body: Any = None, **headers: Any) -> int:
        return int(self.api.call(method, path, body, **{**self.behalf, **headers}).status_code)

    def refused(self, caller: str, named: str) -> Any:
        headers = {"authorization": caller, "x_medplum_on_behalf_of": named}
        answer = self.api.call("GET", self.mine, **headers)
        return answer.status_code, answer.json()["issue"]

    def admit(self, *policies: str) -> None:
        """Let Robin have those policies, and wait until that is noticed."""
        member = Membership(self.robin, self.robin, tuple(Grant(one) for one in policies))
        self.api.run(keep_membership(self.api.store, DEFAULT_PROJECT, member))
        self.api.clock.now += RECHECK


@pytest.fixture
def desk(store: Store, new_api: Any) -> Desk:
    return made(store, new_api)


@pytest.fixture
def quick(new_api: Any) -> Desk:
    """The same in memory, for what a store does not matter to."""
    return made(MemoryStore(), new_api)


def made(store: Store, new_api: Any) -> Desk:
    people = Accounts(store, DEFAULT_PROJECT)
    trail = Trail(store)
    api = new_api(store=store, people=people, trail=trail)
    asked = Invitation(ROBIN, "Robin", "Ash")
    robin = api.run(invite(store, DEFAULT_PROJECT, asked, author="", clock=api.clock)).member
    other = api.make("Practitioner", name=[{"family": "Other"}])["id"]
    senders = (robin.profile, f"Practitioner/{other}")
    mine, others = (
        f"Communication/{api.make('Communication', status='completed', sender=by(one))['id']}"
        for one in senders
    )
    desk = Desk(api, trail, robin.id, robin.profile, mine, others)
    desk.admit(api.run(keep_policy(store, DEFAULT_PROJECT, role("participant")))["id"])
    return desk


def by(who: str) -> dict[str, str]:
    return {"reference": who}


def test_it_sees_what_the_member_sees(desk: Desk) -> None:
    api = desk.api
    for named in (f"ProjectMembership/{desk.id}", desk.robin):
        headers = {"x_medplum_on_behalf_of": named}
        assert api.call("GET", desk.mine, **headers).status_code == 200
        assert api.call("GET", desk.others, **headers).status_code == 404
        assert len(api.call("GET", "Communication", **headers).json()["entry"]) == 1
        query = {"query": "{CommunicationList{id}}"}
        found = api.call("POST", "$graphql", query, **headers).json()
        assert len(found["data"]["CommunicationList"]) == 1
        entries = [api.entry("GET", one) for one in (desk.mine, desk.others)]
        page = api.bundle("batch", *entries, **headers).json()
        assert [one["response"]["status"][:3] for one in page["entry"]] == ["200", "404"]
    # Only for that request.
    assert api.call("GET", desk.others).status_code == 200


def test_what_is_written_names_both(desk: Desk) -> None:
    api = desk.api
    body = {"resourceType": "Communication", "status": "completed", "sender": by(desk.robin)}
    headers = {**desk.behalf, **EXTENDED}
    new = api.call("POST", "Communication", body, **headers).json()
    name = f"Communication/{new['id']}"
    client = f"ClientApplication/{api.client.client_id}"
    written = [new, api.call("PUT", name, {**new, "priority": "urgent"}, **headers).json()]
    put = api.entry("PUT", name, {**body, "id": new["id"], "priority": "stat"})
    assert api.bundle("transaction", put, **headers).status_code == 200
    written.append(api.call("GET", name, **EXTENDED).json())
    for meta in (one["meta"] for one in written):
        assert (meta["author"], meta["onBehalfOf"]) == (by(client), by(desk.robin))
    alone = api.call("PUT", name, {**body, "id": new["id"]}, **EXTENDED).json()["meta"]
    assert alone["author"] == by(client)
    assert "onBehalfOf" not in alone
    plain = api.call("GET", name, accept="application/json").json()["meta"]
    assert sorted(plain) == ["lastUpdated", "versionId"]
    # In nobody else's name.
    assert desk.status("POST", "Communication", {**body, "sender": by("Practitioner/2")}) == 403
    # What somebody has brought is theirs, whoever has asked for it.
    file = api.call("POST", "Binary", b"text", content_type="text/plain", **desk.behalf)
    path = file.headers["location"].partition("/fhir/R4/")[2].partition("/_history")[0]
    assert desk.status("GET", path) == 200


def test_it_is_recorded_who_acted_for_whom(desk: Desk) -> None:
    api, trail = desk.api, desk.trail
    client = f"ClientApplication/{api.client.client_id}"
    desk.status("GET", desk.mine)
    desk.api.call("GET", desk.mine, x_medplum_on_behalf_of="ProjectMembership/nobody")

    async def all_(who: str) -> list[Any]:
        return [line async for line in find(trail, DEFAULT_PROJECT, Wanted(who=who))]

    [line] = api.run(all_(desk.robin))
    assert (line.record.by.who, line.record.by.acting) == (desk.robin, client)
    [event] = events(line)
    told = {one["who"].get("reference"): one for one in event["agent"]}
    assert told[desk.robin]["requestor"] is False
    assert told[desk.robin]["role"][0]["text"] == "was acted for"
    assert [one["requestor"] for one in event["agent"]] == [True, False, False]
    assert validate(event) == []
    newest, second, *_ = api.run(all_(client))
    assert newest.record.status == 403
    assert second == line


@pytest.mark.parametrize(
    "named",
    [
        "ProjectMembership/nobody",
        "Practitioner/nobody",
        "nobody",
        "",
        "ProjectMembership/{id}, ProjectMembership/{id}",
        "ProjectMembership/{id}/_history/1",
        "User/{id}",
        "ClientApplication/{client}",
        "http://testserver/fhir/R4/ProjectMembership/{id}",
    ],
)
def test_for_nobody_else(quick: Desk, named: str) -> None:
    named = named.format(id=quick.id, client=quick.api.client.client_id)
    answer = quick.api.call("GET", quick.mine, x_medplum_on_behalf_of=named)
    assert answer.status_code == 403


def test_nobody_else_acts_for_another(quick: Desk) -> None:
    """Who is no administrator, or has a policy or scopes, is told the same of whoever they name."""
    api, store = quick.api, quick.api.store
    plain = api.run(add_client(store, "plain", admin=False))
    limited = api.run(add_client(store, "limited"))
    policy = api.run(keep_policy(store, DEFAULT_PROJECT, role("system")))
    who = f"ClientApplication/{limited.client_id}"
    member = Membership(who, who, (Grant(policy["id"]),))
    api.run(keep_membership(store, DEFAULT_PROJECT, member))
    callers = [api.credentials(one.client_id, one.client_secret) for one in (plain, limited)]
    form = (
        f"grant_type=client_credentials&client_id={api.client.client_id}"
        f"&client_secret={api.client.client_secret}&scope=system/*.cruds"
    ).encode()
    kind = "application/x-www-form-urlencoded"
    token = api.call("POST", "/oauth2/token", form, content_type=kind).json()["access_token"]
    callers.append(f"Bearer {token}")
    for caller in callers:
        told = {
            str(quick.refused(caller, named))
            for named in (f"ProjectMembership/{quick.id}", quick.robin, "ProjectMembership/no")
        }
        assert len(told) == 1
        assert "forbidden" in told.pop()
        assert quick.status("GET", quick.mine, authorization=caller) == 403
    assert quick.status("GET", quick.mine, authorization=None) == 401


def test_an_end_is_noticed(desk: Desk) -> None:
    api = desk.api
    assert desk.status("GET", desk.mine) == 200
    user = api.run(user_of(api.store, ROBIN))
    api.run(set_disabled(api.store, DEFAULT_PROJECT, user, disabled=True, clock=api.clock))
    api.clock.now += LOOK
    assert desk.status("GET", desk.mine) == 403
    user = api.run(user_of(api.store, ROBIN))
    api.run(set_disabled(api.store, DEFAULT_PROJECT, user, disabled=False, clock=api.clock))
    api.clock.now += LOOK
    assert desk.status("GET", desk.mine) == 200
    desk.admit()
    assert desk.status("GET", desk.mine) == 403
    # Who is not there any more is nobody whom one could act for.
    api.call("DELETE", desk.mine)
    assert api.call("DELETE", desk.robin).status_code == 200
    api.clock.now += RECHECK
    assert desk.status("GET", "Practitioner") == 403


@pytest.mark.parametrize("is_free", [False, True])
def test_nothing_lasts_longer_than_the_request(quick: Desk, is_free: bool) -> None:
    """Also where the member may do everything: that may change."""
    api = quick.api
    if is_free:
        system = api.run(keep_policy(api.store, DEFAULT_PROJECT, role("system")))
        quick.admit(system["id"])
    subscription = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "x",
        "criteria": "Communication",
        "channel": {"type": "websocket"},
    }
    made = api.make(**{"type_": "Subscription", **subscription, "resourceType": "Subscription"})
    bound = f"Subscription/{made['id']}/$get-ws-binding-token"
    begun = api.call("GET", "$export")
    assert begun.status_code == 202
    under_way = begun.headers["content-location"].partition("/fhir/R4/")[2]
    for method, path in [
        ("GET", "$export"),
        ("POST", "$export"),
        ("GET", "Patient/$export"),
        ("GET", under_way),
        ("DELETE", under_way),
        ("GET", f"{under_way}/a.ndjson"),
        ("GET", bound),
    ]:
        assert quick.status(method, path) == 403, path
    assert quick.status("POST", "Subscription", subscription) == 403
    entry = api.entry("POST", "Subscription", subscription)
    for kind in ("batch", "transaction"):
        page = api.bundle(kind, entry, **quick.behalf).json()
        assert "forbidden" in str(page)
    put = f"Subscription/{made['id']}"
    assert quick.status("PUT", put, {**subscription, "id": made["id"], "reason": "y"}) == 403
    assert api.call("GET", put).json()["meta"]["versionId"] == made["meta"]["versionId"]


def test_what_only_an_administrator_does_is_nobody_elses(quick: Desk) -> None:
    for method, path in [
        ("POST", f"/admin/projects/{DEFAULT_PROJECT}/invite"),
        ("POST", f"/admin/projects/{DEFAULT_PROJECT}/client"),
        ("GET", "ProjectMembership"),
        ("GET", "User"),
        ("POST", "/auth/revoke"),
        ("POST", "/auth/changepassword"),
        ("GET", "/oauth2/userinfo"),
    ]:
        body = {"loginId": "x"} if method == "POST" else None
        assert quick.status(method, path, body) == 403, path
    told = quick.api.call("GET", "/auth/me", **quick.behalf).json()
    assert told["profile"]["id"] == quick.robin.partition("/")[2]
    assert (told["membership"]["id"], told["membership"]["admin"]) == (quick.id, False)


def test_who_signs_out_does_so_themselves(quick: Desk) -> None:
    api = quick.api
    form = (
        f"grant_type=client_credentials&client_id={api.client.client_id}"
        f"&client_secret={api.client.client_secret}"
    ).encode()
    kind = "application/x-www-form-urlencoded"
    token = api.call("POST", "/oauth2/token", form, content_type=kind).json()["access_token"]
    mine = {"authorization": f"Bearer {token}"}
    assert quick.status("GET", quick.mine, **mine) == 200
    assert quick.status("POST", "/oauth2/logout", **mine) == 200
    assert quick.status("GET", quick.mine, **mine) == 401
