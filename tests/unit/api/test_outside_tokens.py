"""Tokens and codes of an outside provider are exchanged for ours, and nobody else's are."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.api.app_stand_in import BACK, CHALLENGE, FORM, VERIFIER
from threadwell.access.memberships import find_membership
from threadwell.api.clients import add_client
from threadwell.calls.call import Call, Called, CallFailed
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.users.changing import set_disabled
from threadwell.users.inviting import Invitation, invite
from threadwell.users.keeping import find_user
from threadwell.users.providers import keep_provider, parse_provider

ISSUER = "https://id.example.org/clinic"
OTHER = "https://login.example.net"
ROBIN = "robin@clinic.example.org"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS, ID, JWT = (
    f"urn:ietf:params:oauth:token-type:{kind}" for kind in ("access_token", "id_token", "jwt")
)
OPAQUE = "opens-it"


class Elsewhere:
    """A provider as our calls meet it, and an app of the practice that it knows, ``portal``."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.now = 0
        self.asked: list[Call] = []
        self.down = False
        self.opaque: dict[str, Any] = {
            "active": True,
            "client_id": "portal",
            "aud": "portal",
            "sub": "person-1",
        }
        self.me: dict[str, Any] = {"sub": "person-1", "email": ROBIN, "email_verified": True}
        self.described: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "userinfo_endpoint": f"{ISSUER}/me",
            "introspection_endpoint": f"{ISSUER}/introspect",
            "id_token_signing_alg_values_supported": ["ES256"],
        }

    async def call(self, call: Call) -> Called:
        self.asked.append(call)
        if self.down:
            raise CallFailed("id.example.org took too long", again=True)
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        told = {
            "/clinic/.well-known/openid-configuration": self.described,
            "/clinic/keys": {"keys": [{**public, "kid": "one", "alg": "ES256", "use": "sig"}]},
            "/clinic/token": {"id_token": self.token(), "access_token": OPAQUE},
            "/clinic/introspect": self.opaque,
            "/clinic/me": self.me,
        }[urlsplit(call.url).path]
        return Called(200, {}, json.dumps(told).encode())

    def token(self, key: Any = None, **claims: Any) -> str:
        """A token that is signed; ``None`` leaves a claim out."""
        usual = {
            "iss": ISSUER,
            "aud": "threadwell",
            "sub": "person-1",
            "iat": self.now,
            "exp": self.now + 60,
            "email": ROBIN,
            "email_verified": True,
        }
        told = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(told, key or self.key, "ES256", {"kid": "one"})


class Practice:
    """An app of the practice, the account of Robin, and the provider by which people sign in."""

    def __init__(self, new_api: Any, **told: Any) -> None:
        self.elsewhere = Elsewhere()
        self.api = new_api(caller=self.elsewhere)
        self.elsewhere.now = self.api.clock.now // 1000
        self.robin = self.api.run(
            invite(
                self.api.store,
                DEFAULT_PROJECT,
                Invitation(ROBIN, "Robin", "Ash"),
                author="",
                clock=self.api.clock,
            )
        ).user
        self.set("clinic", **told)
        self.app = self.add(public=True)

    def set(self, name: str, **told: Any) -> None:
        usual = {"label": "Clinic ID", "issuer": ISSUER, "client_id": "threadwell", "secret": "s"}
        made = parse_provider(name, {**usual, "apps": ["portal"], **told})
        self.api.run(keep_provider(self.api.store, DEFAULT_PROJECT, made))

    def add(self, **registered: Any) -> Any:
        return self.api.run(
            add_client(self.api.store, "Portal", redirect_uris=(BACK,), **registered)
        )

    def exchange(self, token: str, type_: str | None = ACCESS, **form: str | None) -> Any:
        usual: dict[str, str | None] = {
            "grant_type": EXCHANGE,
            "client_id": self.app.client_id,
            "subject_token": token,
            "subject_token_type": type_,
        }
        given = {name: value for name, value in (usual | form).items() if value is not None}
        return self.form(**given)

    def form(self, **form: str) -> Any:
        body = urlencode(form).encode()
        return self.api.call("POST", "/oauth2/token", body, content_type=FORM, authorization=None)

    def me(self, given: dict[str, Any]) -> dict[str, Any]:
        header = f"Bearer {given['access_token']}"
        return self.api.call("GET", "/auth/me", authorization=header).json()

    def external(self, query: dict[str, str] | None = None, **state: Any) -> Any:
        usual = {
            "clientId": self.app.client_id,
            "redirectUri": BACK,
            "codeChallenge": CHALLENGE,
            "codeChallengeMethod": "S256",
        }
        told = {name: value for name, value in (usual | state).items() if value is not None}
        asked = {"code": "theirs", "state": json.dumps(told), **(query or {})}
        return self.api.call("GET", f"/auth/external?{urlencode(asked)}", authorization=None)


