"""Which project somebody comes to: by their account, their client, their token, their link."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from threadwell.api.clients import add_client
from threadwell.app import create_server
from threadwell.channels.account import Account
from threadwell.fhir.stamp import now_ms
from threadwell.inbox.sign_in import new_link
from threadwell.intake.accounts import keep_account
from threadwell.projects.registry import create_project, rename_project
from threadwell.projects.within import within
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore
from threadwell.users import codes
from threadwell.users.changing import set_by_link
from threadwell.users.inviting import Invitation, invite
from threadwell.users.keeping import change_user, user_of
from threadwell.users.passwords import Hashing
from threadwell.users.settings import Cost
from threadwell.users.user import Factor

URL = "http://testserver"
MO, PASSWORD, OTHER = "mo@clinic.example.org", "four walls and a garden", "a garden and four walls"
# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class Server:
    """A server of two projects: Hill Street, which is the first, and Riverside."""

    def __init__(self, hashing: Hashing) -> None:
        self.raw = MemoryStore()
        self.hashing = hashing
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        first = self.run(create_project(self.raw, "Riverside", now_ms()))
        self.further = first.id
        self.app = create_server(self.raw, base_url=URL)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=URL)

    def store(self, project: str) -> Store:
        return within(self.raw, project)

    def person(self, project: str, email: str = MO, password: str = PASSWORD, **more: Any) -> str:
        """The id of a membership."""
        store = self.store(project)
        asked = Invitation(email, "Mo", "Adeyemi", **more)
        made = self.run(invite(store, project, asked, author="", clock=now_ms))
        assert made.link is not None
        self.run(set_by_link(store, project, made.link, password, self.hashing, now_ms))
        return made.member.id

    def second_factor(self, project: str) -> str:
        """The secret of an authenticator that the account has from now on."""
        store = self.store(project)
        user = self.run(user_of(store, MO))
        assert user is not None
        secret = codes.new_secret()
        factor = Factor(secret)
        self.run(change_user(store, project, user.id, lambda one: codes_replace(one, factor)))
        return secret

    def say(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.run(self.http.post(path, json=body, headers=headers))

    def form(self, path: str, **fields: str) -> httpx.Response:
        return self.run(self.http.post(path, data=fields))

    def get(self, path: str, token: str = "", **headers: str) -> httpx.Response:
        given = {"authorization": f"Bearer {token}", **headers} if token else headers
        return self.run(self.http.get(path, headers=given))

    def log_in(self, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
        asked = {"codeChallenge": CHALLENGE, "codeChallengeMethod": "S256"}
        answer = self.say("/auth/login", {"email": MO, "password": password, **asked, **more})
        found: dict[str, Any] = answer.json()
        return found

    def token(self, code: str) -> dict[str, Any]:
        answer = self.form(
            "/oauth2/token",
            grant_type="authorization_code",
            code=code,
            client_id="",
            code_verifier=VERIFIER,
        )
        found: dict[str, Any] = answer.json()
        return found


def codes_replace(user: Any, factor: Factor) -> Any:
    from msgspec.structs import replace

    return replace(user, factor=factor)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    hashing = Hashing(Cost(8, 1, 1))
    for module in ("api.endpoints.auth.login", "api.endpoints.auth.passwords", "inbox.site"):
        monkeypatch.setattr(f"threadwell.{module}.shared", lambda: hashing)
    made = Server(hashing)
    yield made
    made.runner.close()
    hashing.close()


@pytest.mark.parametrize("home", ["first", "further"])
def test_who_has_one_account_comes_to_its_project(server: Server, home: str) -> None:
    project = DEFAULT_PROJECT if home == "first" else server.further
    server.person(project)
    token = server.token(server.log_in()["code"])
    assert token["project"]["reference"] == f"Project/{project}"
    me = server.get("/auth/me", token["access_token"]).json()
    assert me["project"]["id"] == project
    assert me["project"]["name"] == ("Threadwell" if home == "first" else "Riverside")
    assert server.get("/fhir/R4/Practitioner", token["access_token"]).json()["entry"]
    assert server.log_in("wrong and wrong and wrong")["issue"]


def test_who_has_two_chooses(server: Server) -> None:
    mine = {one: server.person(one) for one in (DEFAULT_PROJECT, server.further)}
    told = server.log_in()
    assert "code" not in told
    shown = {one["project"]["display"]: one["id"] for one in told["memberships"]}
    assert shown == {"Threadwell": mine[DEFAULT_PROJECT], "Riverside": mine[server.further]}
    for project, membership in mine.items():
        told = server.log_in()
        chosen = server.say("/auth/profile", {"login": told["login"], "profile": membership})
        token = server.token(chosen.json()["code"])
        assert token["project"]["reference"] == f"Project/{project}"
    # No membership but theirs.
    told = server.log_in()
    refused = server.say("/auth/profile", {"login": told["login"], "profile": "another"})
    assert refused.status_code == 400


def test_a_password_opens_no_other_project(server: Server) -> None:
    """Whoever makes an account for somebody else's address gets nothing of theirs."""
    server.person(DEFAULT_PROJECT)
    server.person(server.further, password=OTHER)
    for password, project in ((PASSWORD, DEFAULT_PROJECT), (OTHER, server.further)):
        token = server.token(server.log_in(password)["code"])
        assert token["project"]["reference"] == f"Project/{project}"
        other = server.further if project == DEFAULT_PROJECT else DEFAULT_PROJECT
        answer = server.log_in(password, projectId=other)
        assert "code" not in answer
        assert "memberships" not in answer


