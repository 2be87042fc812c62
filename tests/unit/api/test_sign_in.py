"""People sign in to apps: authorization codes, refresh tokens, consent, and how they are abused."""

from __future__ import annotations

from urllib.parse import urlencode

import jwt
import pytest

from tests.unit.api.app_stand_in import BACK, CHALLENGE, FORM, VERIFIER, App, Browser
from threadwell.api.clients import remove_client, rotate_client
from threadwell.api.oauth.access import LOOK
from threadwell.logins.login import CODE_LIFE


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def app(new_api, store, browser) -> App:
    return App(new_api(store=store, browsers=browser), browser)


@pytest.fixture
def outside(new_api, browser) -> App:
    return App(new_api(browsers=browser), browser, outside=True)


def test_somebody_signs_in_to_an_app(app) -> None:
    for method in ("GET", "POST"):
        told = app.told(app.authorize(method))
        assert (told["state"], told["iss"], told["kept"]) == ("st&te", f"{app.api.url}/", "1")
        answer = app.exchange(told["code"])
        given = answer.json()
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert given["scope"] == "openid fhirUser offline_access"
        assert given["profile"] == {
            "reference": f"Practitioner/{app.person['id']}",
            "display": "Ann Bell",
        }
        assert given["project"]["display"]
        key = jwt.PyJWK(app.api.call("GET", "/.well-known/jwks.json").json()["keys"][0])
        lax = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
        who = jwt.decode(given["id_token"], key, ["ES256"], audience=app.id, options=lax)
        assert who["nonce"] == "once"
        assert (who["sub"], who["amr"]) == ("User/1", ["pwd", "otp"])
        assert who["fhirUser"] == f"{app.api.url}/fhir/R4/Practitioner/{app.person['id']}"
        opened = jwt.decode(given["access_token"], key, ["ES256"], audience=app.id, options=lax)
        assert opened["client_id"] == app.id
        assert isinstance(opened["login_id"], str)
        header = f"Bearer {given['access_token']}"
        me = app.api.call("GET", "/auth/me", authorization=header).json()
        assert me["profile"]["id"] == app.person["id"]
        assert app.status(given["id_token"]) == 401


def test_what_they_write_is_theirs(app) -> None:
    header = f"Bearer {app.signed_in()['access_token']}"
    made = app.api.call(
        "POST", "Patient", {"resourceType": "Patient"}, authorization=header, x_medplum="extended"
    ).json()
    assert made["meta"]["author"]["reference"] == f"Practitioner/{app.person['id']}"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "x"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://app.example.org/r"}, "request_uri_not_supported"),
        ({"aud": "https://other.example.org/fhir/R4"}, "invalid_request"),
        ({"launch": "made-up"}, "invalid_request"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": "openid user/Nothing.rs"}, "invalid_scope"),
        ({"scope": "user/Patient.sr"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
    ],
)
def test_the_app_is_told_what_is_wrong(app, changed, error) -> None:
    told = app.told(app.authorize(**changed))
    assert told["error"] == error
    assert (told["state"], told["iss"]) == ("st&te", f"{app.api.url}/")
    assert "code" not in told


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://app.example.org/back"},
        {"redirect_uri": f"{BACK}&x=1"},
        {"redirect_uri": f"{BACK}#x"},
        {"redirect_uri": "https://APP.example.org/back?kept=1"},
        {"redirect_uri": "https://app.example.org/back/../back?kept=1"},
        {"redirect_uri": "https://app.example.org:443/back?kept=1"},
        {"redirect_uri": "https://app.example.org@evil.example/back?kept=1"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": f"{BACK} "},
    ],
)
def test_nobody_is_led_where_the_app_is_not(app, changed) -> None:
    for more in ({}, {"response_type": "token"}):
        answer = app.authorize(**{**changed, **more})
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "evil" not in answer.text


def test_a_parameter_comes_once(app) -> None:
    path = (
        f"/oauth2/authorize?client_id={app.id}&redirect_uri={BACK}&redirect_uri=https://e.example"
    )
    answer = app.browse("GET", path)
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_who_is_not_signed_in_signs_in_first(app, browser) -> None:
    signed = browser.signed
    browser.signed = None
    assert app.authorize().status_code == 401
    assert app.told(app.authorize(prompt="none"))["error"] == "login_required"
    browser.url = "/sign-in"
    answer = app.authorize()
    assert answer.status_code == 303
    back = answer.headers["location"]
    assert back.startswith("/sign-in?next=%2Foauth2%2Fauthorize%3F")
    browser.signed = signed
    assert "code" in app.told(app.authorize(prompt="none"))
    app.api.clock.now += 61_000
    for old in ({"prompt": "login"}, {"max_age": "60"}):
        assert app.authorize(**old).headers["location"].startswith("/sign-in?")
    assert "code" in app.told(app.authorize(max_age="61"))
    # A form of another site's comes without the cookie.
    assert app.browse("POST", "/oauth2/authorize", {}, cookie="").status_code == 400


