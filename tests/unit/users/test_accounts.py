"""Accounts are made, found and changed; of many who want one address one gets it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from threadwell.access.memberships import find_membership
from threadwell.access.reading import BadPolicy
from threadwell.fhir.json import decode
from threadwell.fhir.stamp import stamp
from threadwell.stores.contract import ChangeSet, Write
from threadwell.users.browsers import begin, browsers_of, end_browser, end_browsers, signed_in
from threadwell.users.changing import (
    LinkSpent,
    add_factor,
    drop_factor,
    link_user,
    reset,
    set_by_link,
    set_disabled,
    set_password,
)
from threadwell.users.codes import code_at, new_secret
from threadwell.users.inviting import AlreadyMember, Invitation, invite
from threadwell.users.keeping import find_user, user_of, users
from threadwell.users.password_links import LIVES, RESET, Link
from threadwell.users.passwords import BadPassword
from threadwell.users.signing_in import From
from threadwell.users.user import BadUser

ROBIN = "robin@clinic.example.org"


def put(house: Any, type_: str, id_: str, **more: Any) -> None:
    resource = {"resourceType": type_, "id": id_, **more}
    stamped, body = stamp(resource, id_, "1", house.now)
    write = Write(type_, id_, "1", house.now, stamped, body)
    house.run(house.store.commit(house.project, ChangeSet((write,))))


def mail(value: str) -> list[dict[str, str]]:
    return [{"system": "email", "value": value}]


def grants(house: Any, who: str) -> dict[str, dict[str, str]] | None:
    found = house.run(find_membership(house.store, house.project, who))
    return None if found is None else {one.policy: one.parameters for one in found.grants}


def test_somebody_is_invited_and_made(house: Any) -> None:
    invited = house.invite(" Robin@CLINIC.example.org ", policy="participant")
    type_, _, id_ = invited.member.profile.partition("/")
    stored = house.run(house.store.read(house.project, type_, id_))
    body = decode(stored.body)
    assert (type_, body["name"]) == ("Practitioner", [{"given": ["Robin"], "family": "Ash"}])
    assert body["telecom"] == mail(ROBIN)
    assert grants(house, invited.member.profile) == {"participant": {}}
    assert house.run(user_of(house.store, ROBIN)) == invited.user
    assert (invited.user.state, invited.user.name) == ("invited", "Robin Ash")
    assert house.run(users(house.store, house.project)) == [invited.user]
    assert house.run(users(house.store, "another")) == []


def test_of_many_who_invite_one_address_one_does(house: Any) -> None:
    async def race() -> list[Any]:
        asked = [Invitation(ROBIN, f"Robin {at}", "Ash") for at in "abcdefgh"]
        works = [
            invite(house.store, house.project, one, author="", clock=house.clock) for one in asked
        ]
        return await asyncio.gather(*works, return_exceptions=True)

    outcomes = house.run(race())
    made = [one for one in outcomes if not isinstance(one, Exception)]
    assert len(made) == 1
    assert {type(one) for one in outcomes if one is not made[0]} == {AlreadyMember}
    assert [one.email for one in house.run(users(house.store, house.project))] == [ROBIN]


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"email": "robin"}, "email"),
        ({"email": "a@b.example, c@d.example"}, "email"),
        ({"email": "x" * 250 + "@clinic.example.org"}, "email"),
        ({"first": ""}, "firstName"),
        ({"last": "\u202eAsh"}, "lastName"),
        ({"type": "Device"}, "resourceType"),
        ({"profile": "Practitioner/nobody"}, "membership.profile"),
        ({"profile": "Device/1"}, "membership.profile"),
        ({"profile": "Practitioner"}, "membership.profile"),
        ({"profile": "Practitioner/gone"}, "membership.profile"),
        ({"type": "RelatedPerson"}, "patient"),
        ({"type": "RelatedPerson", "patient": "Patient/nobody"}, "patient"),
        ({"email": "shared@example.org"}, "membership.profile"),
        ({"email": "ana@example.org", "type": "Patient"}, "membership.profile"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(
    small_house: Any, more: dict[str, str], where: str
) -> None:
    put(small_house, "Practitioner", "gone", active=False)
    put(small_house, "Patient", "ana", telecom=mail("ana@example.org"))
    for id_ in ("one", "two"):
        put(small_house, "Practitioner", id_, telecom=mail("shared@example.org"))
    with pytest.raises(BadUser) as caught:
        small_house.invite(**more)
    assert caught.value.where == where
    assert small_house.run(users(small_house.store, small_house.project)) == []


def test_an_unknown_policy_makes_nothing(small_house: Any) -> None:
    with pytest.raises(BadPolicy, match="no policy and no role 'chief'"):
        small_house.invite(policy="chief")
    assert small_house.run(users(small_house.store, small_house.project)) == []


def test_whom_somebody_acts_as_is_found_by_the_address(small_house: Any) -> None:
    put(small_house, "Practitioner", "ines", name=[{"text": "Ines Prado"}], telecom=mail(ROBIN))
    invited = small_house.invite(first="", last="")
    assert invited.member.profile == "Practitioner/ines"
    assert invited.user.name == "Ines Prado"
    assert grants(small_house, "Practitioner/ines") is None


def test_patients_and_proxies_see_what_is_theirs_without_anybody_saying_so(
    small_house: Any,
) -> None:
    put(small_house, "Patient", "leo")
    small_house.invite(profile="Patient/leo")
    proxy = small_house.invite("ana@example.org", type="RelatedPerson", patient="Patient/leo")
    assert grants(small_house, "Patient/leo") == {"patient": {}}
    assert grants(small_house, proxy.member.profile) == {"proxy": {"patient": "Patient/leo"}}


def test_one_account_has_several_memberships_each_once(small_house: Any) -> None:
    put(small_house, "Patient", "leo")
    first = small_house.invite()
    second = small_house.invite(profile="Patient/leo")
    assert [one.profile for one in second.user.members] == [
        first.member.profile,
        "Patient/leo",
    ]
    with pytest.raises(AlreadyMember, match="Patient/leo"):
        small_house.invite(profile="Patient/leo")


def set_it(house: Any, link: Link, password: str = "pelican-orbit-mustard") -> Any:
    return house.run(
        set_by_link(house.store, house.project, link, password, house.hashing, house.clock)
    )


def test_a_link_sets_a_password_once_also_for_many_at_once(house: Any) -> None:
    link = house.invite().link

    async def race() -> list[Any]:
        works = [
            set_by_link(house.store, house.project, link, f"{at} walls and a garden", *rest)
            for at in ("four", "five", "nine")
            for rest in [(house.hashing, house.clock)]
        ]
        return await asyncio.gather(*works, return_exceptions=True)

    outcomes = house.run(race())
    assert sum(isinstance(one, LinkSpent) for one in outcomes) == 2
    with pytest.raises(LinkSpent):
        set_it(house, link)


def test_a_link_ends(small_house: Any) -> None:
    link = small_house.invite().link
    ask = lambda link: small_house.run(  # noqa: E731
        link_user(small_house.store, link, small_house.now)
    )
    assert ask(link).email == ROBIN
    assert ask(Link(link.id, "wrong")) is None
    assert ask(Link("wrong", link.secret)) is None
    with pytest.raises(BadPassword):
        set_it(small_house, link, "short")
    assert ask(link) is not None  # One that was not taken uses nothing up.
    small_house.now += LIVES["invitation"]
    assert ask(link) is None
    with pytest.raises(LinkSpent):
        set_it(small_house, link)


def test_another_password_ends_all_links_that_were_made_before(small_house: Any) -> None:
    user = small_house.user()
    work = reset(small_house.store, small_house.project, user, small_house.clock)
    links = [small_house.run(work)]
    work = reset(small_house.store, small_house.project, user, small_house.clock)
    links.append(small_house.run(work))
    set_it(small_house, links[0])
    with pytest.raises(LinkSpent):
        set_it(small_house, links[1])
    assert LIVES[RESET] == 3_600_000


def browser(house: Any, user: Any) -> str:
    who = user.members[0].profile
    return house.run(begin(house.store, house.project, who=who, user=user, clock=house.clock))


def good(house: Any, cookie: str) -> bool:
    return house.run(signed_in(house.store, house.project, cookie, house.clock)) is not None


@pytest.mark.parametrize("how", ["password", "link", "disabled", "ended", "time"])
def test_what_signs_somebody_out_everywhere(house: Any, how: str) -> None:
    user, other = house.user(), house.user("mo@clinic.example.org")
    cookies = [browser(house, user), browser(house, user)]
    others = browser(house, other)
    store, project = house.store, house.project
    assert all(good(house, one) for one in (*cookies, others))
    match how:
        case "password":
            new = "nine walls and a garden"
            house.run(set_password(store, project, user, new, house.hashing, house.clock))
        case "link":
            set_it(house, house.run(reset(store, project, user, house.clock)))
        case "disabled":
            house.run(set_disabled(store, project, user, True))
        case "ended":
            house.run(end_browsers(store, project, user))
        case _:
            house.now += 12 * 3_600_000
    assert not any(good(house, one) for one in cookies)
    assert good(house, others) is (how != "time")


def test_who_is_disabled_is_out_by_links_too_unless_another_account_is_theirs(house: Any) -> None:
    user = house.user()
    who = user.members[0].profile
    store, project = house.store, house.project

    def by_link() -> str:
        return house.run(begin(store, project, who=who, clock=house.clock))

    cookie = by_link()
    nobodys = house.run(begin(store, project, clock=house.clock))
    assert good(house, cookie)
    house.run(set_disabled(store, project, user, True))
    assert [good(house, one) for one in (cookie, by_link(), nobodys)] == [False, False, True]
    house.run(set_disabled(store, project, user, False))
    assert [good(house, one) for one in (cookie, by_link())] == [False, True]
    second = house.invite("other@clinic.example.org", profile=who).user
    house.run(set_disabled(store, project, second, True))
    assert good(house, by_link())


def test_browsers_are_listed_and_ended_one_by_one(house: Any) -> None:
    user = house.user()
    first = browser(house, user)
    house.now += 60_000
    second = browser(house, user)
    browser(house, house.user("mo@clinic.example.org"))
    listed = house.run(browsers_of(house.store, house.project, user, house.clock))
    assert [one.begun for one in listed] == [house.now, house.now - 60_000]
    assert house.run(end_browser(house.store, house.project, user, listed[1].id))
    assert not house.run(end_browser(house.store, house.project, user, "unknown"))
    assert [good(house, one) for one in (first, second)] == [False, True]


def test_who_is_disabled_comes_in_again_when_enabled_but_not_where_they_were(
    small_house: Any,
) -> None:
    user = small_house.user()
    cookie = browser(small_house, user)
    store, project = small_house.store, small_house.project
    assert small_house.run(set_disabled(store, project, user, True)) is not None
    assert small_house.run(set_disabled(store, project, user, True)) is None
    assert small_house.sign_in() == "Wrong"
    small_house.run(set_disabled(store, project, user, False))
    assert small_house.sign_in() == user.id
    assert not good(small_house, cookie)


def test_a_second_factor_asks_for_a_code_that_works_once_in_all_processes(house: Any) -> None:
    user = house.user()
    secret = new_secret()
    code = code_at(secret, house.now)
    made = house.run(add_factor(house.store, house.project, user, secret, code, house.now))
    assert house.run(add_factor(house.store, house.project, user, secret, code, house.now)) is None
    proved = house.run(house.door.by_password(ROBIN, house.password, From("192.0.2.1")))
    assert proved.needs_code
    house.now += 60_000
    code = code_at(secret, house.now)

    async def race() -> list[Any]:
        works = [house.door.by_code(user.id, user.epoch, code, From()) for _ in range(5)]
        return await asyncio.gather(*works, return_exceptions=True)

    outcomes = house.run(race())
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    recovered = house.door.by_code(user.id, user.epoch, made.codes[0], From())
    assert len(house.run(recovered).factor.recovery) == 9
    assert house.run(drop_factor(house.store, house.project, user))
    proved = house.run(house.door.by_password(ROBIN, house.password, From("192.0.2.1")))
    assert not proved.needs_code


def test_the_store_has_no_password_and_no_secret_of_a_link(small_house: Any) -> None:
    link = small_house.invite().link
    kept = repr(small_house.run(small_house.store.list_private("password-link")))
    set_it(small_house, link)
    cookie = browser(small_house, small_house.run(user_of(small_house.store, ROBIN)))
    kinds = small_house.run(small_house.store.private_kinds())
    kept += repr([small_house.run(small_house.store.list_private(kind)) for kind in kinds])
    assert not any(one in kept for one in (link.secret, cookie, "pelican-orbit-mustard"))


def test_a_costlier_hash_is_made_when_somebody_signs_in(small_house: Any) -> None:
    from threadwell.users.passwords import Hashing
    from threadwell.users.settings import Cost

    user = small_house.user()
    small_house.door._hashing = Hashing(Cost(16, 1, 1))
    assert small_house.sign_in() == user.id
    found = small_house.run(find_user(small_house.store, user.id))
    assert "m=16,t=1" in found.password
    assert found.epoch == user.epoch
    assert small_house.sign_in() == user.id