def test_each_asks_for_its_own_second_factor(server: Server) -> None:
    mine = {one: server.person(one) for one in (DEFAULT_PROJECT, server.further)}
    secret = server.second_factor(server.further)
    login = server.log_in()["login"]
    chosen = server.say("/auth/profile", {"login": login, "profile": mine[server.further]}).json()
    assert chosen["mfaRequired"]
    code = codes.code_at(secret, now_ms())
    told = server.say("/auth/mfa/verify", {"login": chosen["login"], "token": code}).json()
    assert server.token(told["code"])["project"]["display"] == "Riverside"


def test_a_token_is_good_in_its_project_alone(server: Server) -> None:
    made = server.run(add_client(server.store(server.further), "riverside", project=server.further))
    form = {"grant_type": "client_credentials", "client_id": made.client_id}
    told = server.form("/oauth2/token", **form, client_secret=made.client_secret).json()
    assert told["project"]["display"] == "Riverside"
    head, payload, signature = told["access_token"].split(".")
    claims = json.loads(_unpacked(payload))
    assert claims["project"] == server.further
    # Neither without its project nor with another is it good anywhere.
    del claims["project"]
    forged = f"{head}.{_packed(claims)}.{signature}"
    assert server.get("/fhir/R4/Patient", forged).status_code == 401
    keys = {one["kid"] for one in server.get("/.well-known/jwks.json").json()["keys"]}
    assert len(keys) == 2
    assert json.loads(_unpacked(head))["kid"] in keys
    both = httpx.BasicAuth(made.client_id, made.client_secret)
    answer = server.run(server.http.get("/auth/me", auth=both)).json()
    assert answer["project"]["name"] == "Riverside"
    server.run(rename_it(server, "Harbour"))
    assert server.get("/auth/me", told["access_token"]).json()["project"]["name"] == "Harbour"


async def rename_it(server: Server, name: str) -> None:
    from threadwell.projects.registry import find_project

    found = await find_project(server.raw, server.further)
    assert found is not None
    await rename_project(server.raw, found, name)


def test_one_id_of_a_client_is_one_projects(server: Server) -> None:
    made = server.run(add_client(server.raw, "a"))
    own = add_client(server.store(server.further), "b", project=server.further)
    theirs = server.run(own)
    for store, project, taken in (
        (server.raw, DEFAULT_PROJECT, theirs.client_id),
        (server.store(server.further), server.further, theirs.client_id),
    ):
        with pytest.raises(ValueError, match="already"):
            server.run(add_client(store, "c", client_id=taken, project=project))
    assert made.client_id != theirs.client_id


def test_the_pages_are_those_of_the_account(server: Server) -> None:
    server.person(server.further)
    answer = server.form("/sign-in", email=MO, password=PASSWORD)
    assert answer.status_code == 303
    page = server.get("/")
    assert "Riverside" in page.text
    server.form("/sign-out")
    assert server.get("/").status_code == 401


def test_the_pages_ask_who_has_two(server: Server) -> None:
    for project in (DEFAULT_PROJECT, server.further):
        server.person(project)
    answer = server.form("/sign-in", email=MO, password=PASSWORD)
    assert answer.headers["location"] == "/sign-in/project"
    assert "Riverside" in server.get("/sign-in/project").text
    assert server.get("/").status_code == 401
    chosen = server.form("/sign-in/project", project=server.further)
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/")
    assert "Riverside" in server.get("/").text
    # It was asked once.
    again = server.form("/sign-in/project", project=DEFAULT_PROJECT)
    assert again.headers["location"] == "/sign-in"


