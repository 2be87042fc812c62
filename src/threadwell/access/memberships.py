"""Policies and who has them, as the store keeps them: private values, never FHIR resources.

A *membership* gives policies to somebody: a client (``ClientApplication/…``) or a person
(``Practitioner/…``, ``Patient/…``), as Medplum's ProjectMembership does. Whoever has none may do
everything; whoever has one may do what any of its policies allows, and nothing if it has none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

from threadwell.access.grants import (
    POLICY,
    Grant,
    Holding,
    age_name,
    check_grant,
    chosen_age,
    holding,
    may_hang,
    read_age,
)
from threadwell.access.of_age import BadAge
from threadwell.access.policy import Policy
from threadwell.access.reading import BadPolicy, Of, check_policy, compiled, variables_of
from threadwell.fhir.json import decode, encode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import Home
from threadwell.stores.contract import Kept, Store

__all__ = [
    "Grant",
    "Membership",
    "Policies",
    "Untold",
    "find_membership",
    "find_policy",
    "keep_membership",
    "keep_policy",
    "kept_membership",
    "memberships",
    "policies",
    "remove_membership",
    "remove_policy",
    "what_holds",
]

_MEMBERSHIP = "membership"
#: Compiled policies that are remembered at a time.
_MOST = 1_000


class Untold(BadPolicy):
    """A policy needs to be told what variables stand for: ``names``, without their ``%``."""

    def __init__(self, policy: str, names: tuple[str, ...]) -> None:
        said = " and ".join(f"%{name}" for name in names)
        verb = "stands" if len(names) == 1 else "stand"
        super().__init__(f"the policy {policy} needs to be told what {said} {verb} for")
        self.names = names


class Membership(msgspec.Struct, frozen=True):
    """What somebody has been given. ``profile`` is whom they act for, and ``%profile``."""

    who: str
    profile: str
    grants: tuple[Grant, ...] = ()


async def keep_policy(store: Store, project: str, policy: Any) -> Resource:
    """Keep an AccessPolicy under its id (a new one where it has none); raises ``BadPolicy``."""
    checked = check_policy(policy, await store.home(project, anew=True))
    kept = {**checked, "id": checked.get("id") or str(uuid4())}
    await store.put_private(POLICY, f"{project}/{kept['id']}", encode(kept))
    return kept


async def find_policy(store: Store, project: str, id_: str) -> Resource | None:
    """The policy of that id."""
    value = await store.get_private(POLICY, f"{project}/{id_}")
    return None if value is None else decode(value)


async def policies(store: Store, project: str) -> list[Resource]:
    """Every policy of a project, by name."""
    found = await store.list_private(POLICY)
    mine = [decode(value) for name, value in found.items() if name.startswith(f"{project}/")]
    return sorted(mine, key=lambda one: (one["name"], one["id"]))


async def remove_policy(store: Store, project: str, id_: str) -> bool:
    """Remove a policy that nobody has; ``False`` where there is none.

    Raises ``BadPolicy`` where somebody has it: without it they would be able to do nothing.
    """
    having = [
        one.who
        for one in await memberships(store, project)
        if any(grant.policy == id_ for grant in one.grants)
    ]
    if having:
        raise BadPolicy(f"{len(having)} have it, {having[0]} among them: take it from them first")
    if await find_policy(store, project, id_) is None:
        return False
    await store.put_private(POLICY, f"{project}/{id_}", None)
    return True


async def keep_membership(store: Store, project: str, membership: Membership) -> None:
    """Give somebody policies in place of those they had; raises ``BadPolicy`` for what is none."""
    kept = await kept_membership(store, project, membership)
    await store.put_private(kept.kind, kept.name, kept.value)


async def kept_membership(store: Store, project: str, membership: Membership) -> Kept:
    """The private value of ``keep_membership``, to go with a commit; raises ``BadPolicy``."""
    await _compiled(store, project, membership, await store.home(project, anew=True))
    age = await chosen_age(store, project)
    for grant in membership.grants:
        try:
            check_grant(grant, membership.profile, age)
        except BadAge as error:
            raise BadPolicy(str(error)) from None
    return Kept(_MEMBERSHIP, f"{project}/{membership.who}", msgspec.json.encode(membership))


async def find_membership(store: Store, project: str, who: str) -> Membership | None:
    """What somebody has been given; ``None`` where they may do everything."""
    value = await store.get_private(_MEMBERSHIP, f"{project}/{who}")
    return None if value is None else msgspec.json.decode(value, type=Membership)


async def memberships(store: Store, project: str) -> list[Membership]:
    """Every membership of a project."""
    found = await store.list_private(_MEMBERSHIP)
    mine = [value for name, value in found.items() if name.startswith(f"{project}/")]
    return [msgspec.json.decode(value, type=Membership) for value in mine]


async def remove_membership(store: Store, project: str, who: str) -> bool:
    """Let somebody do everything again; ``False`` where they may already."""
    if await find_membership(store, project, who) is None:
        return False
    await store.put_private(_MEMBERSHIP, f"{project}/{who}", None)
    return True


async def what_holds(store: Store, project: str, membership: Membership, now: int) -> Holding:
    """Which of the grants of a membership hold ``now``, in milliseconds."""
    age = await chosen_age(store, project)
    return await holding(store, project, membership.profile, membership.grants, age, now)


class _Asked(NamedTuple):
    """A membership as it is now, and by what the policy of it is remembered.

    ``apart`` are the patients whom it is not about any more. It is good until ``lasts``, as
    ``Policy`` has it.
    """

    membership: Membership
    apart: tuple[str, ...]
    lasts: int | None
    mark: bytes


class Policies:
    """The policy of each caller of a project, compiled once and then remembered."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._known: dict[tuple[bytes, Home], Policy] = {}

    async def of(self, who: str, now: int) -> Policy | None:
        """The policy of somebody as it is ``now``; ``None`` where they may do everything.

        One that cannot be honoured any more allows nothing.
        """
        asked = await self._asked(who, now)
        if asked is None:
            return None
        home = await self._store.home(self._project)
        key = asked.mark, home
        known = self._known.get(key)
        if known is None:
            found = asked.membership
            try:
                known = await _compiled(self._store, self._project, found, home, asked)
            except BadPolicy:
                known = Policy({}, found.profile, lasts=asked.lasts, who=who)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = known
        return known

    async def mark(self, who: str, now: int) -> str:
        """What changes with all that says what somebody may do; ``""`` where that is everything."""
        asked = await self._asked(who, now)
        return "" if asked is None else hashlib.sha256(asked.mark).hexdigest()

    async def _asked(self, who: str, now: int) -> _Asked | None:
        found = await find_membership(self._store, self._project, who)
        if found is None:
            return None
        store, project = self._store, self._project
        named = dict.fromkeys(f"{project}/{grant.policy}" for grant in found.grants)
        age = age_name(project)
        more = [age] if may_hang(found.profile, found.grants) else []
        values = await store.get_private_many(POLICY, [*named, *more])
        chosen = read_age(values.get(age))
        held = await holding(store, project, found.profile, found.grants, chosen, now)
        valid = tuple([one.grant for one in held.grants if one.holds])
        ends = [one.until for one in valid if one.until]
        lasts = 0 if held.hangs else min(ends, default=None)
        found = msgspec.structs.replace(found, grants=valid)
        names = dict.fromkeys(f"{project}/{grant.policy}" for grant in valid)
        mark = [
            msgspec.json.encode((found, held.apart, lasts)),
            *(values.get(name, b"") for name in names),
        ]
        return _Asked(found, held.apart, lasts, b"\0".join(mark))


async def _compiled(
    store: Store,
    project: str,
    membership: Membership,
    bases: frozenset[str],
    asked: _Asked | None = None,
) -> Policy:
    found: list[tuple[Resource, Mapping[str, str]]] = []
    for grant in membership.grants:
        policy = await find_policy(store, project, grant.policy)
        if policy is None:
            raise BadPolicy(f"there is no policy {grant.policy}")
        lacking = variables_of(policy, bases) - set(grant.parameters)
        if lacking:
            raise Untold(policy["name"], tuple(sorted(lacking)))
        found.append((policy, grant.parameters))
    if asked is None:
        return compiled(found, membership.profile, bases)
    of = Of(membership.who, asked.apart, asked.lasts)
    return compiled(found, membership.profile, bases, of)