@pytest.fixture
def practice(new_api: Any) -> Practice:
    return Practice(new_api)


@pytest.mark.parametrize(
    ("claims", "type_"),
    [
        ({}, ID),
        ({}, JWT),
        # Medplum's client has no other word for it.
        ({}, ACCESS),
        ({"aud": "portal"}, ID),
        ({"aud": "threadwell", "azp": "portal", "scope": "openid"}, ACCESS),
        ({"aud": ISSUER, "azp": "portal", "scope": "openid"}, ACCESS),
        ({"aud": [ISSUER, f"{ISSUER}/me"], "azp": "portal", "scope": "openid"}, ACCESS),
        ({"aud": ["portal"], "client_id": "portal", "scope": "openid", "email": None}, ACCESS),
        ({"aud": "api://threadwell", "cid": "portal", "scp": ["openid"]}, ACCESS),
        (None, ACCESS),
    ],
)
def test_a_token_of_an_app_of_ours_opens_the_account(
    practice: Practice, claims: dict[str, Any] | None, type_: str
) -> None:
    token = OPAQUE if claims is None else practice.elsewhere.token(**claims)
    answer = practice.exchange(token, type_)
    given = answer.json()
    assert answer.status_code == 200, given
    assert answer.headers["cache-control"] == "no-store"
    assert given["issued_token_type"] == ACCESS
    assert given["scope"] == "openid offline_access"
    assert given["profile"]["display"] == "Robin Ash"
    assert practice.me(given)["profile"]["id"] == given["profile"]["reference"].split("/")[1]
    again = practice.form(
        grant_type="refresh_token",
        refresh_token=given["refresh_token"],
        client_id=practice.app.client_id,
    )
    assert practice.me(again.json())["profile"]


@pytest.mark.parametrize(
    ("claims", "type_", "why"),
    [
        ({"aud": "somebody-elses"}, ID, "it was given to another client"),
        ({"aud": ["threadwell", "somebody-elses"]}, ID, "it was given to another client"),
        ({"azp": "somebody-elses"}, ID, "it was given to another client"),
        ({"azp": "portal", "client_id": "x"}, ACCESS, "it was given to another client"),
        ({"aud": None}, ACCESS, "it was given to another client"),
        ({"aud": []}, ID, "it was given to another client"),
        ({"aud": [], "scope": "openid"}, ACCESS, "it was given to another client"),
        # One that an app of ours has got for somebody else, who has it by now.
        ({"aud": "somebody-elses", "azp": "portal"}, ID, "it is for another client"),
        ({"aud": ["somebody-elses"], "azp": "portal"}, ACCESS, "it is for another client"),
        # One that an app of ours sends to an API of somebody else, who has it by now.
        ({"aud": "https://api", "azp": "portal", "scope": "openid"}, ACCESS, "it is for an API"),
        ({"aud": "account", "azp": "portal", "scope": "openid"}, ACCESS, "it is for an API"),
        ({"aud": ["threadwell", "https://api"], "azp": "portal", "scp": ["x"]}, ACCESS, "an API"),
        ({"aud": None, "azp": "portal", "scope": "openid"}, ACCESS, "or names none"),
        ({"aud": None, "azp": "portal"}, ACCESS, "or names none"),
        ({"aud": [], "azp": "portal", "scope": "openid"}, ACCESS, "or names none"),
        ({"aud": [7], "azp": "portal", "scope": "openid"}, ACCESS, "it is for an API"),
        ({"aud": {"x": 1}, "azp": "portal", "scope": "openid"}, ACCESS, "it is for an API"),
        ({"events": {"x": {}}}, ID, "it is of another kind"),
        ({"iss": OTHER}, ID, "of no provider by which people sign in here"),
        ({"exp": 1}, ID, "it has expired"),
        ({"exp": None}, ACCESS, "it has no times"),
        ({"sub": None}, ACCESS, "it names nobody"),
        ({"email": "kim@clinic.example.org", "sub": "kim"}, ID, "There is no account for you"),
        ({"email_verified": False}, ID, "There is no account for you"),
    ],
)
def test_any_other_token_opens_nothing(
    practice: Practice, claims: dict[str, Any], type_: str, why: str
) -> None:
    answer = practice.exchange(practice.elsewhere.token(**claims), type_)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert why in answer.json()["error_description"]


