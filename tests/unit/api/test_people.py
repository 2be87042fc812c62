"""Signing people in as Medplum's clients ask, and what is refused of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.api.app_stand_in import App, Browser
from threadwell.api.clients import add_client
from threadwell.inbox.browsers import Accounts
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore
from threadwell.users.accounts import as_login_member
from threadwell.users.inviting import Invitation, invite
from threadwell.users.keeping import user_of

ROBIN = "robin@clinic.example.org"
PASSWORD = "four walls and a garden"
# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
INVITE = f"/admin/projects/{DEFAULT_PROJECT}/invite"


pytestmark = pytest.mark.usefixtures("cheap_passwords")


@pytest.fixture
def api(new_api: Any) -> Any:
    store = MemoryStore()
    return new_api(store=store, people=Accounts(store, DEFAULT_PROJECT))


def say(api: Any, path: str, body: Any, **headers: Any) -> Any:
    return api.call("POST", path, body, **{"authorization": None, **headers})


@pytest.fixture
def robin(api: Any) -> Any:
    """The ProjectMembership of somebody who has a password."""
    return person(api)


def person(api: Any, email: str = ROBIN, **more: Any) -> Any:
    asked = Invitation(email, "Robin", "Ash", **more)
    made = api.run(invite(api.store, DEFAULT_PROJECT, asked, author="", clock=api.clock))
    body = {"id": made.link.id, "secret": made.link.secret, "password": PASSWORD}
    assert say(api, "/auth/setpassword", body).status_code == 200
    return made.member


def log_in(api: Any, **more: Any) -> Any:
    body = {
        "email": ROBIN,
        "password": PASSWORD,
        "codeChallenge": CHALLENGE,
        "codeChallengeMethod": "S256",
        **more,
    }
    given = {name: value for name, value in body.items() if value is not None}
    return say(api, "/auth/login", given)


def token(api: Any, code: str, verifier: str = VERIFIER) -> Any:
    form = f"grant_type=authorization_code&code={code}&client_id=&code_verifier={verifier}"
    kind = "application/x-www-form-urlencoded"
    return say(api, "/oauth2/token", form.encode(), content_type=kind)


def bearer(api: Any, **more: Any) -> str:
    code = log_in(api, **more).json()["code"]
    return f"Bearer {token(api, code).json()['access_token']}"


def test_a_code_is_exchanged_once_by_whoever_has_asked(api: Any, robin: Any) -> None:
    code = log_in(api).json()["code"]
    answer = token(api, code)
    assert answer.json()["profile"]["reference"] == robin.profile
    mine = f"Bearer {answer.json()['access_token']}"
    assert api.call("GET", "Patient", authorization=mine).status_code == 200
    assert token(api, code).status_code == 400
    # Somebody else has seen the code: all of its login ends.
    api.clock.now += 300
    assert api.call("GET", "Patient", authorization=mine).status_code == 401
    other = log_in(api).json()["code"]
    assert token(api, other, "x" * 43).status_code == 400


@pytest.mark.parametrize(
    ("more", "expression"),
    [
        ({"codeChallenge": None}, "codeChallenge"),
        ({"codeChallenge": "short"}, "codeChallenge"),
        ({"codeChallengeMethod": "plain", "codeChallenge": VERIFIER}, "codeChallengeMethod"),
        ({"clientId": "nobody"}, "clientId"),
        ({"projectId": "another"}, "projectId"),
        ({"email": None}, "email"),
        ({"password": ""}, "password"),
        ({"email": 7}, "email"),
        ({"password": ["x"]}, "password"),
        ({"password": "x" * 3000}, "password"),
        ({"scope": "nonsense"}, "scope"),
        ({"resourceType": "Patient"}, "resourceType"),
        ({"nonce": {}}, "nonce"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(
    api: Any, robin: Any, more: dict[str, Any], expression: str
) -> None:
    answer = log_in(api, **more)
    assert answer.status_code == 400
    assert answer.json()["issue"][0].get("expression") == [expression]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"\xff", b"[" * 5000])
@pytest.mark.parametrize(
    "path",
    [
        *("/auth/login", "/auth/method", "/auth/profile", "/auth/mfa/verify"),
        *("/auth/resetpassword", "/auth/setpassword"),
    ],
)
def test_nonsense_is_400(api: Any, path: str, body: bytes) -> None:
    assert say(api, path, body, content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", "/auth/me"), ("GET", "/auth/mfa/status"), ("POST", "/auth/mfa/enroll")),
        *(("POST", "/auth/mfa/disable"), ("POST", "/auth/changepassword")),
        *(("POST", "/auth/revoke"), ("POST", INVITE)),
        *(("GET", "User"), ("GET", "ProjectMembership"), ("GET", "User/1")),
    ],
)
def test_nobody_does_the_rest_without_a_token(api: Any, method: str, path: str) -> None:
    body = {} if method == "POST" else None
    assert api.call(method, path, body, authorization=None).status_code == 401


def test_a_client_has_no_account(api: Any) -> None:
    for path in ("/auth/mfa/status",):
        assert api.call("GET", path).status_code == 403
    body = {"oldPassword": "x", "newPassword": "y"}
    assert api.call("POST", "/auth/changepassword", body).status_code == 403


def test_the_same_is_told_of_every_address(api: Any, robin: Any) -> None:
    answers = [
        log_in(api, password="wrong"),
        log_in(api, email="nobody@clinic.example.org"),
    ]
    told = [(one.status_code, one.json()["issue"]) for one in answers]
    assert told[0] == told[1]
    known, unknown = (
        say(api, "/auth/method", {"email": one}) for one in (ROBIN, "nobody@clinic.example.org")
    )
    assert known.json() == unknown.json() == {}
    asked = [say(api, "/auth/resetpassword", {"email": one}) for one in (ROBIN, "n@example.org")]
    assert {one.status_code for one in asked} == {200}


def test_who_guesses_has_to_wait(api: Any, robin: Any) -> None:
    for _ in range(5):
        assert log_in(api, password="wrong").status_code == 400
    answer = log_in(api)
    assert answer.status_code == 429
    assert answer.json()["id"] == "too-many-requests"
    assert answer.headers["retry-after"] == "1"
    api.clock.now += 1000
    assert log_in(api).status_code == 200


def test_an_app_from_outside_is_told_no_password(api: Any, robin: Any) -> None:
    inside = api.run(add_client(api.store, "inside"))
    outside = api.run(add_client(api.store, "outside", outside=True))
    found = [log_in(api, clientId=one.client_id).status_code for one in (inside, outside)]
    assert found == [200, 400]


def test_a_login_is_not_gone_on_with_after_its_password_was_changed(api: Any, robin: Any) -> None:
    person(api, "mo@clinic.example.org")
    api.make("Patient")
    (patient,) = api.ids("Patient")
    asked = Invitation(ROBIN, profile=f"Patient/{patient}")
    second = api.run(invite(api.store, DEFAULT_PROJECT, asked, author="", clock=api.clock))
    begun = log_in(api).json()
    assert len(begun["memberships"]) == 2
    other = log_in(api).json()
    mine = say(api, "/auth/profile", {"login": other["login"], "profile": robin.id}).json()
    who = f"Bearer {token(api, mine['code']).json()['access_token']}"
    api.clock.now += 1000
    change = {"oldPassword": PASSWORD, "newPassword": "pelican-orbit-mustard"}
    answer = api.call("POST", "/auth/changepassword", change, authorization=who)
    assert answer.status_code == 200, answer.text
    body = {"login": begun["login"], "profile": second.member.id}
    assert say(api, "/auth/profile", body).status_code == 400
    assert api.call("GET", "/auth/me", authorization=who).status_code == 200


def test_the_membership_of_another_is_none(api: Any, robin: Any) -> None:
    other = person(api, "mo@clinic.example.org")
    api.make("Patient")
    asked = Invitation(ROBIN, profile=f"Patient/{api.ids('Patient')[0]}")
    api.run(invite(api.store, DEFAULT_PROJECT, asked, author="", clock=api.clock))
    begun = log_in(api).json()
    body = {"login": begun["login"], "profile": other.id}
    assert say(api, "/auth/profile", body).status_code == 400


def test_one_ends_ones_own_logins_and_nobody_elses(api: Any, robin: Any) -> None:
    person(api, "mo@clinic.example.org")
    mine = bearer(api)
    api.clock.now += 1000
    there = bearer(api)
    others = bearer(api, email="mo@clinic.example.org")

    def sessions(who: str) -> list[str]:
        told = api.call("GET", "/auth/me", authorization=who).json()
        return [one["id"] for one in told["security"]["sessions"]]

    first, second = sessions(mine)
    body = {"loginId": sessions(others)[0]}
    assert api.call("POST", "/auth/revoke", body, authorization=mine).status_code == 404
    body = {"loginId": second}
    assert api.call("POST", "/auth/revoke", body, authorization=mine).status_code == 200
    api.clock.now += 300
    codes = [
        api.call("GET", "Patient", authorization=one).status_code for one in (mine, there, others)
    ]
    assert codes == [200, 401, 200]
    assert sessions(mine) == [first]


def invites(api: Any, **more: Any) -> Any:
    body = {
        "resourceType": "Practitioner",
        "firstName": "Mo",
        "lastName": "Adeyemi",
        "email": "mo@clinic.example.org",
        "sendEmail": False,
        **more,
    }
    return api.call("POST", INVITE, {k: v for k, v in body.items() if v is not None})


@pytest.mark.parametrize(
    ("more", "status", "expression"),
    [
        ({"email": None}, 400, "email"),
        ({"email": "mo"}, 400, "email"),
        ({"resourceType": None}, 400, "resourceType"),
        ({"resourceType": "Device"}, 400, "resourceType"),
        ({"firstName": 7}, 400, "firstName"),
        ({"externalId": "x"}, 400, "externalId"),
        ({"membership": []}, 400, "membership"),
        ({"membership": {"accessPolicy": "x"}}, 400, "membership.accessPolicy"),
        ({"membership": {"invitedBy": "x"}}, 400, "membership.invitedBy"),
        (
            {"membership": {"accessPolicy": {"reference": "AccessPolicy/none"}}},
            400,
            "membership.accessPolicy",
        ),
        ({"membership": {"access": [{}]}}, 400, "membership.access.policy"),
        (
            {
                "membership": {
                    "access": [
                        {
                            "policy": {"reference": "AccessPolicy/proxy"},
                            "parameter": [{"name": "patient"}],
                        }
                    ]
                }
            },
            400,
            "membership.access.parameter",
        ),
        ({"membership": {"profile": {"reference": "Patient/x"}}}, 400, "membership.profile"),
        ({"email": ROBIN}, 409, "email"),
    ],
)
def test_an_invitation_that_cannot_be_is_refused(
    api: Any, more: dict[str, Any], status: int, expression: str
) -> None:
    api.make("Practitioner", telecom=[{"system": "email", "value": ROBIN}])
    person(api)
    answer = invites(api, **more)
    assert (answer.status_code, answer.json()["issue"][0].get("expression")) == (
        status,
        [expression],
    )
    assert api.run(user_of(api.store, "mo@clinic.example.org")) is None


def test_an_invitation_names_policies_and_what_their_variables_stand_for(api: Any) -> None:
    patient = f"Patient/{api.make('Patient')['id']}"
    access = [
        {"policy": {"reference": "AccessPolicy/participant"}},
        {
            "policy": {"reference": "AccessPolicy/care-team"},
            "parameter": [{"name": "patient", "valueReference": {"reference": patient}}],
        },
    ]
    made = invites(api, membership={"access": access, "admin": True}).json()
    assert made["access"] == access
    assert made["admin"] is True
    found = api.call("GET", f"ProjectMembership?user={made['user']['reference']}").json()
    assert [one["resource"]["id"] for one in found["entry"]] == [made["id"]]
    assert api.call("GET", f"ProjectMembership/{made['id']}").json()["access"] == access
    user = api.call("GET", made["user"]["reference"]).json()
    assert (user["resourceType"], user["email"]) == ("User", "mo@clinic.example.org")
    assert not {"password", "factor", "epoch"} & user.keys()
    assert "argon2" not in json.dumps(user)


def test_who_has_a_policy_invites_nobody_even_as_an_administrator(api: Any) -> None:
    person(api, admin=True, policy="participant")
    mine = bearer(api)
    answer = api.call("POST", INVITE, {"email": "x@example.org"}, authorization=mine)
    assert answer.status_code == 403
    assert api.call("GET", "ProjectMembership", authorization=mine).status_code == 403


def test_an_administrator_invites(api: Any) -> None:
    person(api, admin=True)
    answer = api.call(
        "POST",
        INVITE,
        {
            "resourceType": "Practitioner",
            "firstName": "Mo",
            "lastName": "Adeyemi",
            "email": "mo@clinic.example.org",
        },
        authorization=bearer(api),
    )
    assert answer.status_code == 200
    # No mail account sends: the link is told to whoever has asked.
    assert "/setpassword/" in answer.json()["extension"][0]["valueUrl"]


OWN = (
    ("GET", "/auth/mfa/status", None),
    ("POST", "/auth/mfa/enroll", {"token": "123456"}),
    ("POST", "/auth/mfa/disable", {"token": "123456"}),
    ("POST", "/auth/changepassword", {"oldPassword": PASSWORD, "newPassword": "pelican-orbit-x"}),
    ("POST", "/auth/revoke", {"loginId": "any"}),
)


def reached(api: Any, mine: str) -> list[int]:
    return [api.call(how, path, body, authorization=mine).status_code for how, path, body in OWN]


@pytest.mark.parametrize("scope", ["openid user/Patient.rs", "openid user/*.cruds"])
def test_a_login_that_scopes_limit_does_not_reach_the_account(
    api: Any, robin: Any, scope: str
) -> None:
    limited = bearer(api, scope=scope)
    assert reached(api, limited) == [403] * len(OWN)
    me = api.call("GET", "/auth/me", authorization=limited)
    assert (me.status_code, "security" in me.json()) == (200, False)
    assert 403 not in reached(api, bearer(api, scope="openid"))


@pytest.mark.parametrize("scopes", [(), ("user/Patient.rs",)])
def test_an_app_from_outside_does_not_reach_the_account(
    new_api: Any, scopes: tuple[str, ...]
) -> None:
    store, browser = MemoryStore(), Browser()
    api = new_api(store=store, browsers=browser, people=Accounts(store, DEFAULT_PROJECT))
    person(api)
    user = api.run(user_of(store, ROBIN))
    app = App(api, browser, outside=True)
    member = as_login_member(user, user.members[0])
    browser.signed = browser.signed._replace(member=member)
    page = app.authorize(scope=" ".join(["openid", *scopes]))
    mine = f"Bearer {app.exchange(app.told(app.agree(page))['code']).json()['access_token']}"
    assert reached(api, mine) == [403] * len(OWN)
    me = api.call("GET", "/auth/me", authorization=mine)
    assert (me.status_code, "security" in me.json()) == (200, False)
    assert api.call("GET", "/oauth2/userinfo", authorization=mine).status_code == 200
    assert api.run(user_of(store, ROBIN)) == user
