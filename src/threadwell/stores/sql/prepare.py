"""What a change set changes in the index: worked out before the writer's turn."""

from __future__ import annotations

from dataclasses import dataclass

from threadwell.stores.contract import ChangeSet, Write
from threadwell.stores.sql.entries import Entries, difference, entries
from threadwell.stores.sql.keys import Keys


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change set with what each of its writes removes from the index and adds to it."""

    project: str
    change_set: ChangeSet
    removed: tuple[Entries, ...]
    added: tuple[Entries, ...]

    @property
    def size(self) -> int:
        """How many resources and private values it writes."""
        return len(self.added) + len(self.change_set.kept)


_NONE = Entries()


def check_once(change_set: ChangeSet) -> None:
    """Raise ``ValueError`` where a change set writes a resource or a private value twice."""
    written = {(write.type, write.id) for write in change_set.writes}
    if len(written) < len(change_set.writes):
        raise ValueError("a change set writes a resource at most once")
    kept = {(one.kind, one.name) for one in change_set.kept}
    if len(kept) < len(change_set.kept):
        raise ValueError("a change set writes a private value at most once")


def size_of(change_set: ChangeSet) -> int:
    """Bytes of JSON that ``prepare`` looks through."""
    return sum([len(w.body) + (len(w.before.body) if w.before else 0) for w in change_set.writes])


def prepare(keys: Keys, project: str, change_set: ChangeSet) -> Prepared:
    """The change set with only those entries that differ between each version and the next."""
    check_once(change_set)
    pairs = [_difference(keys, project, write) for write in change_set.writes]
    removed = tuple(before for before, _ in pairs)
    return Prepared(project, change_set, removed, tuple(after for _, after in pairs))


def _difference(keys: Keys, project: str, write: Write) -> tuple[Entries, Entries]:
    after = entries(keys, project, write.resource, write.updated) if write.resource else _NONE
    before = write.before
    if before is None or before.deleted:
        return _NONE, after
    return difference(keys, project, before.body, before.updated, after)
