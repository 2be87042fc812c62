"""Who may see what: policies, and who has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from threadwell.facade.administering import administers
from threadwell.facade.verbs import Verbs
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.references import is_id
from threadwell.fhir.stamp import now_ms

if TYPE_CHECKING:
    from threadwell.access.grants import Grant, Held
    from threadwell.access.memberships import Membership

#: Clients are no resources of the store: they may be given a policy before they are registered.
_CLIENT = "ClientApplication/"


class Granting(Verbs):
    """Keeps AccessPolicies, and gives them to clients and people."""

    @administers("policy set", ".id")
    def set_policy(self, policy: Resource | str) -> Resource:
        """Keep an AccessPolicy, or the ready-made one of a role; returns it with its id.

        For example::

            tw.set_policy("participant")
            tw.set_policy({"resourceType": "AccessPolicy", "name": "lists", "resource": [
                {"resourceType": "Patient", "readonly": True}]})

        One of that id, or for a role of that name, is replaced, and holds at once for all who
        have it. Raises ``BadPolicy`` for what cannot be honoured.
        """
        from threadwell.access.reading import BadPolicy
        from threadwell.access.roles import ROLES, role
        from threadwell.api.clients import set_policy

        asked: Any = policy
        if isinstance(policy, str):
            if policy not in ROLES:
                raise BadPolicy(f"there is no role {policy}: there are {', '.join(ROLES)}")
            asked = {**role(policy), "id": policy}
        return self._loop.call(set_policy(self._store, self._project, asked))

    def policies(self) -> list[Resource]:
        """The AccessPolicies there are, by name: ``[p["name"] for p in tw.policies()]``."""
        from threadwell.access.memberships import policies

        return self._loop.call(policies(self._store, self._project))

    @administers("policy remove", "name")
    def remove_policy(self, name: str) -> None:
        """Remove a policy that nobody has (else ``BadPolicy``): ``tw.remove_policy("billing")``.

        Raises ``LookupError`` where there is none.
        """
        from threadwell.api.clients import drop_policy

        id_ = self._policy(name)
        self._loop.call(drop_policy(self._store, self._project, id_))

    @administers(
        "policy give", "policy", "who", "acts_as", "parameters", "until", "age", "from_age"
    )
    def give_policy(
        self,
        who: str,
        policy: str,
        *,
        acts_as: str = "",
        parameters: Mapping[str, str] | None = None,
        until: date | None = None,
        age: int = 0,
        from_age: bool = False,
    ) -> Membership:
        """Give a policy to somebody, beside those that they have: they may do what any allows.

        For example::

            tw.give_policy(f"ClientApplication/{client.client_id}", "participant",
                           acts_as="Practitioner/123")

        ``who`` is a client. ``acts_as`` is what ``%profile`` stands for, and who is named as having
        written what they write; without it that is ``who``. ``parameters`` are the other variables
        of the policy: given with others, it is a further grant, and with the same in place of the
        one before. It ends when the day ``until`` begins (UTC). One of a proxy ends on the day on
        which the patient is of age (``of_age``) where it has no ``until``; ``from_age`` one begins
        then. ``age`` is another one in years, for this grant alone. Who has no policy may do
        everything. Raises ``LookupError`` for a policy that is not there, ``BadPolicy`` where it
        cannot be given so: also to, or for, somebody who is not in the store.
        """
        from threadwell.access.grants import Grant
        from threadwell.access.memberships import Membership, find_membership
        from threadwell.api.clients import give

        ends = 0
        if until is not None:
            ends = int(datetime.combine(until, time(), UTC).timestamp() * 1000)
        grant = Grant(self._policy(policy), dict(parameters or {}), ends, age, from_age)
        had = self._loop.call(find_membership(self._store, self._project, who))
        others = [one for one in (had.grants if had else ()) if _which(one) != _which(grant)]
        profile = acts_as or (had.profile if had else who)
        for name in {who, profile}:
            self._loop.call(self._known(name))
        membership = Membership(who, profile, (*others, grant))
        self._loop.call(give(self._store, self._project, membership))
        return membership

    @administers("policy take", "policy", "who", "parameters")
    def take_policy(
        self, who: str, policy: str, *, parameters: Mapping[str, str] | None = None
    ) -> Membership:
        """Take a policy from somebody; who has none left may do nothing.

        For example: ``tw.take_policy(f"ClientApplication/{client.client_id}", "participant")``.
        With ``parameters`` only the grant with these is taken. Raises ``LookupError`` where they
        do not have it.
        """
        from threadwell.access.memberships import Membership, find_membership
        from threadwell.api.clients import give

        id_ = self._policy(policy)
        had = self._loop.call(find_membership(self._store, self._project, who))
        given = had.grants if had is not None else ()
        left = tuple(
            one
            for one in given
            if one.policy != id_ or parameters not in (None, {}, one.parameters)
        )
        if had is None or len(left) == len(given):
            raise LookupError(f"{who} does not have the policy {policy}")
        membership = Membership(who, had.profile, left)
        self._loop.call(give(self._store, self._project, membership))
        return membership

    @administers("policy free", "who")
    def free_of_policies(self, who: str) -> bool:
        """Let somebody do everything; ``False`` where they may already.

        For example: ``tw.free_of_policies(f"ClientApplication/{client.client_id}")``.
        """
        from threadwell.api.clients import free

        return self._loop.call(free(self._store, self._project, who))

    def memberships(self) -> list[Membership]:
        """Who has which policies: ``[(m.who, m.grants) for m in tw.memberships()]``."""
        from threadwell.access.memberships import memberships

        return self._loop.call(memberships(self._store, self._project))

    def holding(self) -> list[tuple[Membership, tuple[Held, ...]]]:
        """What everybody's grants are today: from when and until when they hold by an age.

        For example: ``[(m.who, [h.holds for h in held]) for m, held in tw.holding()]``.
        """
        from threadwell.access.memberships import what_holds

        return [
            (one, self._loop.call(what_holds(self._store, self._project, one, now_ms())).grants)
            for one in self.memberships()
        ]

    def of_age(self, years: int | None = None) -> int:
        """The age in years from which patients are asked themselves, 0 where none is chosen.

        For example: ``tw.of_age(16)`` chooses it, and ``tw.of_age(0)`` none any more. Those who
        stand for a patient see nothing of theirs from that day on. Raises ``BadAge`` (a
        ``ValueError``) for less than 1 and more than 25.
        """
        from threadwell.access.grants import chosen_age

        if years is not None:
            self._choose_age(years)
        return self._loop.call(chosen_age(self._store, self._project))

    @administers("policy age", "years")
    def _choose_age(self, years: int) -> None:
        from threadwell.api.clients import choose_age

        self._loop.call(choose_age(self._store, self._project, years))

    async def _known(self, name: str) -> None:
        """Refuse whom the store does not know: a slip of the hand would show nobody anything."""
        from threadwell.access.reading import BadPolicy
        from threadwell.intake.links import as_key

        if name.startswith(_CLIENT):
            return
        key = as_key(name)
        if key.type not in RESOURCE_TYPES or not is_id(key.id):
            raise BadPolicy(f"{name!r} names nobody: give Practitioner/… or another reference")
        stored = await self._store.read(self._project, *key)
        if stored is None or stored.deleted:
            raise BadPolicy(f"there is no {name} in the store")

    def _policy(self, name: str) -> str:
        from threadwell.access.roles import ROLES

        found = [one for one in self.policies() if name in (one["id"], one["name"])]
        if not found and name in ROLES:
            kept = f"`threadwell policy set {name}` keeps the ready-made one"
            raise LookupError(f"there is no policy {name!r} yet: {kept}")
        if not found:
            raise LookupError(f"there is no policy {name!r}")
        if len(found) > 1:
            raise LookupError(f"{len(found)} policies are called {name!r}: give the id")
        return str(found[0]["id"])


def _which(grant: Grant) -> tuple[str, dict[str, str]]:
    """By what a grant is told from the others of somebody."""
    return grant.policy, grant.parameters
