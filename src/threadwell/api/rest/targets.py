"""Which resource each entry of a transaction is about, before anything is decided.

Deletions come first (FHIR R4 §3.1.0.11.2): no condition of another entry finds what they delete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from threadwell.api.context import Context
from threadwell.api.rest.conditional import condition, condition_of_create
from threadwell.api.rest.entries import Entry, within
from threadwell.api.rest.update import may_create
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import FhirError, invalid, multiple_matches, not_found
from threadwell.fhir.search.query import IdFilter, Query
from threadwell.fhir.stamp import new_id
from threadwell.stores.aside import Pauses
from threadwell.stores.contract import Key, Stored


@dataclass(frozen=True, slots=True)
class Target:
    """The resource of an entry; ``current`` is ``None`` where the entry would make it.

    ``unmatched`` is the condition that found nothing. ``repeats`` marks a create under the same
    condition as one before it: it finds what that one makes. ``id`` is ``""`` for a delete that
    selects nothing. ``version_id`` is that of the version that will be current afterwards, if the
    entry writes one.
    """

    entry: Entry
    type: str
    id: str
    current: Stored | None = None
    unmatched: Query | None = None
    repeats: bool = False
    version_id: str = ""

    @property
    def key(self) -> Key:
        """The name of the resource."""
        return Key(self.type, self.id)

    @property
    def finds(self) -> bool:
        """Is it a create whose condition found what is there, so that nothing is written?"""
        return self.entry.request.method == "POST" and self.current is not None


async def find_targets(context: Context, entries: Sequence[Entry]) -> list[Target]:
    """The target of each entry; raises ``FhirError`` where an entry has none it may have.

    No two entries may write the same resource (400).
    """
    now = context.clock()
    # In the order of the entries, as ids tell the order of creation.
    fresh = dict(zip([e.index for e in entries], sorted(new_id(now) for _ in entries), strict=True))
    found: dict[int, Target] = {}
    deletions = _Search(context, frozenset())
    for entry in entries:
        if entry.request.method == "DELETE":
            found[entry.index] = await deletions.target(entry, "")
    gone = frozenset(target.key for target in found.values() if target.id)
    others = _Search(context, gone)
    pauses = Pauses()
    for entry in entries:
        await pauses.pause()
        if entry.request.method != "DELETE":
            found[entry.index] = await others.target(entry, fresh[entry.index])
    targets = [found[entry.index] for entry in entries]
    named = [t.key for t in targets if t.id and t.current is None and t.unmatched is None]
    stored = await context.view.read_many(context.project, named)
    targets = [_with_current(t, stored.get(t.key), now) for t in targets]
    makes = any(map(_is_update_of_none, targets)) and await may_create(context)
    _check(targets, makes=makes)
    return targets


class _Search:
    """Finds targets in a store that is without what is ``gone``."""

    def __init__(self, context: Context, gone: frozenset[Key]) -> None:
        self._context = context
        self._gone = gone
        self._conditions: dict[Query, Target] = {}

    async def target(self, entry: Entry, fresh: str) -> Target:
        """The target of an entry; ``fresh`` is its id where it is new."""
        try:
            return await self._target(entry, fresh)
        except FhirError as error:
            raise within(entry, error) from None

    async def _target(self, entry: Entry, fresh: str) -> Target:
        method, path, query = entry.request.method, entry.request.path, entry.request.query
        type_, slash, given_id = path.partition("/")
        names_one = bool(given_id) and "/" not in given_id and not given_id.startswith(("$", "_"))
        fits = not slash if method == "POST" else names_one or (not slash and bool(query))
        if type_ not in RESOURCE_TYPES or not fits:
            raise invalid(f"A transaction cannot {method} this url")
        if given_id:
            return Target(entry, type_, given_id)
        if method == "POST":
            exists = condition_of_create(type_, entry.request)
            if exists is None:
                return Target(entry, type_, fresh)
            query = exists
        asked = condition(self._context, type_, query)
        before = self._conditions.get(asked)
        if before and before.id:
            repeats = before.current is None and method == before.entry.request.method == "POST"
            return replace(before, entry=entry, repeats=repeats)
        target = await self._select(entry, type_, asked, fresh)
        self._conditions[asked] = target
        return target

    async def _select(self, entry: Entry, type_: str, asked: Query, fresh: str) -> Target:
        gone = [key.id for key in self._gone if key.type == type_]
        wider = replace(asked, count=asked.count + len(gone))
        page = await self._context.view.search(self._context.project, wider)
        found = [match for match in page.matches if match.id not in gone]
        if len(found) > 1:
            raise multiple_matches()
        if found:
            return Target(entry, type_, found[0].id, found[0])
        if entry.request.method == "DELETE":
            return Target(entry, type_, "")
        if entry.request.method == "PATCH":
            raise not_found()
        hidden = [match.id for match in page.matches]
        return Target(entry, type_, fresh, None, _without(asked, hidden))


def _without(query: Query, ids: Sequence[str]) -> Query:
    """The query, but for those resources: what guards a condition looks at the store as it is
    before they are deleted.
    """
    if not ids:
        return query
    return replace(query, filters=(*query.filters, IdFilter(tuple(ids), negate=True)))


def _with_current(target: Target, stored: Stored | None, now: int) -> Target:
    current = target.current or stored
    if target.entry.request.method == "POST" and current:
        return replace(target, current=current, version_id=current.version_id)
    after = max(now, current.updated) if current else now
    return replace(target, current=current, version_id=new_id(after))


def _is_update_of_none(target: Target) -> bool:
    is_update = target.entry.request.method == "PUT" and bool(target.id)
    return is_update and target.current is None and target.unmatched is None


def _check(targets: Sequence[Target], *, makes: bool) -> None:
    """``makes``: an update of what never was makes it."""
    written: set[Key] = set()
    for target in targets:
        if not target.id or target.repeats or target.finds:
            continue
        if target.key in written:
            raise within(target.entry, invalid("The transaction writes this resource twice"))
        written.add(target.key)
        method = target.entry.request.method
        is_none = method != "POST" and target.current is None and target.unmatched is None
        if is_none and not (makes and _is_update_of_none(target)):
            raise within(target.entry, not_found())
