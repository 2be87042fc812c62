"""Of a message that was not sent it stands on the message itself, as long as that is so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from threadwell.encounters.child_ids import sent_as
from threadwell.encounters.delivery import (
    FAILED,
    QUEUED,
    Delivery,
    with_delivery,
    without_delivery,
)
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.commits.batch import Batch
from threadwell.intake.patience import Contended, Patience
from threadwell.stores.contract import Conflict, Kept, Key, Store


async def say_unsent(
    store: Store, project: str, message: str, kept: Sequence[Kept], now: int, why: str, code: str
) -> None:
    """Commit ``kept``, and on the message of that logical id that it was not sent, and ``why``.

    ``now`` is in milliseconds since 1970 UTC. Raises ``Conflict`` where others have decided about
    what is ``kept``, ``Contended`` where they keep writing to the message, and ``StoreError``.
    """
    failed = Delivery(FAILED, now * 1000, code)
    await _commit(store, project, message, kept, now, lambda one: with_delivery(one, failed, why))


async def say_waiting(
    store: Store, project: str, message: str, kept: Sequence[Kept], now: int
) -> None:
    """Commit ``kept``, and that it waits to be sent after all; raises as ``say_unsent``."""
    waits = Delivery(QUEUED, now * 1000)
    await _commit(store, project, message, kept, now, lambda one: with_delivery(one, waits))


async def say_nothing(
    store: Store, project: str, message: str, kept: Sequence[Kept], now: int
) -> None:
    """Commit ``kept``, and tell nothing of whether it was sent; raises as ``say_unsent``."""
    await _commit(store, project, message, kept, now, without_delivery)


async def _commit(
    store: Store,
    project: str,
    message: str,
    kept: Sequence[Kept],
    now: int,
    change: Callable[[Resource], Resource],
) -> None:
    patience = Patience()
    while True:
        batch = Batch(updated=now)
        for one in kept:
            batch.keep(one)
        stored = await store.read(project, "Communication", message)
        before: Resource = decode(stored.body) if stored and not stored.deleted else {}
        # What a provider knows, it tells of.
        if stored and before and not sent_as(before) and (after := change(before)) != before:
            batch.write(Key("Communication", message), after, stored)
        try:
            await store.commit(project, batch.change_set())
        except Conflict:
            for one in kept:
                if await store.get_private(one.kind, one.name) != one.before:
                    raise
            if not await patience.turn():
                raise Contended("others keep writing to the message") from None
            continue
        return