def test_a_link_leads_to_its_project(server: Server) -> None:
    store = server.store(server.further)
    link = server.run(new_link(store, URL, project=server.further))
    assert server.form(link.removeprefix(URL)).status_code == 303
    assert "Riverside" in server.get("/").text


def test_providers_and_apps_reach_a_project_by_its_path(server: Server) -> None:
    values = {"account_sid": "AC" + "1" * 32, "auth_token": "s" * 32}
    account = Account("desk", "twilio", (), values)
    server.run(keep_account(server.store(server.further), server.further, account))
    # What was not signed is refused; an account that is not there is not found.
    for path, status in (
        (f"/p/{server.further}/hooks/desk", 403),
        ("/hooks/desk", 404),
        (f"/p/{DEFAULT_PROJECT}/hooks/desk", 404),
        ("/p/11111111-2222-4333-8444-555555555555/hooks/desk", 404),
    ):
        answer = server.run(server.http.post(path, content=urlencode({"From": "1"})))
        assert answer.status_code == status, path


def test_a_file_is_given_out_by_its_project(server: Server) -> None:
    made = server.run(add_client(server.store(server.further), "a", project=server.further))
    both = httpx.BasicAuth(made.client_id, made.client_secret)
    answer = server.run(
        server.http.post(
            "/fhir/R4/Binary",
            content=b"hi",
            headers={"content-type": "text/plain", "x-medplum": "extended"},
            auth=both,
        )
    ).json()
    assert f"/p/{server.further}/storage/" in answer["url"]
    assert server.get(answer["url"]).text == "hi"
    assert server.get(answer["url"].replace(f"/p/{server.further}", "")).status_code == 403


def _unpacked(part: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _packed(claims: Any) -> str:
    import base64

    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def test_a_socket_is_of_the_project_whose_token_it_says_first(server: Server) -> None:
    clients = {
        project: server.run(add_client(server.store(project), "a", project=project))
        for project in (DEFAULT_PROJECT, server.further)
    }

    async def said(project: str, method: str, path: str, body: Any = None) -> Any:
        made = clients[project]
        both = httpx.BasicAuth(made.client_id, made.client_secret)
        answer = await server.http.request(method, f"/fhir/R4/{path}", json=body, auth=both)
        return answer.json()

    async def token(project: str) -> str:
        channel = {"type": "websocket"}
        asked = {"resourceType": "Subscription", "status": "active", "reason": "x"}
        asked |= {"criteria": "Patient", "channel": channel}
        made = await said(project, "POST", "Subscription", asked)
        told = await said(project, "GET", f"Subscription/{made['id']}/$get-ws-binding-token")
        found: str = next(o["valueString"] for o in told["parameter"] if o["name"] == "token")
        return found

    async def run() -> None:
        frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {"type": "websocket", "path": "/ws/subscriptions-r4", "headers": []}
        await frames.put({"type": "websocket.connect"})
        work = asyncio.create_task(server.app(scope, frames.get, heard.put))

        async def say(**frame: Any) -> dict[str, Any]:
            await frames.put({"type": "websocket.receive", "text": json.dumps(frame)})
            return await hear()

        async def hear() -> dict[str, Any]:
            async with asyncio.timeout(60):
                found: dict[str, Any] = json.loads((await heard.get())["text"])
                return found

        mine, other = await token(server.further), await token(DEFAULT_PROJECT)
        assert (await heard.get())["type"] == "websocket.accept"
        assert await say(type="ping") == {"type": "pong"}
        told = await say(type="bind-with-token", payload={"token": mine})
        assert told["entry"][0]["resource"]["type"] == "handshake"
        refused_ = await say(type="bind-with-token", payload={"token": other})
        assert refused_["id"] == "unauthorized"
        for project, family in ((DEFAULT_PROJECT, "Theirs"), (server.further, "Ours")):
            body = {"resourceType": "Patient", "name": [{"family": family}]}
            await said(project, "POST", "Patient", body)
        told = await hear()
        assert told["entry"][1]["resource"]["name"][0]["family"] == "Ours"
        await frames.put({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(60):
            await work

    server.run(run())
