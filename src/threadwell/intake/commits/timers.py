"""Timers: which circles have a session that is over at what time, though nobody writes any more.

Each circle has at most one: a private value whose name begins with the time, so that the first
ones are found without a look at the others. It is written and removed in the commit that changes
the circle, and the marker of the circle (``marks``) tells the time of its timer: whoever has read
the marker knows what there is to remove. A name tells nothing else: it ends with a digest.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from threadwell.stores.contract import Kept, Store

KIND = "silence"

#: Where it is kept that all circles of a project have their timers.
_WHOLE = "silences-kept"


class Timer(NamedTuple):
    """A circle, by its key, and when its next session is over, in microseconds since 1970 UTC.

    ``name`` is that of the private value.
    """

    at: int
    circle: str
    name: str


def timer_of(project: str, circle: str, at: int) -> Timer:
    """The timer of a circle; what is over before 1970 is over in 1970."""
    digest = sha256(circle.encode()).hexdigest()[:32]
    return Timer(at, circle, f"{project}/{max(at, 0):020d}/{digest}")


def set_(timer: Timer) -> Kept:
    """What sets a timer."""
    return Kept(KIND, timer.name, timer.circle.encode())


def stopped(timer: Timer) -> Kept:
    """What takes a timer away."""
    return Kept(KIND, timer.name, None)


async def timers(
    store: Store, project: str, until: int, *, after: str = "", count: int = 1
) -> list[Timer]:
    """The first ``count`` timers up to that time, in order; those whose name follows ``after``."""
    found = await store.list_private(KIND, after=after or f"{project}/", count=count)
    every = [_read(name, value) for name, value in found.items() if name.startswith(f"{project}/")]
    return [one for one in every if one.at <= until]


async def next_timer(store: Store, project: str, after: str = "") -> Timer | None:
    """The first timer; the first whose name follows ``after``."""
    found = await timers(store, project, 2**63, after=after)
    return found[0] if found else None


async def have_timers(store: Store, project: str) -> bool:
    """Whether every circle with an open session has its timer.

    Those that an earlier build has written have none.
    """
    return await store.get_private(_WHOLE, project) is not None


async def keep_have_timers(store: Store, project: str) -> None:
    """Keep that from now on every circle has its timer."""
    await store.put_private(_WHOLE, project, b"1")


def _read(name: str, value: bytes) -> Timer:
    return Timer(int(name.split("/")[1]), value.decode(), name)
