"""Who has seen and changed what, as plain method calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from threadwell.audit.events import event, events, parse_id
from threadwell.audit.finding import Wanted, check_act, find, find_line
from threadwell.audit.keeping import keep_for, prune, retention
from threadwell.audit.verifying import parse_anchor, verify
from threadwell.facade.verbs import Verbs
from threadwell.fhir.resource import Resource

if TYPE_CHECKING:
    from threadwell.audit.chain import Head
    from threadwell.audit.keeping import Pruned
    from threadwell.audit.record import Line
    from threadwell.audit.verifying import Verdict

#: Lines that are asked for at once.
_AT_ONCE = 200


class Auditing(Verbs):
    """The audit trail: looked through, verified, exported and pruned."""

    def audit_events(
        self,
        *,
        patient: str = "",
        who: str = "",
        entity: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        act: str = "",
        broken_glass: bool = False,
        refused: bool = False,
    ) -> Iterator[Resource]:
        """The AuditEvents that match, newest first, read as they are needed.

        ``patient`` is a Patient, ``who`` a person or client, ``entity`` any resource, each by its
        reference: ``for event in tw.audit_events(patient="Patient/123"): …``. ``act`` is an
        interaction (``read``, ``search``, ``create`` …), a word of ours (``login``, ``page`` …) or
        an operation (``$everything``); ``ValueError`` for what is none. ``broken_glass`` are those
        beyond a policy, ``refused`` those that were not allowed: 401, 403, and 404 of what a policy
        hides. To look at the trail is recorded in it.
        """
        if act:
            check_act(act)
        wanted = Wanted(
            patient=patient.rpartition("/")[2],
            who=who,
            entity=entity,
            since=_ms(since) if since else 0,
            until=_ms(until) if until else 2**53,
            act=act,
            broken_glass=broken_glass,
            refused=refused,
        )
        return self._events(wanted)

    def _events(self, wanted: Wanted) -> Iterator[Resource]:
        self._trail.event(self._project, "audit list", self._trail.by)
        walk = find(self._trail, self._project, wanted)
        try:
            while lines := self._loop.call(_some(walk)):
                for line in lines:
                    for one in events(line):
                        if not wanted.patient or _is_about(one, wanted.patient):
                            yield one
        finally:
            self._loop.call(_ended(walk))

    def audit_event(self, id_: str) -> Resource:
        """One of them by its id: ``tw.audit_event("audit.12.1")``. Raises ``LookupError``."""
        named = parse_id(id_)
        line = self._loop.call(find_line(self._trail, self._project, named.line)) if named else None
        found = event(line, named.part) if line and named else None
        if found is None:
            raise LookupError(f"there is no event {id_} in the trail")
        self._trail.event(self._project, "audit show", self._trail.by, asked=id_)
        return found

    def audit_head(self) -> str:
        """The end of the chain, to be noted elsewhere: ``LINES:HASH``."""
        head = self._loop.call(self._chained())
        return f"{head.lines}:{head.hash}"

    def verify_audit(self, anchor: str = "") -> Verdict:
        """Look at every line of the chain: ``assert not tw.verify_audit().problem``.

        ``anchor`` is a head that was noted earlier. Raises ``ValueError`` for what is none.
        """
        known = parse_anchor(anchor) if anchor else None
        self._loop.call(self._chained())
        return self._loop.call(verify(self._trail.whole, self._project, known))

    def audit_retention(self) -> int:
        """The days that the trail is kept, 0 for ever: ``tw.audit_retention()``."""
        return self._loop.call(retention(self._trail, self._project))

    def keep_audit_for(self, days: int) -> None:
        """Keep the trail for so many days (0 for ever): ``tw.keep_audit_for(6 * 365)``."""
        self._loop.call(keep_for(self._trail, self._project, days, self._trail.by))

    def prune_audit(self, days: int | None = None) -> Pruned:
        """Remove what is older than the retention, or than ``days``: ``tw.prune_audit()``."""
        return self._loop.call(prune(self._trail, self._project, self._trail.by, days))

    async def _chained(self) -> Head:
        await self._trail.drain()
        return await self._trail.head(self._project)


async def _some(walk: AsyncGenerator[Line, None]) -> list[Line]:
    found: list[Line] = []
    async for line in walk:
        found.append(line)
        if len(found) == _AT_ONCE:
            break
    return found


async def _ended(walk: AsyncGenerator[Line, None]) -> None:
    await walk.aclose()


def _is_about(found: Resource, patient: str) -> bool:
    entities = found.get("entity", ())
    return any((e.get("what") or {}).get("reference") == f"Patient/{patient}" for e in entities)


def _ms(when: datetime) -> int:
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return int(when.timestamp() * 1000)