def test_who_is_gone_gets_in_nowhere(app) -> None:
    given = app.signed_in()
    assert app.status(given["access_token"]) == 200
    gone = {**app.person, "active": False}
    app.api.call("PUT", f"Practitioner/{app.person['id']}", gone)
    app.api.clock.now += 5_000
    assert app.status(given["access_token"]) == 401
    assert app.told(app.authorize())["error"] == "access_denied"
    assert app.refresh(given["refresh_token"]).status_code == 400


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": "b" * 43}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": "https://app.example.org/other"}, "invalid_grant"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_id": None}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_request"),
    ],
)
def test_a_code_is_its_clients(app, changed, error) -> None:
    answer = app.exchange(app.code(), **changed)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error


def test_a_code_of_another_client_is_nobodys_any_more(app) -> None:
    """Mixed up: an app that got another's code shows it as its own."""
    other = App(app.api, app.browser)
    code = app.code()
    assert other.exchange(code).json()["error"] == "invalid_grant"
    assert app.exchange(code).json()["error"] == "invalid_grant"


def test_a_code_shown_again_ends_the_tokens(app) -> None:
    code = app.code()
    given = app.exchange(code).json()
    assert app.status(given["access_token"]) == 200
    assert app.exchange(code).status_code == 400
    app.api.clock.now += LOOK
    assert app.status(given["access_token"]) == 401
    assert app.refresh(given["refresh_token"]).status_code == 400
    late = app.code()
    app.api.clock.now += CODE_LIFE
    assert app.exchange(late).status_code == 400


def test_refreshing(app) -> None:
    first = app.signed_in()
    app.api.clock.now += 3_600_000
    assert app.status(first["access_token"]) == 401
    second = app.refresh(first["refresh_token"]).json()
    assert app.status(second["access_token"]) == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert app.refresh(second["refresh_token"], scope="user/*.rs").json()["error"] == (
        "invalid_scope"
    )
    other = App(app.api, app.browser)
    assert other.refresh(second["refresh_token"]).status_code == 400
    assert app.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    app.api.clock.now += LOOK
    assert app.status(second["access_token"]) == 401
    assert app.refresh(second["refresh_token"]).status_code == 400
    assert "refresh_token" not in app.signed_in(scope="openid")


def test_signing_out_and_clients_that_end(app) -> None:
    given = app.signed_in()
    header = f"Bearer {given['access_token']}"
    assert app.api.call("POST", "/oauth2/logout", authorization=header).status_code == 200
    app.api.clock.now += LOOK
    assert app.status(given["access_token"]) == 401
    assert app.refresh(given["refresh_token"]).status_code == 400
    for ending in (
        rotate_client(app.api.store, _client(app)),
        remove_client(app.api.store, app.id),
    ):
        given = app.signed_in()
        app.api.run(ending)
        app.api.clock.now += LOOK
        assert app.status(given["access_token"]) == 401


def _client(app: App):
    from threadwell.api.clients import find_client

    return app.api.run(find_client(app.api.store, app.id))


def test_who_has_a_secret_must_show_it_unless_public(new_api, browser) -> None:
    app = App(new_api(browsers=browser), browser, public=False)
    code = app.code()
    assert app.exchange(code).json()["error"] == "invalid_client"
    assert app.exchange(code).status_code == 401
    secret = app.client.client_secret
    assert app.exchange(code, client_secret=secret).status_code == 200
    basic = app.api.credentials(app.id, secret)
    given = app.exchange(app.code(), client_id=None, basic=basic).json()
    assert app.refresh(given["refresh_token"]).status_code == 401
    assert app.refresh(given["refresh_token"], basic=basic).status_code == 200


