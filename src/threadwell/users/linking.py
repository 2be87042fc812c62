"""Whose account it is that somebody has at an outside provider, and what they may see by its word.

An account is known by (issuer, sub), which never changes, and not by its e-mail address, which
others may change. An address leads to an account once, when they come for the first time, and only
where the provider has verified it or is trusted with its domain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from threadwell.access.memberships import (
    Grant,
    Membership,
    find_membership,
    keep_membership,
    kept_membership,
)
from threadwell.access.reading import BadPolicy
from threadwell.fhir.json import encode
from threadwell.fhir.stamp import Clock
from threadwell.logins import endings
from threadwell.stores.contract import Conflict, Kept, Store
from threadwell.users.accounts import end_logins
from threadwell.users.browsers import end_browsers
from threadwell.users.changing import link_user
from threadwell.users.inviting import AlreadyMember, Invitation, invite, kept_policy
from threadwell.users.keeping import change_user, find_user, user_of
from threadwell.users.password_links import Link, read_link
from threadwell.users.providers import CREATE, INVITED, Provider
from threadwell.users.signing_in import Wrong
from threadwell.users.user import BadUser, Identity, User, parse_account_email

_OF = "outside-identity"


class Told(NamedTuple):
    """What a provider says of somebody; ``email`` is in normal form, ``""`` where it says none that
    may be believed.
    """

    sub: str
    email: str
    first: str
    last: str
    roles: tuple[str, ...] | None


def told_of(provider: Provider, claims: Mapping[str, Any]) -> Told:
    """What its claims say; raises ``Wrong`` for an address of another domain than is let in."""
    try:
        email = parse_account_email(claims.get("email"))
    except BadUser:
        email = ""
    if provider.domains and not (email and provider.lets(email)):
        raise Wrong(f"{provider.label} knows you by an address that may not come in here")
    # Some providers write it as a text.
    verified = claims.get("email_verified") in (True, "true")
    first, last = (claims.get(name) for name in ("given_name", "family_name"))
    if not (isinstance(first, str) and isinstance(last, str)):
        whole = claims.get("name")
        first, _, last = (whole if isinstance(whole, str) else "").rpartition(" ")
    return Told(
        str(claims["sub"]),
        email if verified or provider.trusted else "",
        first[:100],
        last[:100],
        _roles(provider, claims),
    )


async def check_roles(store: Store, project: str, provider: Provider) -> None:
    """Raise ``BadPolicy`` where a role that it gives is none, or needs to be told more."""
    for name in {*provider.roles.values(), *filter(None, [provider.role])}:
        id_ = await kept_policy(store, project, name)
        somebody = "Practitioner/somebody"
        await kept_membership(store, project, Membership(somebody, somebody, (Grant(id_),)))


async def account_of(
    store: Store,
    project: str,
    provider: Provider,
    told: Told,
    clock: Clock,
    *,
    owner: User | None = None,
    link: Link | None = None,
) -> User:
    """The account, with the roles that the provider says; raises ``Wrong``.

    ``owner`` is who links it to the account in which they are signed in, ``link`` an invitation by
    which they came.
    """
    user = await known(store, provider, told.sub)
    if user is None:
        if provider.roles:
            _wanted(provider, told)
        user = await _linked(store, project, provider, told, clock, owner, link)
    elif owner is not None and owner.id != user.id:
        raise Wrong(f"that account of {provider.label} is linked with another one here")
    if user.disabled or user.member(project) is None:
        raise Wrong("that account gets in no more: ask whoever runs Threadwell")
    await _give_roles(store, project, provider, told, user, clock)
    return user


async def known(store: Store, provider: Provider, sub: str) -> User | None:
    """The account of whom a provider calls ``sub``; ``None`` where it opens none."""
    id_ = await store.get_private(_OF, _name(provider.issuer, sub))
    user = None if id_ is None else await find_user(store, id_.decode())
    if user is None:
        return None
    there = any((one.issuer, one.sub) == (provider.issuer, sub) for one in user.identities)
    return user if there else None


async def unlink(store: Store, project: str, user: User, provider: str) -> User | None:
    """Take what somebody has at a provider from their account; ``None`` where there is nothing.

    Raises ``Wrong`` where nothing else opens the account.
    """
    gone = [one for one in user.identities if one.provider == provider]

    def changed(one: User) -> User | None:
        left = tuple(identity for identity in one.identities if identity not in gone)
        if len(left) == len(one.identities):
            return None
        if not (left or one.password or one.passkeys):
            raise Wrong("nothing else opens your account: add a passkey or a password first")
        return replace(one, identities=left)

    kept = [Kept(_OF, _name(one.issuer, one.sub), None) for one in gone]
    return await change_user(store, project, user.id, changed, kept=kept)


async def _linked(
    store: Store,
    project: str,
    provider: Provider,
    told: Told,
    clock: Clock,
    owner: User | None,
    link: Link | None,
) -> User:
    """The account from now on, for somebody who is not known by (issuer, sub)."""
    used: tuple[Kept, ...] = ()
    if owner is not None:
        user: User | None = owner
    elif link is not None:
        found = await read_link(store, link, clock())
        user = await link_user(store, link, clock())
        if user is None or found is None:
            raise Wrong("the invitation has ended, or was used: ask for another one")
        used = (found[1],)
    else:
        user = await _by_email(store, project, provider, told, clock)
    if user is None:
        known = f", who knows you as {told.email}" if told.email else ""
        raise Wrong(
            f"there is no account for you here that {provider.label} opens{known}: "
            "ask whoever runs Threadwell to invite you"
        )
    epoch = user.epoch
    mine = Identity(provider.name, provider.issuer, told.sub, told.email, clock())

    def changed(one: User) -> User | None:
        others = [one.issuer for one in one.identities]
        if one.disabled or one.epoch != epoch or provider.issuer in others:
            return None
        # Nobody sets a password by an invitation that was taken so.
        after = epoch + 1 if one.state == "invited" else epoch
        return replace(one, identities=(*one.identities, mine), epoch=after)

    name = Kept(_OF, _name(provider.issuer, told.sub), user.id.encode(), before=None)
    try:
        done = await change_user(store, project, user.id, changed, kept=(name, *used))
    except Conflict:
        done = None
    if done is None:
        raise Wrong(f"the account is linked with somebody else at {provider.label} already")
    return done


async def _by_email(
    store: Store, project: str, provider: Provider, told: Told, clock: Clock
) -> User | None:
    if not told.email:
        return None
    user = await user_of(store, told.email)
    if user is not None:
        # Who has come in already is linked by an address only where that is meant.
        return user if provider.link != INVITED or user.state == "invited" else None
    if provider.link != CREATE:
        return None
    wanted = _wanted(provider, told)
    asked = Invitation(
        told.email,
        told.first,
        told.last,
        policy=wanted[0],
        more=tuple((one, {}) for one in wanted[1:]),
    )
    try:
        made = await invite(store, project, asked, author="", clock=clock)
    except AlreadyMember:
        return await user_of(store, told.email)
    except (BadUser, BadPolicy) as error:
        raise Wrong(f"no account could be made for you: {error}") from None
    return made.user


def _wanted(provider: Provider, told: Told) -> list[str]:
    """The policies that the provider's word gives; raises ``Wrong`` for none where some must be."""
    found = [provider.roles[one] for one in told.roles or () if one in provider.roles]
    found = list(dict.fromkeys(found)) or ([provider.role] if provider.role else [])
    if not found:
        raise Wrong(f"{provider.label} gives you no role here: ask whoever runs it")
    return found


