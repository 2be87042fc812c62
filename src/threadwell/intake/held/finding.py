"""The held messages of addresses, for those who look at them: without a look at the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from threadwell.fhir.json import decode
from threadwell.intake.commits.values import Values
from threadwell.intake.held.awaited import SHARED, Waits
from threadwell.intake.held.listing import is_held, is_waiting, open_held, quarantined
from threadwell.intake.paging import chunks
from threadwell.intake.people.asked import is_found_by_address
from threadwell.intake.people.route import address_key
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import Key, Store, Stored


async def held_at(store: Store, project: str, addresses: Collection[str]) -> AsyncIterator[Stored]:
    """The Tasks of messages that wait and are from or to one of those addresses (their values).

    In a store of an earlier build, which no import has gone through yet, they are all that wait.
    """
    if not await is_found_by_address(store, project):
        async for stored in open_held(store, project):
            yield stored
        return
    waits = Waits(Values(store), project)
    tasks: dict[str, None] = {}
    for key in _keys(addresses):
        tasks.update({one.task: None async for one in waits.at(key)})
    for some in chunks(tasks):
        found = await store.read_many(project, [Key("Task", id_) for id_ in some])
        for stored in found.values():
            if is_held(stored) and is_waiting(stored):
                yield stored


async def count_waiting(store: Store, project: str, address: str) -> int:
    """How many messages wait for who writes at an address, given by its value."""
    if not await is_found_by_address(store, project):
        every = [quarantined(decode(one.body)) async for one in open_held(store, project)]
        return sum(address in (shared.value for shared in one.shared) for one in every)
    waits = Waits(Values(store), project)
    return sum(
        [
            one.what is not None and one.what.why == SHARED
            for key in _keys([address])
            async for one in waits.at(key)
        ]
    )


def _keys(addresses: Collection[str]) -> list[str]:
    return [address_key(Address(kind, one)) for one in addresses for kind in AddressKind]
