"""What the index holds of one version of one resource.

It follows from the resource alone, so what is to be removed when a version is superseded is
found by reading the old body again: no list of it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import Home
from threadwell.fhir.search.references import with_types
from threadwell.fhir.search.within import inner_resources
from threadwell.stores.contract import StoreError
from threadwell.stores.natural import NO_TIME
from threadwell.stores.sql.bases import everywhere, nowhere
from threadwell.stores.sql.keys import Keys, itself
from threadwell.stores.sql.members import ABSOLUTE, MemberEntries
from threadwell.stores.sql.ranges import HIGHEST
from threadwell.stores.sql.shapes import PRESENT_BITS, shape_of

#: The version of what this module makes; a database of another one is indexed anew when opened.
INDEX_VERSION = 10
#: Versions that have all that the one before has, and more of resources of these types: there only
#: that is added.
ADDED: Mapping[int, tuple[str, ...]] = {
    9: ("Task",),
    10: ("Location", "Organization", "Patient", "Practitioner", "RelatedPerson"),
}
#: What is logged before it is made anew, with the number of resources.
TOLD = "The index is made anew, once after this update: %d resources. It can take minutes."

#: The bits of parameters in ``present``.
PARAMETERS = (1 << PRESENT_BITS) - 1


def is_current(version: bytes | None) -> bool:
    """Whether an index of that version is what this module makes; raises ``StoreError`` for a later
    one: whoever has made it needs what is not known here.
    """
    number = int(version or b"0")
    if number > INDEX_VERSION:
        raise StoreError(
            f"the index of this store has version {number}, this Threadwell knows {INDEX_VERSION}:"
            " it was made by a newer Threadwell"
        )
    return number == INDEX_VERSION


def lacking(version: bytes | None) -> tuple[str, ...] | None:
    """The types of whose resources an earlier index has too little, and is right in all that it
    has; ``None`` where it has to be made anew.
    """
    found: set[str] = set()
    for later in range(int(version or b"0") + 1, INDEX_VERSION + 1):
        if later not in ADDED:
            return None
        found.update(ADDED[later])
    return tuple(sorted(found))


class Entries(NamedTuple):
    """``places`` are keys at ``sort``, the natural time; ``placed`` are (key, sort), ``texts``
    (key, folded text), none twice; ``present`` has a bit for each parameter that has a value.
    ``absolute``: some of them hang on which bases are our own.
    """

    # Of the size of what they hold: a set takes twelve times as much.
    places: tuple[int, ...] = ()
    placed: tuple[tuple[int, int], ...] = ()
    texts: tuple[tuple[int, str], ...] = ()
    present: int = 0
    sort: int = NO_TIME
    absolute: bool = False

    def postings(self, rid: int) -> list[tuple[int, int, int]]:
        """The (key, sort, rid) of the resource of that number."""
        sort = self.sort
        found = [(key, sort, rid) for key in self.places]
        found += [(key, at, rid) for key, at in self.placed]
        return found


def entries(
    keys: Keys,
    project: str,
    resource: Resource,
    updated: int,
    bases: Home | None = None,
) -> Entries:
    """The entries of a resource that was last updated at ``updated`` milliseconds since 1970.

    ``bases`` are our own with the search parameters that there are, if not those of ``keys``.
    """
    if bases is None:
        bases = keys.bases.of(project)
    shape = shape_of(keys, bases, project, resource["resourceType"])
    if "contained" in resource:
        found, again = shape.gather(with_types(resource))
        _add_inner(found, keys, project, resource, bases)
    else:
        found, again = shape.gather(resource)
    changed = updated * 1000
    found.places.append(shape.every)
    found.placed.append((shape.every_updated, changed))
    for group in shape.compounds:
        if not found.present & group.missing:
            for places, updated_places in group.of(found, again):
                found.places += places
                found.placed += [(place, changed) for place in updated_places]
    natural = NO_TIME if found.natural == HIGHEST else found.natural
    return Entries(
        tuple(set(found.places)),
        tuple(set(found.placed)),
        tuple(set(found.texts)) if found.texts else (),
        found.present & PARAMETERS,
        natural,
        found.present > PARAMETERS,
    )


def entries_of_body(keys: Keys, project: str, body: bytes, updated: int) -> Entries:
    """The entries of a stored version."""
    return entries(keys, project, decode(body), updated)


def difference(
    keys: Keys,
    project: str,
    resource: Resource,
    updated: int,
    now: Entries,
    home: Home | None = None,
) -> tuple[Entries, Entries]:
    """What is to be removed where a stored version becomes ``now``, and what is to be added.

    ``home`` is what ``now`` was made with, if not that of ``keys``.
    """
    if home is None:
        home = keys.bases.of(project)
    catalogue = home.catalogue.before
    if catalogue is not home.catalogue:
        # What is leaving the index may be there still.
        home = Home(home, catalogue)
    was = entries(keys, project, resource, updated, home)
    if not was.absolute:
        return without(was, now), without(now, was)
    # Who wrote it may have known of more bases than we do, or of fewer.
    most = entries(keys, project, resource, updated, everywhere(catalogue))
    least = entries(keys, project, resource, updated, nowhere(catalogue))
    possible = most._replace(
        places=tuple({*most.places, *least.places}), placed=tuple({*most.placed, *least.placed})
    )
    certain = most._replace(
        places=tuple({*most.places} & {*least.places}),
        placed=tuple({*most.placed} & {*least.placed}),
    )
    return without(possible, now), without(now, certain)


def without(these: Entries, those: Entries) -> Entries:
    """Those entries that are not among the other ones."""
    placed, texts = set(those.placed), set(those.texts)
    # At another natural time all of them are others.
    places = set(those.places) if these.sort == those.sort else ()
    return these._replace(
        places=tuple([key for key in these.places if key not in places]),
        placed=tuple([one for one in these.placed if one not in placed]),
        texts=tuple([one for one in these.texts if one not in texts]),
    )


def entered(keys: Keys, project: str, body: bytes, updated: int, key: int) -> bool | None:
    """Whether a stored version stands in a list; ``None`` where that hangs on the bases then."""
    found = entries_of_body(keys, project, body, updated)
    if found.absolute:
        return None
    return key in found.places or any(key == one for one, _ in found.placed)


def _add_inner(
    found: MemberEntries, keys: Keys, project: str, resource: Resource, bases: Home
) -> None:
    """Add what chains find within the resource; it is there by itself for them to lead back to."""
    inner = inner_resources(resource, bases)
    for type_, one in inner:
        shape = shape_of(keys, bases, project, type_)
        inside, _ = shape.gather(one)
        found.present |= inside.present & ABSOLUTE
        found.places += [shape.every, *inside.places]
        found.placed += inside.placed
        found.texts += inside.texts
    if inner:
        found.places.append(
            keys.key(itself(project, resource["resourceType"], resource.get("id", "")))
        )
