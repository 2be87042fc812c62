"""How much was delivered and is not taken in yet: counted without reading more than a little."""

from __future__ import annotations

from dataclasses import dataclass

from threadwell.intake.arrivals.journal import ARRIVED, entries
from threadwell.stores.contract import Store

#: Deliveries that are counted at most, and the bytes of them that are read.
MOST, _BYTES = 1000, 16 * 1024 * 1024
_FIRST, _AT_ONCE = 4, 200


@dataclass(frozen=True, slots=True)
class JournalDepth:
    """How many deliveries wait, and when the oldest of them came, in seconds since 1970 UTC.

    ``oldest`` is 0 where none waits. There may be ``more`` than were counted.
    """

    count: int = 0
    oldest: float = 0.0
    more: bool = False


async def journal_depth(store: Store, project: str) -> JournalDepth:
    """What waits in the journal; raises ``StoreError``."""
    count, size, after, oldest = 0, 0, "", 0.0
    at_once = _FIRST
    while some := await entries(store, project, ARRIVED, after=after, count=at_once):
        came = min(one.entry.delivery.received.timestamp() for one in some)
        oldest = min(oldest or came, came)
        count += len(some)
        size += sum(len(one.value) for one in some)
        if len(some) < at_once:
            break
        if count >= MOST or size >= _BYTES:
            return JournalDepth(count, oldest, True)
        after = some[-1].name
        fit = (_BYTES - size) * count // max(1, size)
        at_once = max(1, min(_AT_ONCE, fit, MOST - count))
    return JournalDepth(count, oldest)
