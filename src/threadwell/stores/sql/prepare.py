"""What a change set changes in the index: worked out before the writer's turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from threadwell.fhir.json import decode
from threadwell.fhir.search.catalogue import Home
from threadwell.fhir.search.defining import TYPE
from threadwell.stores.contract import ChangeSet, Kept, Stored, Whatever, Write
from threadwell.stores.parameters import Changing
from threadwell.stores.sql.entries import Entries, entries
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.shapes import shape_of
from threadwell.stores.sql.sheet import Basis, Marks, Sheet, marks_of, sheet_of
from threadwell.stores.sql.updates import changes


class Prepared(NamedTuple):
    """A change set with what each of its writes removes from the index and adds to it.

    It was made by the search parameters as they were at ``turn``, and ``changing`` changes them.
    The rest of what is added for new resources is in the ``sheet``, where there is one.
    """

    project: str
    change_set: ChangeSet
    removed: tuple[Entries, ...]
    added: tuple[Entries, ...]
    turn: int
    changing: Changing | None
    sheet: Sheet | None = None

    @property
    def size(self) -> int:
        """How many resources and private values it writes."""
        return len(self.added) + len(self.change_set.kept)


class Worked(NamedTuple):
    """What a write removes from the index and adds to it, and what that hangs on."""

    basis: Basis
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


def check_deleted(gone: Sequence[Stored], kept: Sequence[Kept]) -> None:
    """Raise ``ValueError`` unless all of these are deletions, each of another resource, and
    nothing is expected of the private values.
    """
    if not all(one.deleted for one in gone):
        raise ValueError("only what is deleted is expunged")
    if len({(one.type, one.id) for one in gone}) < len(gone):
        raise ValueError("a resource is expunged at most once")
    if not all(isinstance(one.before, Whatever) for one in kept):
        raise ValueError("what is expunged is, whatever private values there are")


def definitions(writes: Iterable[Write]) -> Changing | None:
    """How writes change the search parameters; ``None`` where they define none."""
    found = [(write.id, write.resource) for write in writes if write.type == TYPE]
    return (lambda parameters: parameters.redefined(found)) if found else None


def size_of(change_set: ChangeSet) -> int:
    """Bytes of JSON that ``prepare`` looks through."""
    unworked = [one for one in change_set.writes if one.worked is None]
    return sum([len(one.body) + (len(one.before.body) if one.before else 0) for one in unworked])


def prepare(keys: Keys, project: str, change_set: ChangeSet) -> Prepared:
    """The change set with only those entries that differ between each version and the next."""
    check_once(change_set)
    home = keys.bases.of(project)
    basis = _basis(keys, home, project)
    sheet = _usable(keys, change_set, basis)
    pairs = [_difference(keys, project, write, basis, home, sheet) for write in change_set.writes]
    removed = tuple(before for before, _ in pairs)
    added = tuple(after for _, after in pairs)
    changing = definitions(change_set.writes)
    return Prepared(project, change_set, removed, added, home.turn, changing, sheet)


def work_out(keys: Keys, project: str, writes: Iterable[Write]) -> list[Worked]:
    """What each write changes in the index, to go with it as ``Write.worked``."""
    home = keys.bases.of(project)
    basis = _basis(keys, home, project)
    return [Worked(basis, *_difference(keys, project, one, basis, home)) for one in writes]


def work_out_together(
    keys: Keys, project: str, writes: Sequence[Write]
) -> tuple[list[Worked | Marks], Sheet | None]:
    """The same, for ``Write.worked`` and ``ChangeSet.worked``: with a sheet of all that is new."""
    return as_sheet(keys, writes, work_out(keys, project, writes))


def as_sheet(
    keys: Keys, writes: Sequence[Write], every: Sequence[Worked]
) -> tuple[list[Worked | Marks], Sheet | None]:
    """The same of what was worked out of each."""
    if keys.sheets is None:
        return list(every), None
    new = [one.added for one, write in zip(every, writes, strict=True) if _is_new(write)]
    if not new:
        return list(every), None
    marks = iter(marks_of(new))
    worked = [
        next(marks) if _is_new(write) else one for one, write in zip(every, writes, strict=True)
    ]
    return worked, sheet_of(every[0].basis, new, keys.sheets)


def forget(keys: Keys) -> None:
    """Let go of what is remembered of members of resources: of the next ones little is the same."""
    shape_of.cache_clear()
    keys.forget()


def _is_new(write: Write) -> bool:
    """Whether it makes something that was never there: its number is one of the next ones."""
    return write.before is None and write.resource is not None


def _usable(keys: Keys, change_set: ChangeSet, basis: Basis) -> Sheet | None:
    """The sheet of a change set, if it is what would be worked out here."""
    sheet = change_set.worked
    if not (isinstance(sheet, Sheet) and sheet.form is keys.sheets and sheet.basis == basis):
        return None
    new = [isinstance(one.worked, Marks) for one in change_set.writes if one.before is None]
    return sheet if len(new) == sheet.new and all(new) else None


def _difference(
    keys: Keys, project: str, write: Write, basis: Basis, home: Home, sheet: Sheet | None = None
) -> tuple[Entries, Entries]:
    resource = write.resource
    if isinstance(write.worked, Marks):
        if sheet is not None:
            present, sort, texts = write.worked
            # A named tuple's own constructor takes twice as long.
            return _NONE, tuple.__new__(Entries, ((), (), texts, present, sort, False))
        resource = decode(write.body)
    elif isinstance(write.worked, Worked):
        if write.worked.basis == basis:
            return write.worked.removed, write.worked.added
        # Another base is known as ours since, or there are other search parameters.
        resource = decode(write.body) if resource is not None else None
    before = write.before
    if before is not None and not before.deleted:
        return changes(keys, project, before, resource, write.updated, home)
    return _NONE, entries(keys, project, resource, write.updated, home) if resource else _NONE


def _basis(keys: Keys, home: Home, project: str) -> Basis:
    return keys.secret, keys.bases.own, project, home.turn
