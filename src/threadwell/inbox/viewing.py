"""What limits those who are signed in: their access policy, as it is now."""

from __future__ import annotations

from typing import NamedTuple

from threadwell.access.memberships import Policies
from threadwell.access.policy import Policy
from threadwell.fhir.json import decode
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.links import as_key, target
from threadwell.stores.contract import Store

_ROLE = "PractitionerRole"


class Limit(NamedTuple):
    """A policy, and the bases of the FHIR API under which references may be written."""

    policy: Policy
    bases: frozenset[str]


class Viewing:
    """The policies of the people of one project."""

    def __init__(self, store: Store, project: str, clock: Clock = now_ms) -> None:
        self._store = store
        self._project = project
        self._clock = clock
        self._policies = Policies(store, project)

    async def of(self, who: str) -> Limit | None:
        """What limits somebody (``Practitioner/…``); ``None`` where they may see everything.

        Whoever is signed in by a role of theirs is limited as the practitioner is, unless the role
        has policies of its own.
        """
        if not who:
            return None
        policies = self._policies
        bases = await self._store.home(self._project)
        found = await policies.of(who, self._clock())
        if found is None and (key := as_key(who)).type == _ROLE:
            stored = await self._store.read(self._project, *key)
            body = decode(stored.body) if stored is not None and not stored.deleted else {}
            if person := target(body, "practitioner"):
                found = await policies.of(person, self._clock())
        return None if found is None else Limit(found, bases)
