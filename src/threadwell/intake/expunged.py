"""What an import knows of messages that were removed for good: that they were, and nothing else.

The logical id of a message follows from the id that its channel gave it, so it is known again by
whatever export it comes in. It is a digest, and tells nothing of what was said. So are the ids that
follow from the identifiers of a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import derived_id
from threadwell.stores.contract import Kept, Key, Store

KIND = "expunged"
#: Of these an import makes the ids itself.
_PEOPLE = frozenset({"Patient", "RelatedPerson"})
_MADE = frozenset({"Communication", *_PEOPLE})


def marks_of(key: Key, said: Iterable[Resource] = ()) -> Iterator[Kept]:
    """The private values by which a resource is known to have been expunged.

    ``said`` is what its versions said: a person is known by each identifier that they had.
    """
    if key.type in _MADE:
        yield Kept(KIND, f"{key.type}/{key.id}", b"1")
    if key.type in _PEOPLE:
        for body in said:
            for one in _identified(key, body):
                yield Kept(KIND, f"{one.type}/{one.id}", b"1")


async def which_people_were(store: Store, people: Mapping[Key, Resource]) -> set[Key]:
    """Those of the people who were expunged, under that id or any of their identifiers."""
    names = {key: {key, *_identified(key, body)} for key, body in people.items()}
    were = await which_were(store, set().union(*names.values()))
    return {key for key, those in names.items() if not were.isdisjoint(those)}


def _identified(key: Key, body: Resource) -> Iterator[Key]:
    """What the ids would be that follow from a person's identifiers."""
    for one in body.get("identifier") or ():
        system, value = one.get("system"), one.get("value")
        if isinstance(system, str) and isinstance(value, str):
            yield Key(key.type, derived_id(system, value))


async def which_were(store: Store, keys: Iterable[Key]) -> set[Key]:
    """Those of the resources that were expunged, and are not to be made again."""
    asked = list(keys)
    # In most stores there are none, and to ask for each of many would cost as much as to find them.
    if not asked or (len(asked) > 1 and not await store.list_private(KIND, count=1)):
        return set()
    names = {f"{key.type}/{key.id}": key for key in asked}
    return {names[name] for name in await store.get_private_many(KIND, list(names))}
