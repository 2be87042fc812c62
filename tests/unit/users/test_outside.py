"""Outside providers: which may be set up, and what an answer must be."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.unit.users.elsewhere import BACK, ISSUER, TOLD, Way, is_robin
from threadwell.stores import sealing
from threadwell.users.changing import link_user
from threadwell.users.outside import Outside
from threadwell.users.provider_calls import ProviderCalls, ProviderDown
from threadwell.users.providers import (
    BadProvider,
    find_provider,
    parse_provider,
    remove_provider,
)
from threadwell.users.signing_in import Wrong


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"issuer": "http://id.example.org"}, "allow-host"),
        ({"issuer": "https://u:p@id.example.org"}, "no URL with https"),
        ({"issuer": "https://id.example.org/?x=1"}, "no URL with https"),
        ({"issuer": "https://id.example.org:x"}, "no URL with https"),
        ({"issuer": ""}, "no URL with https"),
        ({"client_id": ""}, "client id is needed"),
        ({"client_id": "a b"}, "client id is needed"),
        ({"scopes": ["email"]}, "openid must be among"),
        ({"domains": ["clinic"]}, "is no domain"),
        ({"domains": "clinic.example.org"}, "a list of texts"),
        ({"link": "anything"}, "link is one of"),
        ({"link": "create"}, "must get a role"),
        ({"link": "create", "role": "participant"}, "told by their domain"),
        ({"trusted": True}, "name the domains"),
        ({"roles_claim": "groups"}, "what the values of that claim stand for"),
        ({"roles": {"a": "b"}}, "which claim"),
        ({"roles": ["a"]}, "for each value"),
        ({"hosts": ["a b"]}, "is not written as a name"),
        ({"label": "x\x1b[2J"}, "at most 200"),
        ({"color": "red"}, "is nothing that a provider has"),
    ],
)
def test_a_provider_that_cannot_be_is_refused(told: dict[str, Any], why: str) -> None:
    with pytest.raises(BadProvider, match=why):
        parse_provider("clinic", {**TOLD, **told})


@pytest.mark.parametrize("name", ["", "Clinic", "a/b", "-a", "a" * 41])
def test_a_name_is_part_of_a_url(name: str) -> None:
    with pytest.raises(BadProvider, match="lower-case letters"):
        parse_provider(name, TOLD)


def test_a_host_that_is_named_may_do_without_https() -> None:
    one = parse_provider(
        "local", {**TOLD, "issuer": "http://localhost:8080/x", "hosts": ["localhost"]}
    )
    assert one.issuer == "http://localhost:8080/x"


def test_a_secret_is_sealed_where_there_is_a_key(
    house: Any, monkeypatch: Any, tmp_path: Any
) -> None:
    file = tmp_path / "key"
    sealing.new_key_file(file)
    monkeypatch.setenv(sealing.SECRETS_FILE_VARIABLE, str(file))
    Way(house).set()
    kept = house.run(house.store.list_private("identity-provider"))
    assert "s3:cret" not in repr(kept)
    found = house.run(find_provider(house.store, house.project, "clinic"))
    assert found.plain_secret() == "s3:cret/+"
    assert house.run(remove_provider(house.store, house.project, "clinic"))
    assert not house.run(remove_provider(house.store, house.project, "clinic"))


def test_who_was_invited_is_linked_by_a_verified_address_and_known_by_sub_from_then_on(
    house: Any,
) -> None:
    way = Way(house)
    invited = house.invite()
    user = invited.user
    back = way.go(**is_robin(amr=["pwd", "mfa", "made-up", 7]))
    assert (back.user.id, back.methods, back.linked) == (user.id, ("pwd", "mfa"), False)
    assert back.user.state == "active"
    assert house.run(link_user(house.store, invited.link, house.now)) is None
    # Another address is still the same person, and the same address another person is not.
    assert way.go(email="new@clinic.example.org").user.id == user.id
    with pytest.raises(Wrong, match="no account for you here"):
        way.go(**is_robin(sub="person-2"))


@pytest.mark.parametrize(
    ("told", "claims", "has_password", "opens"),
    [
        ({}, {}, False, True),
        ({}, {"email_verified": "true"}, False, True),
        ({}, {"email_verified": False}, False, False),
        ({}, {"email_verified": None}, False, False),
        ({}, {"email": None}, False, False),
        ({}, {"email": "ROBIN@Clinic.Example.org"}, False, True),
        ({}, {"email": ["robin@clinic.example.org"]}, False, False),
        ({}, {}, True, False),
        ({"link": "email"}, {}, True, True),
        ({"link": "email"}, {"email_verified": False}, True, False),
        ({"domains": ["clinic.example.org"]}, {}, False, True),
        ({"domains": ["example.org"]}, {}, False, False),
        ({"domains": ["clinic.example.org"]}, {"email_verified": False}, False, False),
        (
            {"domains": ["clinic.example.org"], "trusted": True},
            {"email_verified": None},
            False,
            True,
        ),
        ({"domains": ["example.org"], "trusted": True}, {}, False, False),
    ],
)
def test_an_address_leads_to_an_account_only_where_it_is_believed(
    small_house: Any, told: Any, claims: Any, has_password: bool, opens: bool
) -> None:
    way = Way(small_house)
    way.set(**told)
    user = small_house.user() if has_password else small_house.invite().user
    try:
        found = way.go(**{**is_robin(), **claims}).user.id == user.id
    except Wrong:
        found = False
    assert found is opens


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"state": "x"}, "begun in another window"),
        ({"state": ""}, "begun in another window"),
        ({"iss": "https://evil.example.com"}, "not that of Clinic ID"),
        ({"error": "access_denied"}, "did not let you in"),
    ],
)
def test_an_answer_that_is_not_to_our_question_is_none(
    small_house: Any, answer: dict[str, str], why: str
) -> None:
    way = Way(small_house)
    small_house.invite()
    way.elsewhere.claims = is_robin()
    asked, cookie = way.begin()
    with pytest.raises(Wrong, match=why):
        way.finish(cookie, {"code": "c", "state": asked["state"], **answer})
    # It was used up, and another browser has no cookie of it.
    with pytest.raises(Wrong, match="another window"):
        way.finish(cookie, {"code": "c", "state": asked["state"]})
    with pytest.raises(Wrong, match="another window"):
        way.finish("", {"code": "c", "state": asked["state"]})


def test_a_provider_that_names_itself_in_answers_must(small_house: Any) -> None:
    way = Way(small_house)
    way.elsewhere.described["authorization_response_iss_parameter_supported"] = True
    small_house.invite()
    way.elsewhere.claims = is_robin()
    asked, cookie = way.begin()
    with pytest.raises(Wrong, match="not that of Clinic ID"):
        way.finish(cookie, {"code": "c", "state": asked["state"]})
    way.elsewhere.claims = is_robin()
    asked, cookie = way.begin()
    assert way.finish(cookie, {"code": "c", "state": asked["state"], "iss": ISSUER}).user


@pytest.mark.parametrize("nonce", ["x", None, 7, "é"])
def test_a_token_of_another_sign_in_is_not_taken(small_house: Any, nonce: Any) -> None:
    way = Way(small_house)
    small_house.invite()
    with pytest.raises(Wrong, match="another sign-in"):
        way.go(**is_robin(nonce=nonce))


def test_what_is_asked_has_a_challenge_and_the_secret_goes_to_the_provider_alone(
    small_house: Any,
) -> None:
    way = Way(small_house)
    small_house.invite()
    way.elsewhere.claims = is_robin()
    asked, cookie = way.begin()
    assert {name: asked[name] for name in ("tenant", "client_id", "redirect_uri", "scope")} == {
        "tenant": "1",
        "client_id": "threadwell",
        "redirect_uri": BACK,
        "scope": "openid email profile",
    }
    assert asked["code_challenge_method"] == "S256"
    way.finish(cookie, {"code": "c", "state": asked["state"]})
    (token,) = [one for one in way.elsewhere.asked if one.method == "POST"]
    form = parse_qs(token.body.decode())
    assert "client_secret" not in form
    assert form["code"] == ["c"]
    # "threadwell:s3%3Acret%2F%2B"
    assert token.headers["authorization"] == "Basic dGhyZWFkd2VsbDpzMyUzQWNyZXQlMkYlMkI="
    assert "s3" not in repr(token)
    way.elsewhere.described["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    way.go(**is_robin())
    token = [one for one in way.elsewhere.asked if one.method == "POST"][-1]
    assert parse_qs(token.body.decode())["client_secret"] == ["s3:cret/+"]


def test_keys_are_remembered_and_looked_for_anew_once_one_is_not_there(small_house: Any) -> None:
    way = Way(small_house)
    small_house.invite()
    calls = ProviderCalls(small_house.clock, way.elsewhere)
    way.another = lambda: Outside(  # type: ignore[method-assign]
        small_house.store, small_house.project, calls, small_house.clock
    )
    for _ in range(3):
        way.go(**is_robin())
    assert way.elsewhere.count("/clinic/keys") == 1
    way.elsewhere.turn_key()
    way.go(**is_robin())
    # Whoever shows keys that are made up has us ask no more often than that.
    way.elsewhere.turn_key()
    with pytest.raises(Wrong, match="not signed with a key"):
        way.go(**is_robin())
    assert way.elsewhere.count("/clinic/keys") == 2
    small_house.now += 31_000
    way.go(**is_robin())
    assert way.elsewhere.count("/clinic/keys") == 3
    # Where it does not answer, what is known does for a day; a token cannot be had.
    small_house.now += 2 * 3_600_000
    way.elsewhere.down = True
    way.begin()
    with pytest.raises(ProviderDown, match="took too long"):
        way.go(**is_robin())
    small_house.now += 24 * 3_600_000
    with pytest.raises(ProviderDown):
        way.begin()


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example.com"},
        {"issuer": None},
        {"authorization_endpoint": "http://id.example.org/auth"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": ["https://id.example.org"]},
        {"jwks_uri": "https://u@id.example.org/keys"},
    ],
)
def test_a_description_that_is_none_is_told(small_house: Any, change: dict[str, Any]) -> None:
    way = Way(small_house)
    way.elsewhere.described |= change
    with pytest.raises(ProviderDown):
        way.begin()


def test_claims_that_are_not_in_the_token_are_asked_for(small_house: Any) -> None:
    way = Way(small_house)
    user = small_house.invite().user
    way.elsewhere.more = is_robin(sub="person-2")
    with pytest.raises(Wrong, match="no account"):
        way.go()
    way.elsewhere.more = is_robin(sub="person-1")
    assert way.go().user.id == user.id
