"""Whose each login was, and who looked at accounts, clients and policies: one record of each."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.api.test_people import (
    CHALLENGE,
    PASSWORD,
    ROBIN,
    VERIFIER,
    log_in,
    person,
    say,
)
from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.access.roles import role
from threadwell.api.clients import add_client
from threadwell.api.endpoints import table
from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import Record
from threadwell.audit.trail import Trail
from threadwell.inbox.browsers import Accounts
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore

FORM = "application/x-www-form-urlencoded"
APP, SECRET = "0ddba110-0000-4000-8000-000000000001", "d" * 64
OTHER = "0ddba110-0000-4000-8000-000000000002"


pytestmark = pytest.mark.usefixtures("cheap_passwords")


class Watched:
    """A server of two clients, the second one with a policy; and what is in its trail."""

    def __init__(self, new_api: Any, **options: Any) -> None:
        store = MemoryStore()
        self.trail = Trail(store)
        people = Accounts(store, DEFAULT_PROJECT)
        self.api = new_api(store=store, trail=self.trail, people=people, **options)
        run = self.api.run
        run(add_client(store, "an app", client_id=APP, secret=SECRET))
        run(add_client(store, "limited", client_id=OTHER, secret=SECRET, admin=False))
        policy = run(keep_policy(store, DEFAULT_PROJECT, role("participant")))
        who = f"ClientApplication/{OTHER}"
        member = Membership(who, "Practitioner/9", (Grant(policy["id"], {}),))
        run(keep_membership(store, DEFAULT_PROJECT, member))
        self.taken = 0

    def records(self) -> list[Record]:
        async def all_() -> list[Any]:
            return [line async for line in find(self.trail, DEFAULT_PROJECT, Wanted())]

        lines = self.api.run(all_())[::-1]
        new = [line.record for line in lines if line.n >= self.taken]
        self.taken = len(lines)
        return new

    def told(self) -> list[tuple[Any, ...]]:
        """Of each: the act, who, the client, the status, and what was asked."""
        return [(r.act, r.by.who, r.by.client, r.status, r.asked) for r in self.records()]

    def token(self, **form: str) -> Any:
        body = "&".join(f"{name}={value}" for name, value in form.items())
        return say(self.api, "/oauth2/token", body.encode(), content_type=FORM)


@pytest.fixture
def here(new_api: Any) -> Watched:
    return Watched(new_api)


def test_a_program_is_named(here: Watched) -> None:
    grant = {"grant_type": "client_credentials"}
    here.told()
    assert here.token(**grant, client_id=APP, client_secret=SECRET).status_code == 200
    assert here.token(**grant, client_id=APP, client_secret="e" * 64).status_code == 400
    assert here.token(**grant, client_id="nobody", client_secret=SECRET).status_code == 400
    records = here.records()
    assert [(r.act, r.by.who, r.by.client, r.by.name, r.status) for r in records] == [
        ("login", f"ClientApplication/{APP}", APP, "an app", 200),
        ("login", "", APP, "an app", 400),
        ("login", "", "", "", 400),
    ]
    assert SECRET not in repr(records)
    assert "e" * 64 not in repr(records)


def test_a_person_and_their_app_are_named(here: Watched) -> None:
    robin = person(here.api)
    here.told()
    app = {"clientId": APP, "scope": "openid offline_access"}
    assert log_in(here.api, **app, password="another wall and garden").status_code == 400
    begun = log_in(here.api, **app).json()
    code = {"grant_type": "authorization_code", "code": begun["code"], "client_id": APP}
    code |= {"client_secret": SECRET, "code_verifier": VERIFIER}
    got = here.token(**code).json()
    refresh = {"grant_type": "refresh_token", "client_id": APP, "client_secret": SECRET}
    again = here.token(**refresh, refresh_token=got["refresh_token"]).json()
    assert here.token(**refresh, refresh_token="made-up").status_code == 400
    bearer = f"Bearer {again['access_token']}"
    assert say(here.api, "/oauth2/logout", {}, authorization=bearer).status_code == 200
    records = here.records()
    who = robin.profile
    assert [(r.act, r.by.who, r.by.client, r.status, r.asked) for r in records] == [
        ("login", "", APP, 400, "auth/login"),
        ("login", who, APP, 200, "auth/login"),
        ("login", who, APP, 200, "oauth2/token"),
        ("login", who, APP, 200, "oauth2/token"),
        ("login", "", APP, 400, "oauth2/token"),
        ("login", who, APP, 200, "oauth2/logout"),
    ]
    secrets = (PASSWORD, "another wall", SECRET, begun["code"], VERIFIER, CHALLENGE, ROBIN)
    tokens = (got["refresh_token"], got["access_token"], again["refresh_token"], "made-up")
    for text in (*secrets, *tokens):
        assert text not in repr(records)


def test_a_login_of_the_practice_itself_says_the_person(here: Watched) -> None:
    robin = person(here.api)
    here.told()
    assert log_in(here.api).status_code == 200
    assert log_in(here.api, clientId="nobody").status_code == 400
    assert here.told() == [
        ("login", robin.profile, "", 200, "auth/login"),
        ("login", "", "", 400, "auth/login"),
    ]


def test_a_flood_in_the_name_of_a_client_is_only_counted(here: Watched) -> None:
    """Anybody can name a client: else whoever knows of one could fill the disk."""
    here.told()
    for _ in range(70):
        here.token(grant_type="client_credentials", client_id=APP, client_secret="e" * 64)
    assert 20 <= len(here.told()) < 70


def administration() -> list[tuple[str, str]]:
    """Every method of every endpoint for accounts, clients and policies, with a path of it."""
    several = [(_example(one.pattern), methods) for one, methods in table._SEVERAL]
    patterns = [(_example(one.pattern), methods) for one, methods in table._PATTERNS.values()]
    there = [*table._PATHS.items(), *several, *patterns]
    return [
        (method, path)
        for path, methods in there
        if path.startswith(("fhir/", "admin/")) and "/.well-known/" not in path
        for method in methods
    ]


def _example(pattern: str) -> str:
    text = re.sub(r"\(\?:([^|)]*)[^)]*\)", r"\1", pattern)
    text = re.sub(r"^admin/projects/\[\^/\]\+", f"admin/projects/{DEFAULT_PROJECT}", text)
    return re.sub(r"\[[^\[\]]*\](?:\+|\{[0-9,]*\})", "an-id", text).replace("\\", "")


def test_there_are_some() -> None:
    """Else the test below would say nothing."""
    there = administration()
    assert ("GET", f"admin/projects/{DEFAULT_PROJECT}") in there
    assert {f"fhir/R4/{name}" for name in table.answering.KINDS} <= {path for _, path in there}
    assert all(table.methods_of(path) for _, path in there)


@pytest.mark.parametrize("who", ["admin", "limited", "nobody"])
def test_each_request_to_administration_leaves_one_record(here: Watched, who: str) -> None:
    api = here.api
    client = {"admin": APP, "limited": OTHER, "nobody": ""}[who]
    basic = api.credentials(client, SECRET) if client else None
    refused = {"limited": 403, "nobody": 401}.get(who)
    for n, (method, path) in enumerate(administration()):
        if who == "nobody" and n % 15 == 14:
            # Of strangers no more than twenty in a second are recorded one by one.
            here.trail._strangers._of.clear()
        here.told()
        body = None if method in ("GET", "DELETE") else {}
        kind = FORM if path.endswith("_search") else "application/json"
        body = b"_count=5" if kind == FORM else body
        answer = api.call(method, f"/{path}", body, authorization=basic, content_type=kind)
        assert refused in (None, answer.status_code), (method, path)
        (told,) = here.told()
        by = "Practitioner/9" if who == "limited" else f"ClientApplication/{APP}" if client else ""
        asked = path.removeprefix("fhir/R4/")
        assert told[1:] == (by, client, answer.status_code, asked), (method, path)
        if method == "GET":
            is_type = path.startswith("fhir/R4/") and "/" not in asked
            assert told[0] == ("search" if is_type else "read")


def test_what_was_searched_for_is_said(here: Watched) -> None:
    here.told()
    basic = here.api.credentials(APP, SECRET)
    for path, body in (
        ("User?email=a@example.org", None),
        ("User/_search", b"email=a@example.org"),
    ):
        method = "GET" if body is None else "POST"
        url = f"/fhir/R4/{path}"
        answer = here.api.call(method, url, body, authorization=basic, content_type=FORM)
        assert answer.status_code == 200
        (record,) = here.records()
        assert (record.act, record.query) == ("search", "email=a@example.org")


def test_a_change_has_the_record_that_it_had(here: Watched) -> None:
    here.told()
    basic = here.api.credentials(APP, SECRET)
    body = {"resourceType": "ClientApplication", "name": "another"}
    made = here.api.call("POST", "/fhir/R4/ClientApplication", body, authorization=basic)
    assert made.status_code == 201
    ((act, _, client, status, asked),) = here.told()
    assert (act, client, status) == ("account administered", APP, 201)
    assert asked == f"ClientApplication/{made.json()['id']}"
