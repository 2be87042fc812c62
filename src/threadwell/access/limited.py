"""The view of a caller with a policy: what is hidden from them looks like what never was.

One place for every way to data. What is read is looked at (``_see``), what is searched for is asked
with the policy's criteria in the query (``searching``), and what is written is checked before and
after (``writing``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from threadwell.access.fields import alternatives, put_back
from threadwell.access.holding import Seen, all_hold, seen
from threadwell.access.policy import Entry, Interaction, Policy, Sight, common
from threadwell.access.refusing import forbidden
from threadwell.access.searching import searched
from threadwell.access.shortened import all_shortened, shortened
from threadwell.access.standing import under
from threadwell.access.writing import Writing
from threadwell.fhir.authors import whose
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, not_found
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import catalogue_of
from threadwell.fhir.search.query import Filter, Query, ReferenceFilter, parts_of
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.stores.contract import (
    ALWAYS,
    Change,
    ChangeSet,
    Key,
    Page,
    Span,
    Store,
    Stored,
    Write,
)

#: What each interaction of the API needs to be allowed of a type.
NEEDS = {
    "read": Interaction.READ,
    "vread": Interaction.VREAD,
    "history": Interaction.HISTORY,
    "search": Interaction.SEARCH,
    "create": Interaction.CREATE,
    "update": Interaction.UPDATE,
    "patch": Interaction.UPDATE,
    "delete": Interaction.DELETE,
    "operation": Interaction.READ,
}
#: Versions of one resource that are looked at together.
_PART = 100
#: Resources that are looked at one by one.
_FEW = 4
#: Verdicts that are remembered of a policy at a time.
_MOST = 50_000
#: What is hidden of a version that is shown whole.
_NOTHING = frozenset[str]()


class Limited:
    """A ``View`` through a policy; ``bases`` are those of the FHIR API."""

    def __init__(self, store: Store, project: str, policy: Policy, bases: frozenset[str]) -> None:
        self._store = store
        self._project = project
        # It may have been compiled by other search parameters than there are now.
        self.policy = under(policy, catalogue_of(bases))
        self.bases = bases
        # Most requests ask these, and some nothing else.
        self._read = store.read
        self._moment = store.moment
        self._sights = self.policy.sights[Interaction.READ]
        self._hides: dict[str, bool] = {}

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        """The current version, if it may be read; of what is gone only what has no criteria."""
        stored = await self._read(project, type_, id_)
        if stored is None:
            return None
        known = self._sights.get(stored[:3])
        # The store has looked a moment ago: to ask it anew would cost as much as the read.
        if known is not None and (
            (moment := known[1]) is None or moment == self._moment(just_read=True)
        ):
            hidden = known[0]
            return hidden if hidden is None else shortened(stored, hidden)
        return await self.see(stored, Interaction.READ, just_read=True)

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Those that may be read."""
        found = await self._store.read_many(project, keys)
        shown = {
            key: await self.see(one, Interaction.READ, just_read=True) for key, one in found.items()
        }
        return {key: one for key, one in shown.items() if one is not None}

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        """That version, if both it and the current one may be seen."""
        current = await self._store.read(project, type_, id_)
        if await self.see(current, Interaction.VREAD, just_read=True) is None:
            return None
        version = await self._store.read_version(project, type_, id_, version_id)
        return await self.see(version, Interaction.VREAD, just_read=True)

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        """The versions that may be seen, if the current one may: what is hidden now was never."""
        entries = self.policy.of(type_, Interaction.HISTORY)
        current = await self._store.read(project, type_, id_)
        if await self.see(current, Interaction.HISTORY, just_read=True) is None:
            return [], 0
        if any(not entry.filters for entry in entries):
            some, total = await self._store.history(project, type_, id_, count, offset)
            shown = [await self.see(one, Interaction.HISTORY, just_read=True) for one in some]
            return [one for one in shown if one is not None], total
        found: list[Stored] = []
        at, total = 0, 1
        while at < total:
            some, total = await self._store.history(project, type_, id_, _PART, at)
            shown = [await self.see(one, Interaction.HISTORY, just_read=True) for one in some]
            found += [one for one in shown if one is not None]
            at += _PART
        return found[offset : offset + count], len(found)

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        """The changes that may be seen, of what may be seen as it is now."""
        allowed = [
            type_
            for type_ in (types or self.policy.entries)
            if self.policy.of(type_, Interaction.HISTORY)
        ]
        found: list[Change] = []
        while allowed and len(found) < count:
            some = await self._store.recent(project, allowed, before, _PART, span)
            keys = [Key(one.stored.type, one.stored.id) for one in some]
            current = await self._store.read_many(project, keys)
            seen_now = {
                key: await self.see(one, Interaction.HISTORY, just_read=True) is not None
                for key, one in current.items()
            }
            for key, change in zip(keys, some, strict=True):
                shown = (
                    await self.see(change.stored, Interaction.HISTORY, just_read=True)
                    if seen_now.get(key)
                    else None
                )
                if shown is not None:
                    found.append(replace(change, stored=shown))
            if len(some) < _PART:
                break
            before = some[-1].position
        return found[:count]

    async def content(self, project: str, id_: str, version_id: str) -> bytes | None:
        """The bytes of a version of a Binary that may be seen."""
        current = await self._store.read(project, "Binary", id_)
        if await self.see(current, Interaction.READ, just_read=True) is None:
            return None
        return await self._store.content(project, id_, version_id)

    async def search(self, project: str, query: Query) -> Page:
        """The page of what may be seen: matches, what they include, totals, and their order."""
        return await searched(self, self._store, project, query)

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        """Write what may be written, or nothing."""
        checked = await Writing(self, self._store, project).checked(change_set)
        await self._store.commit(project, checked)

    async def sort_out(
        self, project: str, writes: Sequence[Write]
    ) -> tuple[list[Write], list[tuple[Write, FhirError]]]:
        """Those that may be written together, and the others with the reason."""
        return await Writing(self, self._store, project).sort_out(writes)

    def knows(self, reference: str) -> bool:
        """Themselves, for one."""
        return self.policy.knows(reference)

    def hides(self, type_: str) -> bool:
        """Whether any entry hides elements."""
        known = self._hides.get(type_)
        if known is None:
            known = any(entry.hidden for entry in self.policy.entries.get(type_, ()))
            self._hides[type_] = known
        return known

    def check(self, type_: str, interaction: str) -> None:
        """403 for what no entry of the type allows."""
        needed = NEEDS.get(interaction)
        if type_ and needed and not self.policy.of(type_, needed):
            raise forbidden()

    async def acting(
        self, on: Key | None, said: bytes = b"", writes: Resource | None = None
    ) -> Store:
        """The store, where what the act is on, names and writes are the caller's."""
        writing = Writing(self, self._store, self._project)
        if on is not None:
            stored = await self._store.read(self._project, *on)
            if await self.see(stored, Interaction.READ, just_read=True) is None:
                raise not_found()
            if writes is None and stored is not None:
                await writing.check_update(stored)
        if writes is not None:
            await writing.check_create(writes)
        if said:
            await writing.check_links(decode(said), None)
        return self._store

    async def shown(self, stored: Stored) -> Stored:
        """What was written, without what is hidden; who may not read what they write sees that."""
        found = await self.see(stored, Interaction.READ)
        if found is not None or not stored.body:
            return found or stored
        of_type = self.policy.entries.get(stored.type, ())
        return shortened(stored, _NOTHING.union(*[entry.hidden for entry in of_type]))

    def keeps(self, type_: str) -> bool:
        """Whether any entry hides elements, or fixes them."""
        return any(one.hidden or one.fixed for one in self.policy.entries.get(type_, ()))

    async def keep(self, resource: Resource, current: Stored) -> frozenset[str]:
        """Put what is hidden or fixed back as it is in the store; the paths that are hidden."""
        if not self.keeps(current.type):
            return frozenset()
        real = await self._store.read(self._project, current.type, current.id)
        if real is None or real.deleted:
            return frozenset()
        entries = await self.entries(real, Interaction.UPDATE)
        hidden = common(one.hidden for one in await self.entries(real, Interaction.READ))
        fixed = hidden | common(entry.fixed for entry in entries)
        if fixed:
            put_back(resource, decode(real.body), fixed | alternatives(current.type, hidden))
        return hidden

    async def see(
        self, stored: Stored | None, interaction: Interaction, *, just_read: bool = False
    ) -> Stored | None:
        """A version as the caller sees it; ``None`` if they do not.

        ``just_read``: the store has told of it, or of the current one, for this request.
        """
        if stored is None:
            return None
        sights, place = self.policy.sights[interaction], stored[:3]
        known = sights.get(place)
        if known is not None and (
            known.moment is None or known.moment == self._moment(just_read=just_read)
        ):
            hidden = known.hidden
            return None if hidden is None else shortened(stored, hidden)
        # What looks at nothing else asks the store for nothing, as if there were nothing to see.
        of_type = self.policy.of(stored.type, interaction)
        alone = stored.deleted or all(entry.alone for entry in of_type)
        moment = None if alone else self._moment(just_read=just_read)
        hidden, is_lasting = await self._see(stored, interaction)
        # Nothing was committed meanwhile, or nothing else was looked at.
        if is_lasting or (moment is not None and moment == self._moment(just_read=just_read)):
            if len(sights) >= _MOST:
                sights.clear()
            sights[place] = Sight(hidden, None if is_lasting else moment)
        return None if hidden is None else shortened(stored, hidden)

    async def see_all(
        self, type_: str, found: Sequence[Stored], interaction: Interaction
    ) -> list[Stored]:
        """Those versions of a type that the caller sees, each as they see it."""
        of_type = self.policy.of(type_, interaction)
        if of_type and not any(entry.filters for entry in of_type):
            # Of each the same is shown.
            return all_shortened(found, common([entry.hidden for entry in of_type]))
        each = [await self.see(one, interaction) for one in found]
        return [one for one in each if one is not None]

    async def _see(
        self, stored: Stored, interaction: Interaction
    ) -> tuple[frozenset[str] | None, bool]:
        """What is hidden of it, and whether that hangs on nothing but the version."""
        entries = self.policy.of(stored.type, interaction)
        if stored.deleted:
            # Whether what is gone would be theirs is not told any more.
            return (_NOTHING if any(not entry.filters for entry in entries) else None), True
        alone = all(entry.alone for entry in entries)
        if not any(entry.hidden for entry in entries):
            for entry in entries:
                if await self._matches(entry, stored):
                    return _NOTHING, entry.alone
            return (_NOTHING if entries and await self._is_own(stored) else None), alone
        found = [entry for entry in entries if await self._matches(entry, stored)]
        if not found:
            return (_NOTHING if await self._is_own(stored) else None), alone
        return common(entry.hidden for entry in found), alone

    async def entries(self, stored: Stored, interaction: Interaction) -> list[Entry]:
        """The entries that allow that of a version."""
        of_type = self.policy.of(stored.type, interaction)
        return [entry for entry in of_type if await self._matches(entry, stored)]

    async def all_hold(self, filters: Iterable[Filter], of: Seen) -> bool:
        """Whether the filters hold for a resource that may not be in the store yet."""
        return await all_hold(filters, of, self)

    async def current(self, keys: Sequence[Key]) -> Mapping[Key, Seen]:
        """What links lead to (``holding.Around``)."""
        if len(keys) > _FEW:
            found = await self._store.read_many(self._project, keys)
        else:
            # A store reads one at once, where it has to prepare for many.
            each = [(key, await self._store.read(self._project, *key)) for key in keys]
            found = {key: one for key, one in each if one is not None}
        return {key: seen(one, self.bases) for key, one in found.items() if not one.deleted}

    async def refers(self, type_: str, param: str, to: Seen, filter_: Filter) -> bool:
        """Whether anything refers to a resource (``holding.Around``)."""
        refers = ReferenceFilter(param, (ReferenceMatch(to.type, to.id, ""),))
        some = await self._store.search(self._project, Query(type_, (refers,), count=_FEW))
        if not some.more:
            # Mostly it is one: to look at that costs less than to search by more.
            for one in some.matches:
                if await self.all_hold((filter_,), seen(one, self.bases)):
                    return True
            return False
        query = Query(type_, (refers, *parts_of(filter_)), count=1)
        return bool((await self._store.search(self._project, query)).matches)

    async def _matches(self, entry: Entry, stored: Stored) -> bool:
        if not entry.filters:
            return True
        if not entry.alone:
            return await self.all_hold(entry.filters, seen(stored, self.bases))
        verdicts = self.policy.verdicts
        place = (entry, stored[:3])
        known = verdicts.get(place)
        if known is None:
            known = await self.all_hold(entry.filters, seen(stored, self.bases))
            if len(verdicts) >= _MOST:
                verdicts.clear()
            verdicts[place] = known
        return known

    async def _is_own(self, stored: Stored) -> bool:
        """Is it a file that the caller has brought? It is seen before a message has it."""
        if stored.type != "Binary" or not whose(stored.author) == self.policy.profile != "":
            return False
        return await self.all_hold(self.policy.bars, seen(stored, self.bases))
