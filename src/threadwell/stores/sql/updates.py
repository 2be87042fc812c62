"""What an update changes in the index, without a look at what is in both versions."""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import Home
from threadwell.stores.contract import Stored
from threadwell.stores.natural import NO_TIME
from threadwell.stores.sql.entries import PARAMETERS, Entries, difference, entries
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.members import MemberEntries
from threadwell.stores.sql.ranges import HIGHEST
from threadwell.stores.sql.shapes import Shape, shape_of
from threadwell.stores.sql.split import Split, noted


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
    if shape.splits.moved(was, now):
        return None
    changed = shape.splits.differing(was, now)
    if changed is None:
        return None
    split = shape.splits.of(changed)
    rest, moved = split.rest(now)
    old = _found(shape, split, was, rest, was_updated * 1000)
    if old.present > PARAMETERS:
        return None
    new = _found(shape, split, now, rest, updated * 1000)
    if old.natural != new.natural:  # what is looked at as a whole may tell it, too
        return None
    if was_updated == updated:
        moved = ()
    return (
        _beyond(old, new, [(key, was_updated * 1000) for key in moved]),
        _beyond(new, old, [(key, updated * 1000) for key in moved]),
    )


def _found(
    shape: Shape, split: Split, resource: Resource, rest: MemberEntries, changed: int
) -> MemberEntries:
    """What is noted of the rest, and the entries that a version does not share by what it is."""
    found = noted(rest)
    for name, finder in split.touched.items():
        element = resource.get(name)
        if element is not None:
            finder.gather(element, resource, found)
    shape.always.gather(resource, resource, found)
    found.placed.append((shape.every_updated, changed))
    for keys, missing, _ in split.compounds:
        if not found.present & missing:
            if keys.updated:
                found.placed += [(key, changed) for key in keys.of(found.parts)]
            else:
                found.places += keys.of(found.parts)
    return found


def _beyond(one: MemberEntries, other: MemberEntries, moved: Iterable[tuple[int, int]]) -> Entries:
    """The entries of one version that are not in the other, at the same time; and ``moved`` ones,
    none of which is among these.
    """
    return Entries(
        tuple(set(one.places).difference(other.places)),
        (*set(one.placed).difference(other.placed), *moved),
        tuple(set(one.texts).difference(other.texts)) if one.texts else (),
        one.present & PARAMETERS,
        NO_TIME if one.natural == HIGHEST else one.natural,
        one.present > PARAMETERS,
    )
