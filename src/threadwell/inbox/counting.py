"""Numbers that every page shows: counted anew each time, as long as that takes no time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import monotonic
from weakref import WeakKeyDictionary

from threadwell.access.policy import Policy
from threadwell.fhir.search.query import Query, Total
from threadwell.inbox.reader import Reader
from threadwell.stores.contract import Store

#: A count that took longer (seconds) is kept for so many times as long: by store, or
#: by the policy of those who see a part of it.
_QUICK, _KEPT = 0.02, 100
_COUNTED: WeakKeyDictionary[Store | Policy, dict[tuple[str, str], tuple[int, float]]] = (
    WeakKeyDictionary()
)


async def kept_count(reader: Reader, what: str, count: Callable[[], Awaitable[int]]) -> int:
    """How many there are of ``what``; on a large store a number that was counted a moment ago."""
    counted = _COUNTED.setdefault(reader.policy or reader.whole, {})
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


async def number_of(reader: Reader, query: Query) -> int:
    """How many match; about how many where it would take too long to count them."""
    asked = replace(query, count=0, sort=(), total=Total.ACCURATE)
    total = (await reader.view.search(reader.project, asked)).total
    if total is None:
        roughly = replace(asked, total=Total.ESTIMATE)
        total = (await reader.view.search(reader.project, roughly)).total
    return total or 0