def test_that_one_address_is_verified_says_nothing_of_another(new_api: Any) -> None:
    """A token says the one, and the provider is asked for roles and says the other."""
    practice = Practice(new_api, roles_claim="groups", roles={"staff": "participant"})
    elsewhere = practice.elsewhere
    token = elsewhere.token(aud="portal", azp="portal", scope="openid", email_verified=None)
    elsewhere.me |= {"groups": ["staff"], "email": "kim@clinic.example.org"}
    assert "no account for you" in practice.exchange(token).json()["error_description"]
    elsewhere.me["email"] = ROBIN
    assert practice.exchange(token).status_code == 200


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"active": False}, "it opens nothing any more"),
        ({"client_id": "somebody-elses"}, "it was given to another client"),
        ({"client_id": None}, "it was given to another client"),
        ({"aud": "https://api"}, "it is for an API"),
        ({"aud": ["portal", "https://api"]}, "it is for an API"),
        ({"aud": None}, "or names none"),
        ({"iss": OTHER}, "it is of another issuer"),
        ({"sub": "person-2"}, "it names nobody"),
    ],
)
def test_what_the_provider_says_of_an_access_token_is_looked_at(
    practice: Practice, told: dict[str, Any], why: str
) -> None:
    opaque = practice.elsewhere.opaque | told
    practice.elsewhere.opaque = {name: one for name, one in opaque.items() if one is not None}
    assert why in practice.exchange(OPAQUE).json()["error_description"]


@pytest.mark.parametrize(
    ("audiences", "audience", "opens"),
    [
        (["https://api"], "https://api", True),
        (["https://api"], ["https://api", "threadwell"], True),
        (["https://api"], ["https://api", "https://other"], False),
        (["https://api"], None, False),
        (["*"], "https://other", True),
        (["*"], None, True),
    ],
)
def test_an_access_token_may_be_for_what_is_named(
    new_api: Any, audiences: list[str], audience: Any, opens: bool
) -> None:
    practice = Practice(new_api, audiences=audiences)
    elsewhere = practice.elsewhere
    elsewhere.opaque["aud"] = audience
    if audience is None:
        del elsewhere.opaque["aud"]
    signed = elsewhere.token(aud=audience, azp="portal", scope="openid")
    for token in (signed, OPAQUE):
        assert practice.exchange(token).status_code == (200 if opens else 400)
    # Of an ID token it says nothing.
    assert practice.exchange(elsewhere.token(aud="https://api"), ID).status_code == 400


def test_a_token_that_nobody_can_look_at_is_refused(practice: Practice) -> None:
    forged = practice.elsewhere.token(key=ec.generate_private_key(ec.SECP256R1()))
    assert "not signed with a key" in practice.exchange(forged, ID).json()["error_description"]
    assert "is no JWT" in practice.exchange("a.b.c", ID).json()["error_description"]
    assert "is no ID token" in practice.exchange(OPAQUE, ID).json()["error_description"]
    del practice.elsewhere.described["introspection_endpoint"]
    practice.api.clock.now += 7_200_000
    assert "send its ID token" in practice.exchange(OPAQUE).json()["error_description"]
    practice.set("second", issuer=OTHER)
    assert "subject_issuer" in practice.exchange(OPAQUE).json()["error_description"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"requested_token_type": ID}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"audience": "https://other.example.org"}, "invalid_target"),
        ({"membership_id": "none"}, "invalid_request"),
        ({"scope": "nothing"}, "invalid_scope"),
        ({"client_id": None}, "invalid_request"),
        ({"client_id": "none"}, "invalid_client"),
    ],
)
def test_what_is_asked_wrong_is_told(
    practice: Practice, form: dict[str, str | None], error: str
) -> None:
    answer = practice.exchange(practice.elsewhere.token(), ID, **form)
    assert (answer.status_code in (400, 401), answer.json()["error"]) == (True, error)


def test_apps_from_outside_send_people_to_our_page(practice: Practice) -> None:
    practice.app = practice.add(public=True, outside=True)
    assert practice.exchange(practice.elsewhere.token()).json()["error"] == "unauthorized_client"
    assert practice.external().status_code == 400


def test_who_is_disabled_or_may_come_in_no_more_does_not(practice: Practice) -> None:
    token = practice.elsewhere.token()
    given = practice.exchange(token).json()
    user = practice.api.run(find_user(practice.api.store, practice.robin.id))
    member = user.members[0].id
    assert practice.exchange(token, membership_id=member).status_code == 200
    practice.api.run(
        set_disabled(practice.api.store, DEFAULT_PROJECT, user, True, practice.api.clock)
    )
    assert "gets in no more" in practice.exchange(token).json()["error_description"]
    again = practice.form(
        grant_type="refresh_token",
        refresh_token=given["refresh_token"],
        client_id=practice.app.client_id,
    )
    assert again.status_code == 400