async def _give_roles(
    store: Store, project: str, provider: Provider, told: Told, user: User, clock: Clock
) -> None:
    """Have somebody's policies follow what the provider says, at each sign-in.

    Policies that it never gives stay. Whoever it gives none any more is signed out.
    """
    if not provider.roles:
        return
    try:
        wanted = [await kept_policy(store, project, one) for one in _wanted(provider, told)]
        named = {*provider.roles.values(), *filter(None, [provider.role])}
        given = {await kept_policy(store, project, one) for one in named}
    except BadPolicy as error:
        raise _no_role(provider, error) from None
    except Wrong:
        await end_browsers(store, project, user)
        await end_logins(store, project, user, "the provider gives no role any more", clock)
        raise
    for member in user.members:
        if member.project != project or not member.profile.startswith("Practitioner/"):
            continue
        had = await find_membership(store, project, member.profile)
        before = had.grants if had else ()
        kept = [one for one in before if one.policy not in given or one.policy in wanted]
        there = {one.policy for one in kept}
        grants = (*kept, *(Grant(one) for one in wanted if one not in there))
        if had is None or grants != before:
            made = Membership(member.profile, member.profile, grants)
            try:
                await keep_membership(store, project, made)
            except BadPolicy as error:
                raise _no_role(provider, error) from None
            await endings.tell(store)


def _no_role(provider: Provider, error: BadPolicy) -> Wrong:
    return Wrong(f"a role of {provider.label} is none here: {error}")


def _roles(provider: Provider, claims: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The values of the claim of roles, which may be within others (``realm_access.roles``)."""
    name = provider.roles_claim
    if not name:
        return None
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [found]
    return tuple(one for one in values if isinstance(one, str))


def _name(issuer: str, sub: str) -> str:
    return hashlib.sha256(encode([issuer, sub])).hexdigest()