def test_an_app_from_outside_asks(outside) -> None:
    app = outside
    page = app.authorize(scope="openid user/Patient.rs user/Encounter.rs offline_access")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://app.example.org" in policy
    assert app.told(app.authorize(prompt="none"))["error"] == "interaction_required"
    given = app.exchange(app.told(app.agree(page, **{"scope.2": "", "scope.3": ""}))["code"]).json()
    assert given["scope"] == "openid user/Patient.rs"
    assert "refresh_token" not in given
    assert app.status(given["access_token"], "Patient") == 200
    assert app.status(given["access_token"], "Encounter") == 403
    # Who agrees to nothing gives nothing, and who asks for nothing gets nothing.
    page = app.authorize(scope="openid user/Patient.rs")
    given = app.exchange(app.told(app.agree(page, **{"scope.1": ""}))["code"]).json()
    assert (given["scope"], app.status(given["access_token"])) == ("openid", 403)
    given = app.exchange(app.told(app.agree(app.authorize(scope="openid")))["code"]).json()
    assert app.status(given["access_token"]) == 403
    assert app.status(given["access_token"], "Practitioner") == 403


def test_consent_is_the_persons_own(outside) -> None:
    app = outside
    page = app.authorize(scope="openid user/Patient.rs")
    told = app.told(app.agree(page, "deny"))
    assert (told["error"], told["state"]) == ("access_denied", "st&te")
    assert app.agree(page).status_code == 403
    page = app.authorize(scope="openid user/Patient.rs")
    other = app.api.make("Practitioner")
    signed = app.browser.signed
    app.sign_in(f"Practitioner/{other['id']}")
    assert app.agree(page).status_code == 403
    app.browser.signed = None
    assert app.agree(page).status_code == 403
    app.browser.signed = signed
    form = {"login": page.text.partition('name="login" value="')[2].partition('"')[0]}
    for headers in ({"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}):
        answer = app.browse("POST", "/oauth2/consent", {**form, "decision": "agree"}, **headers)
        assert answer.status_code == 403
    widened = app.agree(page, **{"scope.9": "user/*.cruds"})
    assert app.exchange(app.told(widened)["code"]).json()["scope"] == "openid user/Patient.rs"
    assert app.agree(page).status_code == 403


def test_names_of_apps_are_text(new_api, browser) -> None:
    from threadwell.api.clients import add_client

    app = App(new_api(browsers=browser), browser)
    more = {"redirect_uris": (BACK,), "outside": True, "public": True}
    app.client = app.api.run(add_client(app.api.store, "<script>alert(1)</script>", **more))
    assert "<script>" not in app.authorize(scope="openid").text


def test_an_app_about_a_patient(app) -> None:
    mine, other = app.api.make("Patient"), app.api.make("Patient")
    scope = "openid launch/patient patient/*.rs"
    app.sign_in(f"Patient/{mine['id']}")
    given = app.signed_in(scope=scope)
    assert given["patient"] == mine["id"]
    assert app.status(given["access_token"], f"Patient/{mine['id']}") == 200
    assert app.status(given["access_token"], f"Patient/{other['id']}") == 404
    related = app.api.make("RelatedPerson", patient={"reference": f"Patient/{other['id']}"})
    app.sign_in(f"RelatedPerson/{related['id']}")
    assert app.signed_in(scope=scope)["patient"] == other["id"]
    app.sign_in(f"Practitioner/{app.person['id']}")
    page = app.authorize(scope=scope)
    assert app.agree(page, patient="Patient/nobody").status_code == 200
    code = app.told(app.agree(page, patient=f"Patient/{other['id']}"))["code"]
    given = app.exchange(code).json()
    assert given["patient"] == other["id"]
    assert app.status(given["access_token"], f"Patient/{mine['id']}") == 404
    found = app.api.call("GET", "Patient", authorization=f"Bearer {given['access_token']}").json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [other["id"]]


def test_less_stays_less(app) -> None:
    """A token refreshed without its scopes about resources opens nothing of them."""
    given = app.signed_in(scope="openid offline_access user/Patient.rs")
    assert app.status(given["access_token"], "Patient") == 200
    assert app.status(given["access_token"], "Encounter") == 403
    less = app.refresh(given["refresh_token"], scope="openid").json()
    assert less["scope"] == "openid"
    assert app.status(less["access_token"], "Patient") == 403
    more = app.refresh(less["refresh_token"]).json()
    assert app.status(more["access_token"], "Patient") == 200
    assert app.exchange(app.code(), code_verifier=VERIFIER).status_code == 200


def test_what_a_client_may_ask_for_at_most(new_api, browser) -> None:
    scopes = ("openid", "user/Patient.rs", "system/Patient.rs")
    app = App(new_api(browsers=browser), browser, scopes=scopes)
    assert app.signed_in(scope=None)["scope"] == "openid user/Patient.rs"
    assert app.signed_in(scope="openid user/Patient.r user/Encounter.r")["scope"] == (
        "openid user/Patient.r"
    )
    assert app.told(app.authorize(scope="user/*.rs"))["error"] == "invalid_scope"
    assert app.status(app.signed_in(scope="openid")["access_token"], "Encounter") == 403
    secret = app.client.client_secret
    login = {"grant_type": "client_credentials", "client_id": app.id, "client_secret": secret}
    given = app.token(**login).json()
    assert given["scope"] == "openid system/Patient.rs"
    assert app.status(given["access_token"], "Patient") == 200
    assert app.status(given["access_token"], "Encounter") == 403
    basic = app.api.credentials(app.id, secret)
    assert app.api.call("GET", "Encounter", authorization=basic).status_code == 403
    refused = app.token(**login, scope="system/*.rs")
    assert refused.json()["error"] == "invalid_scope"


def test_exports_are_for_programs_and_within_their_scopes(app) -> None:
    given = app.signed_in()
    header = f"Bearer {given['access_token']}"
    assert app.api.call("GET", "$export", authorization=header).status_code == 403
    secret = app.client.client_secret
    login = {"grant_type": "client_credentials", "client_id": app.id, "client_secret": secret}
    narrow, wide = (
        f"Bearer {app.token(**login, scope=scope).json()['access_token']}"
        for scope in ("system/Patient.rs", "system/*.rs")
    )
    begun = app.api.call("GET", "$export", authorization=wide)
    assert begun.status_code == 202
    status = begun.headers["content-location"]
    assert app.api.call("GET", status, authorization=wide).status_code == 202
    for other in (narrow, header, app.api.credentials(app.id, secret)):
        assert app.api.call("GET", status, authorization=other).status_code == 404


def _told(app: App, path: str, token: str, *, basic: str | None = None, **form: str):
    body = urlencode({"token": token, **form}).encode()
    return app.api.call("POST", f"/oauth2/{path}", body, content_type=FORM, authorization=basic)


def test_what_a_token_is(app) -> None:
    given = app.signed_in(scope="openid offline_access user/Patient.rs")
    told = _told(app, "introspect", given["access_token"], basic=app.api.basic).json()
    assert told["active"] is True
    assert told["scope"] == given["scope"]
    assert (told["client_id"], told["sub"]) == (app.id, "User/1")
    assert told["exp"] == app.api.clock.now // 1000 + 3600
    refresh = _told(app, "introspect", given["refresh_token"], basic=app.api.basic).json()
    assert (refresh["active"], refresh["token_type"]) == (True, "refresh_token")
    for made_up in ("x", given["id_token"], given["access_token"][:-2]):
        answer = _told(app, "introspect", made_up, basic=app.api.basic)
        assert answer.json() == {"active": False}
    assert _told(app, "introspect", given["access_token"]).status_code == 400
    assert _told(app, "introspect", given["access_token"], client_id=app.id).status_code == 400
    other = App(app.api, app.browser, outside=True)
    mine = app.api.credentials(other.id, other.client.client_secret)
    assert _told(app, "introspect", given["access_token"], basic=mine).json() == {"active": False}
    app.api.clock.now += 3_600_000
    late = _told(app, "introspect", given["access_token"], basic=app.api.basic)
    assert late.json() == {"active": False}


def test_a_token_that_is_revoked(app) -> None:
    other = App(app.api, app.browser)
    for which in ("access_token", "refresh_token"):
        given = app.signed_in()
        assert _told(app, "revoke", given[which], client_id=other.id).status_code == 200
        assert app.status(given["access_token"]) == 200
        assert _told(app, "revoke", given[which], client_id=app.id).status_code == 200
        app.api.clock.now += LOOK
        assert app.status(given["access_token"]) == 401
        assert app.refresh(given["refresh_token"]).status_code == 400
    assert _told(app, "revoke", "x", client_id=app.id).status_code == 200
    assert _told(app, "revoke", "x", client_id="nobody").status_code == 401
    login = {"grant_type": "client_credentials", "client_id": app.id}
    mine = app.token(**login, client_secret=app.client.client_secret).json()["access_token"]
    assert _told(app, "revoke", mine, client_id=app.id).status_code == 200
    app.api.clock.now += LOOK
    assert app.status(mine) == 401


def test_whose_a_token_is(app) -> None:
    given = app.signed_in()
    header = f"Bearer {given['access_token']}"
    told = app.api.call("GET", "/oauth2/userinfo", authorization=header).json()
    assert told["sub"] == "User/1"
    assert told["fhirUser"].endswith(f"/fhir/R4/Practitioner/{app.person['id']}")
    less = f"Bearer {app.signed_in(scope='offline_access')['access_token']}"
    assert app.api.call("GET", "/oauth2/userinfo", authorization=less).status_code == 403
    assert app.api.call("GET", "/oauth2/userinfo", authorization=None).status_code == 401
