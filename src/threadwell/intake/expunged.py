"""What an import knows of messages that were removed for good: that they were, and nothing else.

The logical id of a message follows from the id that its channel gave it, so it is known again by
whatever export it comes in. It is a digest, and tells nothing of what was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from threadwell.stores.contract import Kept, Key, Store

KIND = "expunged"
#: Of these an import makes the ids itself.
_MADE = frozenset({"Communication", "Patient", "RelatedPerson"})


def marks_of(key: Key) -> Iterator[Kept]:
    """The private value by which a resource is known to have been expunged."""
    if key.type in _MADE:
        yield Kept(KIND, f"{key.type}/{key.id}", b"1")


async def which_were(store: Store, keys: Iterable[Key]) -> set[Key]:
    """Those of the resources that were expunged, and are not to be made again."""
    names = {f"{key.type}/{key.id}": key for key in keys}
    # In most stores there are none, and to ask for each of many would cost as much as to find them.
    if not names or (len(names) > 1 and not await store.list_private(KIND, count=1)):
        return set()
    return {names[name] for name in await store.get_private_many(KIND, list(names))}
