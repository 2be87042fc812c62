"""Invitations: an account for somebody, whom it acts as, what they may see, and a link to begin by.

All of it is one commit. Whom an account acts as is named, or is found by its e-mail address, or is
made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

from msgspec.structs import replace

from threadwell.access.memberships import (
    Grant,
    Membership,
    find_membership,
    keep_policy,
    kept_membership,
    policies,
)
from threadwell.access.reading import BadPolicy
from threadwell.access.roles import ROLES, role
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.references import split_reference
from threadwell.fhir.search.sought import TokenMatch
from threadwell.fhir.stamp import Clock, new_id, stamp
from threadwell.logins import endings
from threadwell.messages import email_spellings
from threadwell.stores.contract import Conflict, Kept, Store, StoreBusy, Write
from threadwell.users.keeping import Taken, add_user, change_user, user_of
from threadwell.users.password_links import INVITATION, Link, new_link
from threadwell.users.user import (
    PROFILES,
    BadUser,
    Member,
    User,
    parse_account_email,
    parse_name,
)

#: The role of those who are cared for, where nobody names another: they never see more than theirs.
_ROLES = {"Patient": "patient", "RelatedPerson": "proxy"}
_TRIES = 10


class AlreadyMember(ValueError):
    """Somebody with that e-mail address is invited already."""


class Invitation(NamedTuple):
    """Whom to invite. ``type`` is one of ``PROFILES``; ``profile`` names the resource, if it is
    there already. ``policy`` is one that is kept, or a role, and ``more`` are further ones; without
    any a Practitioner may do everything, a Patient sees what is theirs, and a RelatedPerson what
    is of their patient.

    ``patient`` is whom a new RelatedPerson is for.
    """

    email: str
    first: str = ""
    last: str = ""
    type: str = "Practitioner"
    profile: str = ""
    policy: str = ""
    parameters: Mapping[str, str] = {}
    more: tuple[tuple[str, Mapping[str, str]], ...] = ()
    admin: bool = False
    patient: str = ""


class Invited(NamedTuple):
    """What came of it; ``link`` is ``None`` where they have a password already."""

    user: User
    member: Member
    link: Link | None


async def invite(
    store: Store, project: str, asked: Invitation, *, author: str, clock: Clock
) -> Invited:
    """Make an account, or another membership for one that is there.

    Raises ``BadUser`` and ``BadPolicy`` naming what is wrong, ``AlreadyMember`` where they are
    a member as whom they would be, and ``StoreBusy``.
    """
    email = parse_account_email(asked.email)
    for _ in range(_TRIES):
        try:
            user, member = await _made(store, project, asked, email, author, clock())
        except (Conflict, Taken):
            continue  # Somebody else was first with the address, or has changed the profile.
        # Their profile may have had a login before, by a link.
        await endings.tell(store)
        link = None
        if not user.password:
            link = await new_link(store, project, user, INVITATION, clock())
        return Invited(user, member, link)
    raise StoreBusy("others change the same things: try again in a moment")


async def _made(
    store: Store, project: str, asked: Invitation, email: str, author: str, now: int
) -> tuple[User, Member]:
    user = await user_of(store, email)
    found = await _profile(store, project, asked, email)
    writes: tuple[Write, ...] = ()
    if found is None:
        write = await _new_profile(store, project, asked, email, author, now)
        profile, body, writes = f"{write.type}/{write.id}", write.resource or {}, (write,)
    else:
        profile, body = found
    if user is not None and user.member(project, profile) is not None:
        raise AlreadyMember(f"that e-mail address is invited already, as {profile}")
    grants = await _grants(store, project, asked, profile, body)
    member = Member(str(uuid4()), project, profile, asked.admin, now)
    if user is not None:

        def joined(one: User) -> User | None:
            there = one.member(project, profile)
            return None if there else replace(one, members=(*one.members, member))

        changed = await change_user(store, project, user.id, joined, writes=writes, kept=grants)
        if changed is None:
            raise AlreadyMember(f"that e-mail address is invited already, as {profile}")
        return changed, member
    first, last = _names(asked, body)
    made = User(str(uuid4()), email, first, last, now, members=(member,))
    await add_user(store, project, made, writes=writes, kept=grants)
    return made, member


async def _profile(
    store: Store, project: str, asked: Invitation, email: str
) -> tuple[str, Resource] | None:
    """Whom the account is to act as; ``None`` where nobody is there yet."""
    if asked.profile:
        type_, id_ = split_reference(asked.profile)
        if type_ not in PROFILES or not id_:
            named = ", ".join(f"{one}/…" for one in PROFILES)
            raise BadUser(f"the profile is one of {named}", "membership.profile")
        stored = await store.read(project, type_, id_)
        body = None if stored is None or stored.deleted else decode(stored.body)
        if body is None or body.get("active") is False:
            raise BadUser(f"there is no {type_}/{id_} who is active", "membership.profile")
        return f"{type_}/{id_}", body
    if asked.type not in PROFILES:
        raise BadUser(f"resourceType is one of {', '.join(PROFILES)}", "resourceType")
    wanted = tuple(TokenMatch(None, one) for one in email_spellings(email))
    page = await store.search(project, Query(asked.type, (TokenFilter("telecom", wanted),)))
    active = [one for one in page.matches if decode(one.body).get("active") is not False]
    if len(active) > 1 or (active and asked.type == "Patient"):
        # A family has one address: which of them is meant is not for us to guess.
        names = ", ".join(f"{one.type}/{one.id}" for one in active)
        raise BadUser(f"{names} has that e-mail address: name the profile", "membership.profile")
    if not active:
        return None
    return f"{active[0].type}/{active[0].id}", decode(active[0].body)


async def _new_profile(
    store: Store, project: str, asked: Invitation, email: str, author: str, now: int
) -> Write:
    for given, where in ((asked.first, "firstName"), (asked.last, "lastName")):
        if not given:
            raise BadUser("who is not in the store yet needs firstName and lastName", where)
    first, last = parse_name(asked.first, "firstName"), parse_name(asked.last, "lastName")
    body: Resource = {"resourceType": asked.type, "active": True}
    if asked.type == "RelatedPerson":
        type_, id_ = split_reference(asked.patient)
        stored = await store.read(project, "Patient", id_) if type_ == "Patient" else None
        if stored is None or stored.deleted:
            raise BadUser("a RelatedPerson needs a patient who is there: Patient/…", "patient")
        body["patient"] = {"reference": f"Patient/{id_}"}
    body["name"] = [{"given": [first], "family": last}]
    body["telecom"] = [{"system": "email", "value": email}]
    id_, version = new_id(now), new_id(now)
    stamped, written = stamp(body, id_, version, now)
    return Write(asked.type, id_, version, now, stamped, written, None, author)


async def _grants(
    store: Store, project: str, asked: Invitation, profile: str, body: Resource
) -> tuple[Kept, ...]:
    """What they are given, beside what their profile has."""
    type_ = profile.partition("/")[0]
    had = await find_membership(store, project, profile)
    asked_for = [(asked.policy, asked.parameters), *asked.more]
    named = [(name, dict(parameters)) for name, parameters in asked_for if name]
    if not named:
        if had is not None or type_ not in _ROLES:
            return ()
        named = [(default_role(profile), dict(asked.parameters))]
    grants = {_which(one): one for one in (had.grants if had else ())}
    for name, parameters in named:
        if type_ == "RelatedPerson" and name == "proxy":
            parameters.setdefault("patient", (body.get("patient") or {}).get("reference", ""))
        grant = Grant(await kept_policy(store, project, name), parameters)
        grants[_which(grant)] = grant
    membership = Membership(profile, profile, tuple(grants.values()))
    return (await kept_membership(store, project, membership),)


def _which(grant: Grant) -> tuple[str, frozenset[tuple[str, str]]]:
    return grant.policy, frozenset(grant.parameters.items())


def default_role(profile: str) -> str:
    """The role that whoever acts as ``profile`` has where nobody names one; ``""`` for none."""
    return _ROLES.get(profile.partition("/")[0], "")


async def kept_policy(store: Store, project: str, name: str) -> str:
    """The id of the policy of that id or name; a role is kept where it is not yet."""
    found = [p for p in await policies(store, project) if name in (p["id"], p["name"])]
    if len(found) > 1:
        raise BadPolicy(f"{len(found)} policies are called {name!r}: give the id")
    if found:
        return str(found[0]["id"])
    if name not in ROLES:
        raise BadPolicy(f"there is no policy and no role {name!r}: there are {', '.join(ROLES)}")
    kept = await keep_policy(store, project, {**role(name), "id": name})
    return str(kept["id"])


def _names(asked: Invitation, body: Resource) -> tuple[str, str]:
    """As they were given, else as the profile has them."""
    name: dict[str, Any] = next(iter(body.get("name") or ()), {})
    first = asked.first or " ".join(name.get("given") or ())
    last = asked.last or name.get("family") or ("" if first else name.get("text") or "")
    return (
        parse_name(first, "firstName") if first else "",
        parse_name(last, "lastName") if last else "",
    )
