"""Outside providers: which account somebody gets by one, and what roles it says they have."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.users.elsewhere import HERE, ROBIN, Elsewhere, Way, is_robin
from threadwell.access.memberships import find_membership, policies
from threadwell.access.reading import BadPolicy
from threadwell.users.browsers import begin, browsers_of
from threadwell.users.changing import reset, set_by_link, set_disabled
from threadwell.users.keeping import find_user, user_of
from threadwell.users.linking import check_roles, unlink
from threadwell.users.outside import Back, Outside
from threadwell.users.passwords import BadPassword
from threadwell.users.pauses import Paused, Rule
from threadwell.users.provider_calls import ProviderCalls
from threadwell.users.providers import (
    required_for,
)
from threadwell.users.signing_in import Wrong


def test_an_invitation_links_whatever_address_there_is_and_once(house: Any) -> None:
    way = Way(house)
    link = house.invite().link
    back = way.go({"link": link}, email="else@example.com")
    assert back.user.email == ROBIN
    with pytest.raises(Wrong, match="ended, or was used"):
        way.go({"link": link}, sub="person-2")


def test_the_owner_links_their_account_and_nobody_elses(house: Any) -> None:
    way = Way(house)
    robin, mo = house.user(), house.user("mo@clinic.example.org")
    assert way.go({"owner": robin}).linked
    with pytest.raises(Wrong, match="linked with another one"):
        way.go({"owner": mo})
    with pytest.raises(Wrong, match="linked with somebody else"):
        way.go({"owner": house.run(find_user(house.store, robin.id))}, sub="person-2")
    way.elsewhere.claims = {}
    asked, cookie = way.begin(owner=mo)
    house.run(set_disabled(house.store, house.project, mo, True))
    with pytest.raises(Wrong, match="changed meanwhile"):
        way.finish(cookie, {"code": "c", "state": asked["state"]})
    robin = house.run(find_user(house.store, robin.id))
    assert house.run(unlink(house.store, house.project, robin, "clinic")).identities == ()
    with pytest.raises(Wrong, match="no account"):
        way.go(**is_robin())


def test_the_last_thing_that_opens_an_account_stays(small_house: Any) -> None:
    way = Way(small_house)
    small_house.invite()
    user = way.go(**is_robin()).user
    with pytest.raises(Wrong, match="nothing else opens"):
        small_house.run(unlink(small_house.store, small_house.project, user, "clinic"))


def test_who_is_disabled_does_not_come_in(house: Any) -> None:
    way = Way(house)
    house.invite()
    user = way.go(**is_robin()).user
    house.run(set_disabled(house.store, house.project, user, True))
    with pytest.raises(Wrong, match="gets in no more"):
        way.go(**is_robin())


def test_of_many_who_come_at_once_one_account_is_made(house: Any) -> None:
    way = Way(house)
    way.set(link="create", role="participant", domains=["clinic.example.org"])
    named = is_robin(given_name="Robin", family_name="Ash")
    way.elsewhere.claims = named
    begun = []
    for _ in range(4):
        way.elsewhere.claims = dict(named)
        asked, cookie = way.begin()
        begun.append((asked, cookie))

    async def one(asked: dict[str, str], cookie: str) -> Any:
        elsewhere = Elsewhere(house)
        elsewhere.claims = {**named, "nonce": asked["nonce"]}
        calls = ProviderCalls(house.clock, elsewhere)
        outside = Outside(house.store, house.project, calls, house.clock)
        return await outside.finish(
            way.provider, cookie, {"code": "c", "state": asked["state"]}, HERE
        )

    async def race() -> list[Any]:
        return await asyncio.gather(*(one(*b) for b in begun), return_exceptions=True)

    outcomes = house.run(race())
    assert all(isinstance(o, Back | Wrong) for o in outcomes), outcomes
    assert len({o.user.id for o in outcomes if isinstance(o, Back)}) == 1
    user = way.go(**named).user
    assert (user.first, user.last, len(user.members)) == ("Robin", "Ash", 1)


def has(house: Any, who: str) -> list[str]:
    names = {one["id"]: one["name"] for one in house.run(policies(house.store, house.project))}
    found = house.run(find_membership(house.store, house.project, who))
    return sorted(names[one.policy] for one in found.grants) if found else ["everything"]


def test_roles_follow_what_the_provider_says(house: Any) -> None:
    way = Way(house)
    way.set(
        roles_claim="realm_access.roles",
        roles={"nurses": "participant", "bills": "billing"},
    )
    invited = house.invite(policy="supervisor")
    who = invited.member.profile
    outcomes = []
    for roles in (
        ["nurses"],
        ["bills", "nurses", "others"],
        "bills",
        [],
        ["others"],
        None,
        ["nurses"],
    ):
        access = {"roles": roles} if roles is not None else 7
        try:
            way.go(**is_robin(realm_access=access))
        except Wrong as error:
            outcomes.append(str(error)[:27])
        else:
            outcomes.append("+".join(has(house, who)))
    assert outcomes == [
        "participant+supervisor",
        "billing+participant+supervisor",
        "billing+supervisor",
        *["Clinic ID gives you no role"] * 3,
        "participant+supervisor",
    ]


@pytest.mark.parametrize("role", ["care-team", "of-mars"])
def test_a_role_that_needs_more_or_is_none_is_refused(small_house: Any, role: str) -> None:
    provider = Way(small_house).set(roles_claim="groups", roles={"nurses": role})
    with pytest.raises(BadPolicy):
        small_house.run(check_roles(small_house.store, small_house.project, provider))
    small_house.invite()
    way = Way(small_house)
    way.provider = provider
    with pytest.raises(Wrong, match="is none here"):
        way.go(**is_robin(groups=["nurses"]))


def test_without_a_role_nobody_is_linked_or_made(small_house: Any) -> None:
    way = Way(small_house)
    way.set(
        link="create",
        roles_claim="groups",
        roles={"nurses": "participant"},
        domains=["clinic.example.org"],
    )
    with pytest.raises(Wrong, match="no role"):
        way.go(**is_robin(given_name="Robin", family_name="Ash", groups=["others"]))
    assert small_house.run(user_of(small_house.store, ROBIN)) is None


def test_where_a_provider_is_required_no_password_opens_or_is_set(house: Any) -> None:
    user = house.user()
    way = Way(house)
    way.set(required=True, domains=["clinic.example.org"])
    assert house.sign_in() == "Wrong"
    link = house.run(reset(house.store, house.project, user, house.clock))
    with pytest.raises(BadPassword, match="signs in with Clinic ID"):
        house.run(
            set_by_link(
                house.store, house.project, link, "a b c d e f g h", house.hashing, house.clock
            )
        )
    other = house.user("mo@example.com")
    assert house.sign_in(email="mo@example.com") == other.id
    found = house.run(required_for(house.store, house.project, ROBIN))
    assert found.name == "clinic"
    way.set(required=True)
    assert house.sign_in(email="mo@example.com") == "Wrong"


EVENTS = {"http://schemas.openid.net/event/backchannel-logout": {}}


@pytest.mark.parametrize(
    ("claims", "left"),
    [
        ({"events": EVENTS}, 1),
        ({"events": EVENTS, "sid": "two"}, 2),
        ({"events": EVENTS, "sid": "of nobody"}, 3),
        ({"events": EVENTS, "sub": "person-2"}, 3),
        ({"events": {}}, "no logout token"),
        ({"events": [*EVENTS]}, "no logout token"),
        ({}, "no logout token"),
        ({"events": EVENTS, "nonce": "n"}, "no logout token"),
        ({"events": EVENTS, "aud": "another"}, "cannot be believed"),
        ({"events": EVENTS, "exp": 7}, "cannot be believed"),
    ],
)
def test_who_signs_out_at_the_provider_is_signed_out_here(
    small_house: Any, claims: dict[str, Any], left: int | str
) -> None:
    way = Way(small_house)
    small_house.invite()
    user = way.go(**is_robin()).user
    who, store, project = user.members[0].profile, small_house.store, small_house.project
    for provider, sid in (("clinic", "one"), ("clinic", "two"), ("", "")):
        work = begin(
            store,
            project,
            who=who,
            user=user,
            provider=provider,
            sid=sid,
            clock=small_house.clock,
        )
        small_house.run(work)
    way.elsewhere.claims = claims
    token = way.elsewhere._token()["id_token"]
    try:
        small_house.run(way.outside.ended(way.provider, token))
    except Wrong as error:
        assert str(left) in str(error)  # noqa: PT017 - some are right
        left = 3
    assert len(small_house.run(browsers_of(store, project, user, small_house.clock))) == left


def test_who_begins_for_ever_has_to_wait(small_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threadwell.users.outside.OUTSIDE", Rule("few", 5))
    way = Way(small_house)
    small_house.invite()
    for _ in range(8):
        way.go(**is_robin())
    for _ in range(5):
        way.begin()
    with pytest.raises(Paused):
        way.begin()
