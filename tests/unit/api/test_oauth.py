"""Logging in, staying in, being let in no more."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

import jwt
import pytest

from threadwell.access.scopes import is_known
from threadwell.api.clients import (
    BadRegistration,
    add_client,
    checked_redirects,
    find_client,
    list_clients,
    remove_client,
    rotate_client,
    set_policy,
)
from threadwell.api.oauth.access import LOOK, RECHECK
from threadwell.projects.within import within
from threadwell.stores.contract import DEFAULT_PROJECT

FORM = "application/x-www-form-urlencoded"


def login(api, *, header: str | None = None, **form: str):
    body = urlencode({"grant_type": "client_credentials", **form}).encode()
    return api.call("POST", "/oauth2/token", body, content_type=FORM, authorization=header)


@pytest.fixture
def token(api) -> str:
    id_, secret = api.client
    answer = login(api, client_id=id_, client_secret=secret)
    return f"Bearer {answer.json()['access_token']}"


def test_credentials_may_come_in_body_header_or_both(api) -> None:
    id_, secret = api.client
    both = {"client_id": id_, "client_secret": secret}
    for answer in (
        login(api, **both),
        login(api, header=api.basic),
        login(api, header=api.basic, **both),
    ):
        given = answer.json()
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert (given["token_type"], given["expires_in"]) == ("Bearer", 3600)
        assert given["project"]["reference"].startswith("Project/")
        assert given["profile"] == {"reference": f"ClientApplication/{id_}", "display": "tests"}
        assert "refresh_token" not in given


def test_the_token_says_what_clients_look_for(api, token) -> None:
    key = jwt.PyJWK(api.call("GET", "/.well-known/jwks.json").json()["keys"][0])
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims = jwt.decode(
        token[7:],
        key,
        ["ES256"],
        audience=api.client.client_id,
        issuer=f"{api.url}/",
        options=options,
    )
    assert claims["client_id"] == claims["sub"] == api.client.client_id
    assert isinstance(claims["login_id"], str)
    assert claims["exp"] == claims["iat"] + 3600 == api.clock.now // 1000 + 3600
    assert jwt.get_unverified_header(token[7:])["kid"] == key.key_id


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ("", "invalid_request", "Missing grant_type"),
        ("grant_type=nope", "unsupported_grant_type", "Unsupported grant_type"),
        ("grant_type=refresh_token&refresh_token=x", "invalid_grant", "Invalid refresh token"),
        ("grant_type=refresh_token", "invalid_request", "Missing refresh_token"),
        ("grant_type=authorization_code", "invalid_request", "Missing code"),
        ("grant_type=authorization_code&code=x", "invalid_grant", "Invalid code"),
        ("grant_type=password&username=x&password=y", "unsupported_grant_type", "Unsupported"),
        ("grant_type=nope&grant_type=client_credentials", "invalid_request", "'grant_type' is"),
        ("grant_type=client_credentials", "invalid_request", "Missing client_id"),
        ("grant_type=client_credentials&client_id={id}", "invalid_request", "Missing client_secr"),
        (
            "grant_type=client_credentials&client_id={id}&client_secret=x",
            "invalid_request",
            "Invalid secret",
        ),
        (
            "grant_type=client_credentials&client_id=x&client_secret=x",
            "invalid_request",
            "Invalid client",
        ),
    ],
)
def test_refused_logins(api, form: str, error: str, description: str) -> None:
    body = form.format(id=api.client.client_id).encode()
    answer = api.call("POST", "/oauth2/token", body, content_type=FORM, authorization=None)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["error_description"].startswith(description)


def test_header_and_body_must_agree(api) -> None:
    assert login(api, header=api.basic, client_id="another").status_code == 400
    assert login(api, header="Basic !").status_code == 400


def test_a_login_is_a_form(api) -> None:
    answer = api.call("POST", "/oauth2/token", {"grant_type": "client_credentials"})
    assert (answer.status_code, answer.text) == (400, "Unsupported content type")
    assert api.call("GET", "/oauth2/token").status_code == 405


def test_both_ways_to_ask(api, token) -> None:
    for header in (token, token.replace("Bearer", "bearer"), api.basic):
        assert api.call("GET", "Patient", authorization=header).status_code == 200
        me = api.call("GET", "/auth/me", authorization=header).json()
        assert me.keys() == {"project", "membership", "profile", "config", "accessPolicy"}
        assert me["profile"]["resourceType"] == "ClientApplication"
        assert me["profile"]["id"] == api.client.client_id


def forged(token: str, **claims: object) -> str:
    """The token with other claims and the old signature."""
    head, payload, signature = token.split(".")
    given = json.loads(base64.urlsafe_b64decode(payload + "=="))
    new = base64.urlsafe_b64encode(json.dumps(given | claims).encode()).decode().rstrip("=")
    return f"{head}.{new}.{signature}"


def test_what_opens_nothing(api, new_api, token) -> None:
    id_, secret = api.client
    identity = login(api, client_id=id_, client_secret=secret).json()["id_token"]
    stranger = new_api()
    foreign = login(
        stranger, client_id=stranger.client.client_id, client_secret=stranger.client.client_secret
    )
    for header in (
        None,
        "",
        "Bearer",
        "Bearer x",
        "Bearer a.b.c",
        f"Bearer {identity}",
        f"Bearer {foreign.json()['access_token']}",
        f"Bearer {forged(token[7:], exp=99999999999)}",
        f"Bearer {jwt.encode({'client_id': id_, 'login_id': 'x', 'exp': 99999999999}, 'k' * 32)}",
        f"Digest {token[7:]}",
        "Basic !",
        api.credentials(id_, "x"),
        api.credentials(id_, ""),
        api.credentials("x", secret),
    ):
        for method, path in [
            ("GET", "Patient"),
            ("POST", "Patient"),
            ("GET", f"Patient/{api.never}"),
            ("POST", ""),
            ("GET", "Nonsense"),
            ("GET", "/auth/me"),
            ("POST", "/oauth2/logout"),
            ("POST", f"/admin/projects/{api.never}/client"),
        ]:
            answer = api.call(method, path, authorization=header)
            assert answer.status_code == 401, (header, path)
            assert answer.json()["id"] == "unauthorized"
            assert answer.json()["issue"][0]["code"] == "login"
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_ends_with_its_hour(api, token) -> None:
    for passed, status in [(0, 200), (3599_000, 200), (3600_000, 401)]:
        api.clock.now = 1_710_072_000_000 + passed
        assert api.call("GET", "Patient", authorization=token).status_code == status


def test_a_removed_client_is_out_at_once(api, token) -> None:
    assert api.call("GET", "Patient", authorization=token).status_code == 200
    api.run(remove_client(api.store, api.client.client_id))
    api.clock.now += LOOK
    assert api.call("GET", "Patient", authorization=token).status_code == 401
    assert api.call("GET", "Patient", authorization=api.basic).status_code == 401


def test_a_rotated_client_goes_on_with_its_new_secret_alone(api, token) -> None:
    assert api.call("GET", "Patient", authorization=token).status_code == 200
    kept = api.run(find_client(api.store, api.client.client_id))
    new = api.run(rotate_client(api.store, kept))
    api.clock.now += LOOK
    for old in (token, api.basic):
        assert api.call("GET", "Patient", authorization=old).status_code == 401
    id_, secret = api.client
    assert login(api, client_id=id_, client_secret=secret).status_code == 400
    fresh = login(api, client_id=new.client_id, client_secret=new.client_secret).json()
    again = f"Bearer {fresh['access_token']}"
    assert api.call("GET", "Patient", authorization=again).status_code == 200
    (after,) = api.run(list_clients(api.store))
    assert (after.id, after.name, after.admin) == (kept.id, kept.name, kept.admin)


def test_clients_are_listed_in_the_order_of_their_coming(api, new_api) -> None:
    api.run(add_client(api.store, "later", clock=lambda: 4_000_000_000_000))
    api.run(add_client(api.store, "of another project", project="p"))
    assert [client.name for client in api.run(list_clients(api.store))] == ["tests", "later"]


def test_a_logout_ends_one_login(api, token) -> None:
    id_, secret = api.client
    other = f"Bearer {login(api, client_id=id_, client_secret=secret).json()['access_token']}"
    assert api.call("POST", "/oauth2/logout", {}, authorization=token).status_code == 200
    assert api.call("GET", "Patient", authorization=token).status_code == 401
    assert api.call("GET", "Patient", authorization=other).status_code == 200


def test_a_logout_is_heard_of_by_every_server_of_a_store(api, new_api, token) -> None:
    sibling = new_api(store=api.store)
    id_, secret = api.client
    other = f"Bearer {login(api, client_id=id_, client_secret=secret).json()['access_token']}"
    for one in (token, other):
        assert sibling.call("GET", "Patient", authorization=one).status_code == 200
    assert api.call("POST", "/oauth2/logout", {}, authorization=token).status_code == 200
    sibling.clock.now += LOOK
    assert sibling.call("GET", "Patient", authorization=token).status_code == 401
    assert sibling.call("GET", "Patient", authorization=other).status_code == 200


def test_a_client_whose_end_nobody_told_of_is_out_within_seconds(api, token) -> None:
    assert api.call("GET", "Patient", authorization=token).status_code == 200
    api.run(api.store.put_private("client", api.client.client_id, None))
    api.clock.now += RECHECK
    assert api.call("GET", "Patient", authorization=token).status_code == 401


def test_tokens_are_good_at_every_server_of_a_store(api, new_api, token) -> None:
    sibling = new_api(store=api.store)
    assert sibling.call("GET", "Patient", authorization=token).status_code == 200


def test_no_secret_is_stored(api) -> None:
    kept = api.run(api.store.list_private("client"))
    assert api.client.client_secret.encode() not in b"".join(kept.values())
    assert len(bytes.fromhex(api.client.client_secret)) == 32


def test_a_client_id_is_registered_once(api) -> None:
    with pytest.raises(ValueError, match="already"):
        api.run(add_client(api.store, "again", client_id=api.client.client_id))


def test_further_clients_over_http(api) -> None:
    project = api.call("GET", "/auth/me").json()["project"]["id"]
    path = f"/admin/projects/{project}/client"
    made = api.call("POST", path, {"name": "front desk"})
    assert (made.status_code, made.json()["resourceType"]) == (201, "ClientApplication")
    header = api.credentials(made.json()["id"], made.json()["secret"])
    assert api.call("GET", "Patient", authorization=header).status_code == 200
    assert api.call("POST", path, {"name": "x"}, authorization=header).status_code == 403
    for body in ({}, {"name": " "}, [], b"{"):
        assert api.call("POST", path, body).status_code == 400
    assert api.call("POST", f"/admin/projects/{api.never}/client", {"name": "x"}).status_code == 404


def test_discovery_names_what_works_and_nothing_else(api) -> None:
    documents = [
        api.call("GET", path, authorization=None).json()
        for path in (
            "/fhir/R4/.well-known/smart-configuration",
            "/.well-known/smart-configuration",
            "/.well-known/openid-configuration",
        )
    ]
    for document in documents:
        assert document["issuer"] == f"{api.url}/"
        assert document["token_endpoint"] == f"{api.url}/oauth2/token"
        assert document["code_challenge_methods_supported"] == ["S256"]
        for name, url in document.items():
            if name.endswith(("_endpoint", "_uri")):
                # It asks for something, but it is there.
                assert api.call("GET", url).status_code in (200, 400, 403, 405)
        for grant in document["grant_types_supported"]:
            body = urlencode({"grant_type": grant}).encode()
            answer = api.call("POST", "/oauth2/token", body, content_type=FORM, authorization=None)
            assert answer.json()["error"] != "unsupported_grant_type", grant
        assert all(is_known(scope) for scope in document["scopes_supported"])
    assert "permission-v2" in documents[0]["capabilities"]
    assert "launch-ehr" not in documents[0]["capabilities"]
    (uris,) = api.call("GET", "metadata").json()["rest"][0]["security"]["extension"]
    assert [one["url"] for one in uris["extension"]] == [
        "authorize",
        "token",
        "introspect",
        "revoke",
    ]
    keys = api.call("GET", "/.well-known/jwks.json", authorization=None).json()["keys"]
    assert all("d" not in key for key in keys)
    assert api.call("GET", "/oauth2/authorize?response_type=code").status_code == 400


def test_a_client_of_another_project_opens_nothing_here(new_api) -> None:
    here = new_api()
    project = "5b0f9c1e-7d1a-4a54-9a0f-2f6f0c7d8e91"
    there = new_api(store=here.store, project=project)
    own = within(here.store, project)
    stranger = there.run(add_client(own, "b", project=project))
    form = {
        "grant_type": "client_credentials",
        "client_id": stranger.client_id,
        "client_secret": stranger.client_secret,
    }
    body = urlencode(form).encode()
    sent = {"authorization": None, "content_type": FORM}
    assert here.call("POST", "/oauth2/token", body, **sent).status_code == 400
    token = there.call("POST", "/oauth2/token", body, **sent).json()["access_token"]
    basic = here.credentials(stranger.client_id, stranger.client_secret)
    for header in (f"Bearer {token}", basic):
        assert there.call("GET", "Patient", authorization=header).status_code == 200
        assert here.call("GET", "Patient", authorization=header).status_code == 401
        assert here.call("GET", "/auth/me", authorization=header).status_code == 401


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("https://app.example.org/back?kept=1", True),
        ("http://127.0.0.1:8080/back", True),
        ("http://localhost/back", True),
        ("org.example.app:/back", True),
        ("http://app.example.org/back", False),
        ("https://app.example.org/back#here", False),
        ("https://who@app.example.org/back", False),
        ("https:///back", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://app.example.org\\@evil.example/", False),
        ("https://[::1", False),
        ("/back", False),
        ("", False),
    ],
)
def test_where_people_may_be_led_back_to(uri: str, good: bool) -> None:
    if good:
        assert checked_redirects([uri, uri]) == (uri,)
    else:
        with pytest.raises(BadRegistration):
            checked_redirects([uri])


def test_a_client_is_registered_with_its_policy(api) -> None:
    policy = api.run(
        set_policy(
            api.store,
            DEFAULT_PROJECT,
            {
                "resourceType": "AccessPolicy",
                "name": "desk",
                "resource": [{"resourceType": "Patient", "readonly": True}],
            },
        )
    )
    path = f"/admin/projects/{DEFAULT_PROJECT}/client"
    named = {"reference": f"AccessPolicy/{policy['id']}"}
    back = "https://app.example.org/back"
    body = {"name": "desk", "accessPolicy": named, "redirectUris": [back]}
    made = api.call("POST", path, body).json()
    assert made["redirectUris"] == [back]
    header = api.credentials(made["id"], made["secret"])
    assert api.call("GET", "Patient", authorization=header).status_code == 200
    assert api.call("GET", "Encounter", authorization=header).status_code == 403
    assert api.run(find_client(api.store, made["id"])).redirect_uris == (back,)
    before = len(api.run(list_clients(api.store)))
    for bad in (
        {"accessPolicy": {"reference": "AccessPolicy/nothing"}},
        {"accessPolicy": {"reference": "Patient/1"}},
        {"accessPolicy": "desk"},
        {"redirectUri": "javascript:alert(1)"},
        {"redirectUris": "https://app.example.org"},
        {"redirectUris": [1]},
        {"jwksUri": "ftp://app.example.org/keys"},
        {"jwksUri": 1},
        {"description": 1},
    ):
        assert api.call("POST", path, {"name": "x", **bad}).status_code == 400, bad
    assert len(api.run(list_clients(api.store))) == before