def test_roles_follow_the_token(new_api: Any) -> None:
    practice = Practice(new_api, roles_claim="groups", roles={"nurses": "participant"})
    token = practice.elsewhere.token(groups=["nurses"])
    given = practice.exchange(token, scope="openid").json()
    assert "refresh_token" not in given
    found = practice.api.run(
        find_membership(practice.api.store, DEFAULT_PROJECT, given["profile"]["reference"])
    )
    assert len(found.grants) == 1
    assert (
        "gives you no role"
        in practice.exchange(practice.elsewhere.token(groups=["guests"])).json()[
            "error_description"
        ]
    )
    assert (
        practice.api.call(
            "GET", "Patient", authorization=f"Bearer {given['access_token']}"
        ).status_code
        == 401
    )


def test_a_provider_that_does_not_answer_is_told(practice: Practice) -> None:
    practice.elsewhere.down = True
    answer = practice.exchange(practice.elsewhere.token())
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")


def test_a_code_goes_through_us_to_the_app_that_has_the_verifier(practice: Practice) -> None:
    answer = practice.external(scope="openid fhirUser")
    assert answer.status_code == 303
    url = answer.headers["location"]
    assert url.startswith(f"{BACK}&")
    # Nobody has asked the provider so far.
    assert practice.elsewhere.asked == []
    code = parse_qs(urlsplit(url).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": practice.app.client_id,
        # As Medplum's client says it, wherever it came back.
        "redirect_uri": "https://app.example.org",
        "code_verifier": VERIFIER,
    }
    given = practice.form(**form).json()
    assert given["scope"] == "openid fhirUser"
    assert practice.me(given)["profile"]["id"]
    sent = next(one for one in practice.elsewhere.asked if one.url.endswith("/token"))
    told = {name: one[0] for name, one in parse_qs(sent.body.decode()).items()}
    assert told == {
        "grant_type": "authorization_code",
        "code": "theirs",
        "redirect_uri": f"{practice.api.url}/auth/external",
        "code_verifier": VERIFIER,
    }
    assert practice.form(**form).json()["error_description"] == "Invalid code"
    assert practice.form(**form | {"code": "outside-x"}).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": "another-verifier-of-more-than-forty-three-chars"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"client_id": "another"}, "invalid_grant"),
    ],
)
def test_a_code_is_of_no_use_to_others(
    practice: Practice, changed: dict[str, str], error: str
) -> None:
    url = practice.external().headers["location"]
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(url).query)["code"][0],
        "client_id": practice.app.client_id,
        "code_verifier": VERIFIER,
    }
    if "client_id" in changed:
        changed = {"client_id": practice.add(public=True).client_id}
    assert practice.form(**form | changed).json()["error"] == error
    assert practice.elsewhere.asked == []


@pytest.mark.parametrize(
    ("state", "query", "why"),
    [
        ({"clientId": None}, {}, "clientId is needed"),
        ({"clientId": "none"}, {}, "no such client"),
        ({"redirectUri": "https://evil.example.org"}, {}, "redirectUri is not one"),
        ({"redirectUri": None}, {}, "redirectUri is needed"),
        ({"projectId": "other"}, {}, "no such project"),
        ({"codeChallenge": None}, {}, "codeChallenge is needed"),
        ({"codeChallengeMethod": "plain"}, {}, "S256"),
        ({"issuer": OTHER}, {}, "There is no such provider"),
        ({"domain": "elsewhere.example.org"}, {}, "There is no such provider"),
        ({}, {"iss": OTHER}, "not that of Clinic ID"),
        ({}, {"code": ""}, "code is needed"),
        ({}, {"state": "[]"}, "state must be a JSON object"),
        ({}, {"state": "{"}, "state must be a JSON object"),
    ],
)
def test_what_comes_back_wrong_leads_nowhere(
    practice: Practice, state: dict[str, Any], query: dict[str, str], why: str
) -> None:
    answer = practice.external(query, **state)
    assert answer.status_code == 400
    assert why in practice.api.texts(answer)[0]


def test_that_somebody_did_not_agree_is_told_to_the_app(practice: Practice) -> None:
    answer = practice.external({"error": "access_denied", "code": ""})
    assert answer.headers["location"] == f"{BACK}&error=access_denied"
