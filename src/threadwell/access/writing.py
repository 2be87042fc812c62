"""What a caller may write: the resource must be theirs before, and what becomes of it as well.

Also nobody may refer to what they do not see. Who may see a thing often follows from what refers to
it: without this, one could make a message about another's session, and so be let in to it. What is
not there and what is hidden are refused alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from msgspec import structs

from threadwell.access.fields import differing
from threadwell.access.holding import Seen, all_hold
from threadwell.access.links import links
from threadwell.access.meaning import check_meaning
from threadwell.access.policy import Entry, Interaction, common
from threadwell.access.refusing import forbidden
from threadwell.access.searching import limited
from threadwell.access.sight import Sight
from threadwell.access.standing import defines_own
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.defining import TYPE as SEARCH_PARAMETER
from threadwell.fhir.search.query import Filter
from threadwell.stores.contract import ChangeSet, Conflict, Key, Store, Stored, Unmatched, Write

#: Rounds in which what is refused is looked for, each without what the one before has refused.
_ROUNDS = 5


class Writing:
    """The check of one change set."""

    def __init__(self, view: Sight, store: Store, project: str) -> None:
        self._view = view
        self._store = store
        self._project = project
        self._pending: dict[Key, Seen | None] = {}

    async def checked(self, change_set: ChangeSet) -> ChangeSet:
        """The change set as it is to be committed; raises ``FhirError`` and ``Conflict``."""
        if change_set.kept:
            raise forbidden()
        self._pend(change_set.writes)
        writes = [await self._write(write) for write in change_set.writes]
        unmatched = [
            Unmatched(await limited(self._view, one.query)) for one in change_set.unmatched
        ]
        return replace(change_set, writes=tuple(writes), unmatched=tuple(unmatched))

    async def sort_out(
        self, writes: Sequence[Write]
    ) -> tuple[list[Write], list[tuple[Write, FhirError]]]:
        """Those that may be written together, and the others with the reason.

        What refers to one that is refused is refused as well, and so on; after some rounds each
        is looked at as if it were written alone. Raises ``Conflict``.
        """
        waiting, refused = list(writes), list[tuple[Write, FhirError]]()
        for round_ in range(_ROUNDS + 1):
            together, fit = waiting, list[Write]()
            waiting = []
            self._pend(together)
            for write in together:
                if round_ == _ROUNDS:
                    self._pend([write])
                try:
                    fit.append(await self._write(write))
                except FhirError as error:
                    refused.append((write, error))
                else:
                    waiting.append(write)
            if len(fit) == len(together):
                break
        return fit, refused

    def _pend(self, writes: Sequence[Write]) -> None:
        self._pending = {
            Key(write.type, write.id): None
            if write.resource is None
            else Seen(write.type, write.id, write.updated, write.resource, self._bases)
            for write in writes
        }

    async def check_update(self, before: Stored) -> list[Entry]:
        """The entries by which that may be changed; raises 403 if there are none."""
        entries = await self._view.entries(before, Interaction.UPDATE)
        if not entries:
            raise forbidden()
        return entries

    async def check_create(self, resource: Resource, id_: str = "") -> None:
        """Raise 403 unless such a resource may be made."""
        of = Seen(resource["resourceType"], id_, 0, resource, self._bases)
        await self._after(of, resource, Interaction.CREATE)

    async def check_links(self, value: Any, before: Any) -> None:
        """Raise 400 where a value refers to what the caller does not see, and ``before`` did not.

        What is written together may refer to each other.
        """
        had = {key for key, _ in links(before, self._bases)}
        fresh = {key: path for key, path in links(value, self._bases) if key not in had}
        policy = self._view.policy
        asked = [
            key
            for key in fresh
            if not policy.knows(f"{key.type}/{key.id}")
            and self._pending.get(key) is None
            and any(entry.filters for entry in policy.of(key.type, Interaction.READ))
        ]
        unseen = [key for key in fresh if not policy.of(key.type, Interaction.READ)]
        unseen = [
            key
            for key in unseen
            if not policy.knows(f"{key.type}/{key.id}") and self._pending.get(key) is None
        ]
        found = await self._view.read_many(self._project, asked)
        unseen += [key for key in asked if key not in found]
        if unseen:
            key = unseen[0]
            text = f"There is no such {key.type} that you may refer to"
            raise FhirError(400, [Issue("not-found", text, fresh[key])])

    async def current(self, keys: Sequence[Key]) -> Mapping[Key, Seen]:
        """What links lead to when this is written (``holding.Around``)."""
        others = [key for key in keys if key not in self._pending]
        found = dict(await self._view.current(others)) if others else {}
        for key in keys:
            one = self._pending.get(key)
            if one is not None:
                found[key] = one
        return found

    async def refers(self, type_: str, param: str, to: Seen, filter_: Filter) -> bool:
        """Whether anything refers to it when this is written (``holding.Around``)."""
        me = Key(to.type, to.id)
        pending = [one for one in self._pending.values() if one is not None and one.type == type_]
        for one in pending:
            if me in one.links(param) and await all_hold((filter_,), one, self):
                return True
        return await self._view.refers(type_, param, to, filter_)

    @property
    def _bases(self) -> frozenset[str]:
        return self._view.bases

    async def _write(self, write: Write) -> Write:
        key = Key(write.type, write.id)
        before = write.before
        if before is not None:
            # What was shown may lack what is hidden: the index is kept by what was stored.
            before = await self._store.read(self._project, *key)
            if before is None or before.version_id != write.before.version_id:  # type: ignore[union-attr]
                raise Conflict(key)
            write = structs.replace(write, before=before)
        is_there = before is not None and not before.deleted
        resource = write.resource
        if write.type == SEARCH_PARAMETER:
            await check_meaning(self._store, self._project, (write,))
            self._check_meaning(resource)
            self._check_meaning(decode(before.body) if before is not None and is_there else None)
        if before is not None and is_there:
            if resource is None:
                if not await self._view.entries(before, Interaction.DELETE):
                    raise forbidden()
                return write
            entries = await self.check_update(before)
            was: Resource = decode(before.body)
            hidden = common(e.hidden for e in await self._view.entries(before, Interaction.READ))
            changed = differing(resource, was, hidden | common(entry.fixed for entry in entries))
            if changed:
                raise forbidden(f"{write.type}.{changed} is not yours to change")
            of = Seen(write.type, write.id, write.updated, resource, self._bases)
            await self._after(of, resource, Interaction.UPDATE)
            await self.check_links(resource, was)
        elif resource is not None:
            of = Seen(write.type, write.id, write.updated, resource, self._bases)
            await self._after(of, resource, Interaction.CREATE)
            await self.check_links(resource, None)
        return write

    def _check_meaning(self, definition: Resource | None) -> None:
        """Nobody says what the criteria mean by which they are limited."""
        if definition is not None and defines_own(self._view.policy, definition):
            raise forbidden("A policy of yours asks by that parameter")

    async def _after(self, of: Seen, resource: Resource, interaction: Interaction) -> None:
        """What is written must be the caller's, by an entry that lets them write it."""
        matching = [
            entry
            for entry in self._view.policy.of(of.type, interaction)
            if await all_hold(entry.filters, of, self)
        ]
        if not matching:
            raise forbidden()
        if interaction is Interaction.CREATE:
            fixed = common(entry.fixed for entry in matching)
            changed = differing(resource, {}, fixed)
            if changed:
                raise forbidden(f"{of.type}.{changed} is not yours to write")
