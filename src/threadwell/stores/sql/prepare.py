"""What a change set changes in the index: worked out before the writer's turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from threadwell.fhir.json import decode
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


#: The secret of the keys, the bases that are ours, and the project.
_Basis: TypeAlias = tuple[bytes, frozenset[str], str]


class Worked(NamedTuple):
    """What a write removes from the index and adds to it, and what that hangs on."""

    basis: _Basis
    removed: Entries
    added: Entries


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
    basis = _basis(keys, project)
    pairs = [_difference(keys, project, write, basis) for write in change_set.writes]
    removed = tuple(before for before, _ in pairs)
    return Prepared(project, change_set, removed, tuple(after for _, after in pairs))


def work_out(keys: Keys, project: str, writes: Sequence[Write]) -> list[Worked]:
    """What each write changes in the index, to go with it as ``Write.worked``."""
    basis = _basis(keys, project)
    return [Worked(basis, *_difference(keys, project, one, basis)) for one in writes]


def _difference(keys: Keys, project: str, write: Write, basis: _Basis) -> tuple[Entries, Entries]:
    resource = write.resource
    if isinstance(write.worked, Worked):
        if write.worked.basis == basis:
            return write.worked.removed, write.worked.added
        # Another base is known as ours since.
        resource = decode(write.body) if resource is not None else None
    after = entries(keys, project, resource, write.updated) if resource else _NONE
    before = write.before
    if before is None or before.deleted:
        return _NONE, after
    return difference(keys, project, before.body, before.updated, after)


def _basis(keys: Keys, project: str) -> _Basis:
    return keys.secret, keys.bases.own, project
