"""What an update changes in the index, without a look at what is in both versions."""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import Home
from threadwell.stores.contract import Stored
from threadwell.stores.natural import NO_TIME
from threadwell.stores.sql.entries import PARAMETERS, Entries, difference, entries, without
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.members import MemberEntries, Places
from threadwell.stores.sql.ranges import HIGHEST
from threadwell.stores.sql.shapes import Shape, shape_of
from threadwell.stores.sql.split import Bound, Split, note_all


def changes(
    keys: Keys, project: str, before: Stored, resource: Resource | None, updated: int, home: Home
) -> tuple[Entries, Entries]:
    """What is to be removed where a stored version becomes ``resource``, and what is to be added.

    It is what ``entries.difference`` finds of the entries of both. ``resource`` ``None`` is a
    deletion; ``updated`` is in milliseconds since 1970.
    """
    was: Resource = decode(before.body)
    if resource:
        found = _of_changed(keys, project, was, before.updated, resource, updated, home)
        if found is not None:
            return found
    now = entries(keys, project, resource, updated, home) if resource else Entries()
    return difference(keys, project, was, before.updated, now, home)


def _of_changed(
    keys: Keys,
    project: str,
    was: Resource,
    was_updated: int,
    now: Resource,
    updated: int,
    home: Home,
) -> tuple[Entries, Entries] | None:
    """The same by the members that differ; ``None`` where more hangs on the update than these: what
    is contained, parameters that leave the index, bases that another process knows, another time.
    """
    type_ = now["resourceType"]
    if (
        was["resourceType"] != type_
        or "contained" in was
        or "contained" in now
        or home.catalogue.before is not home.catalogue
    ):
        return None
    shape = shape_of(keys, home, project, type_)
    changed = shape.splits.differing(was, now)
    if changed is None:
        return None
    split = shape.splits.of(changed)
    rest = MemberEntries()
    for name, notes in split.notes.items():
        element = now.get(name)
        if element is not None:
            notes.gather(element, now, rest)
    old = _Version(shape, split, was, rest)
    if old.noted.present > PARAMETERS:
        return None
    new = _Version(shape, split, now, rest)
    natural = new.noted.natural
    if old.noted.natural != natural:
        return None
    _, same = new.compounds(split.same)
    same.append(shape.every_updated)
    before = _entries(old, split, same, was_updated, natural)
    after = _entries(new, split, same, updated, natural)
    return without(before, after), without(after, before)


class _Version:
    """``own`` is what touched parameters find, ``noted`` what is noted of that and the ``rest``."""

    def __init__(self, shape: Shape, split: Split, resource: Resource, rest: MemberEntries) -> None:
        self.own = own = MemberEntries()
        for name, finder in split.touched.items():
            element = resource.get(name)
            if element is not None:
                finder.gather(element, resource, own)
        shape.always.find(resource, resource, own)
        self.noted = MemberEntries()
        note_all(rest, self.noted)
        note_all(own, self.noted)

    def compounds(self, every: Iterable[Bound]) -> Places:
        """The keys of those compounds."""
        places: list[int] = []
        updated: list[int] = []
        for keys, missing, _ in every:
            if not self.noted.present & missing:
                into = updated if keys.updated else places
                into += keys.of(self.noted.parts)
        return places, updated


def _entries(
    version: _Version, split: Split, same: list[int], updated: int, natural: int
) -> Entries:
    """The entries of a version but for those that the other one has too, at the same time."""
    own, present = version.own, version.noted.present
    places, by_update = version.compounds(split.compounds)
    changed = updated * 1000
    return Entries(
        tuple({*own.places, *places}),
        tuple({*own.placed, *[(key, changed) for key in (*same, *by_update)]}),
        tuple({*own.texts}),
        present & PARAMETERS,
        NO_TIME if natural == HIGHEST else natural,
        present > PARAMETERS,
    )
