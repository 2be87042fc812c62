"""How much waits to be sent, and for how long: by account."""

from __future__ import annotations

from dataclasses import dataclass

from threadwell.intake.accounts import accounts
from threadwell.intake.replies.outbox import dead_letters, waiting
from threadwell.stores.contract import Store


@dataclass(frozen=True, slots=True)
class OutboxDepth:
    """What an account has in the outbox.

    ``waiting`` are to be sent, of which the ``oldest`` was written then, in seconds since 1970 UTC
    (0 where there is none). ``dead`` were not sent, and wait for a person.
    """

    account: str
    waiting: int = 0
    oldest: float = 0.0
    dead: int = 0


async def outbox_depths(store: Store, project: str) -> list[OutboxDepth]:
    """What each account has there, also those that have nothing; raises ``StoreError``."""
    counts = {one.name: [0, 0, 0] for one in await accounts(store, project)}
    for one in await waiting(store, project):
        count = counts.setdefault(one.entry.account, [0, 0, 0])
        # They come in the order in which they were written.
        count[1] = count[1] or one.entry.written
        count[0] += 1
    for one in await dead_letters(store, project):
        counts.setdefault(one.entry.account, [0, 0, 0])[2] += 1
    return [
        OutboxDepth(name, to_send, written / 1000, dead)
        for name, (to_send, written, dead) in sorted(counts.items())
    ]
