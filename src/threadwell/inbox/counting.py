"""Numbers that every page shows: counted anew each time, as long as that takes no time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic
from weakref import WeakKeyDictionary

from threadwell.inbox.reader import Reader
from threadwell.stores.contract import Store

#: A count that took longer (seconds) is kept for so many times as long, by store.
_QUICK, _KEPT = 0.02, 100
_COUNTED: WeakKeyDictionary[Store, dict[tuple[str, str], tuple[int, float]]] = WeakKeyDictionary()


async def kept_count(reader: Reader, what: str, count: Callable[[], Awaitable[int]]) -> int:
    """How many there are of ``what``; on a large store a number that was counted a moment ago."""
    counted = _COUNTED.setdefault(reader.store, {})
    number, until = counted.get((reader.project, what), (0, 0.0))
    began = monotonic()
    if began < until:
        return number
    number = await count()
    took = monotonic() - began
    # Of none the first is to be seen at once.
    if took > _QUICK and number:
        counted[reader.project, what] = (number, began + _KEPT * took)
    return number
