"""Which resource each entry of a transaction is about, before anything is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from threadwell.api.context import Context
from threadwell.api.rest.conditional import condition, select_by
from threadwell.api.rest.entries import Entry, within
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import FhirError, invalid, not_found
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id
from threadwell.stores.contract import Key, Stored


@dataclass(frozen=True, slots=True)
class Target:
    """The resource of an entry; ``current`` is ``None`` where the entry would make it.

    ``unmatched`` is the condition that found nothing. ``repeats`` marks a create under the same
    condition as one before it: it finds what that one makes. ``id`` is ``""`` for a delete that
    selects nothing.
    """

    entry: Entry
    type: str
    id: str
    current: Stored | None = None
    unmatched: Query | None = None
    repeats: bool = False

    @property
    def key(self) -> Key:
        """The name of the resource."""
        return Key(self.type, self.id)


async def find_targets(context: Context, entries: Sequence[Entry]) -> list[Target]:
    """The target of each entry; raises ``FhirError`` where an entry has none it may have.

    No two entries may write the same resource, nor may one find what another deletes (400).
    """
    now = context.clock()
    # In the order of the entries, as ids tell the order of creation.
    fresh = sorted(new_id(now) for _ in entries)
    conditions: dict[Query, Target] = {}
    targets: list[Target] = []
    for entry, id_ in zip(entries, fresh, strict=True):
        try:
            target = await _target(context, entry, id_, conditions)
        except FhirError as error:
            raise within(entry, error) from None
        targets.append(target)
    named = [t.key for t in targets if t.id and t.current is None and t.unmatched is None]
    current = await context.store.read_many(context.project, named)
    targets = [replace(t, current=t.current or current.get(t.key)) for t in targets]
    _check(targets)
    return targets


async def _target(
    context: Context, entry: Entry, id_: str, conditions: dict[Query, Target]
) -> Target:
    method, path, query = entry.request.method, entry.request.path, entry.request.query
    type_, slash, given_id = path.partition("/")
    names_one = bool(given_id) and "/" not in given_id and not given_id.startswith(("$", "_"))
    fits = not slash if method == "POST" else names_one or (not slash and bool(query))
    if type_ not in RESOURCE_TYPES or not fits:
        raise invalid(f"A transaction cannot {method} this url")
    if given_id:
        return Target(entry, type_, given_id)
    if method == "POST":
        query = entry.request.headers.get(b"if-none-exist", b"").decode(errors="replace")
        if not query:
            return Target(entry, type_, id_)
    asked = condition(context, type_, query)
    before = conditions.get(asked)
    if before and before.id:
        repeats = before.current is None and method == before.entry.request.method == "POST"
        return replace(before, entry=entry, repeats=repeats)
    selected = await select_by(context, asked)
    if selected.match:
        target = Target(entry, type_, selected.match.id, selected.match)
    elif method == "DELETE":
        target = Target(entry, type_, "")
    elif method == "PATCH":
        raise not_found()
    else:
        target = Target(entry, type_, id_, None, selected.query)
    conditions[asked] = target
    return target


def _check(targets: Sequence[Target]) -> None:
    written: set[Key] = set()
    deleted = {t.key for t in targets if t.entry.request.method == "DELETE" and t.id}
    for target in targets:
        method = target.entry.request.method
        if not target.id or target.repeats:
            continue
        if method == "POST" and target.current:
            if target.key in deleted:
                raise within(target.entry, invalid("The transaction deletes what this finds"))
            continue
        if target.key in written:
            raise within(target.entry, invalid("The transaction writes this resource twice"))
        written.add(target.key)
        if method != "POST" and target.current is None and target.unmatched is None:
            raise within(target.entry, not_found())
