"""Deliveries that cannot be taken in: out of the way of those behind them, whole, for a person.

Each is two private values of one name: what there is to tell of it, and its entry in the journal.
To replay it puts that entry back.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec

from threadwell.intake.arrivals.journal import ARRIVED, Journaled, encoded, removed
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

STUCK, _WHOLE = "journal-stuck", "journal-stuck-whole"
_AT_ONCE = 1000


class NotStuck(LookupError):
    """No delivery of that id is stuck, or somebody else has decided about it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to tell of a delivery that is stuck, without a word of it.

    ``received`` and ``since`` (when it was put aside) are in milliseconds since 1970 UTC; ``tries``
    are those in vain, and ``size`` is in bytes.
    """

    account: str
    channel: str
    reason: str
    received: int
    since: int
    tries: int
    size: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """One of them. ``id`` is what people name it by."""

    id: str
    name: str
    value: bytes
    told: Told


async def move_aside(store: Store, project: str, one: Journaled, reason: str, now: int) -> None:
    """Move an entry of the journal there, unless somebody else has changed it since it was read."""
    entry = one.entry
    # Whoever replays it gives it all its tries again.
    whole = encoded(replace(entry, tries=0, due=0)) if entry.channel else one.value
    received = int(entry.delivery.received.timestamp() * 1000)
    size = len(entry.delivery.body) or len(one.value)
    told = Told(entry.account, entry.channel, reason, received, now, entry.tries, size)
    kept = (
        removed(one),
        Kept(STUCK, one.name, msgspec.json.encode(told)),
        Kept(_WHOLE, one.name, whole),
    )
    with suppress(Conflict):
        await store.commit(project, ChangeSet((), kept=kept))


async def stuck_deliveries(store: Store, project: str) -> list[Stuck]:
    """Those that are stuck, in the order in which they came."""
    out: list[Stuck] = []
    after = f"{project}/"
    while found := await store.list_private(STUCK, after=after, count=_AT_ONCE):
        mine = {name: value for name, value in found.items() if name.startswith(f"{project}/")}
        out += [
            Stuck(name.partition("/")[2][:_SHORT], name, value, _told(value))
            for name, value in mine.items()
        ]
        if len(mine) < len(found):
            break
        after = next(reversed(found))
    return sorted(out, key=lambda one: (one.told.received, one.name))


async def replay_delivery(store: Store, project: str, id_: str) -> None:
    """Take it in after all: it is in the journal again, as if it had just come.

    Raises ``NotStuck``.
    """
    one = await _find(store, project, id_)
    whole = await store.get_private(_WHOLE, one.name)
    if whole is None:
        raise NotStuck(f"no delivery {id_} is stuck")
    await _decide(store, project, one, whole, Kept(ARRIVED, one.name, whole))


async def drop_delivery(store: Store, project: str, id_: str) -> None:
    """Let it be gone for good, whatever it says. Raises ``NotStuck``."""
    one = await _find(store, project, id_)
    await _decide(store, project, one, await store.get_private(_WHOLE, one.name))


async def count_stuck(store: Store) -> int:
    """How many are stuck, in all projects."""
    number, after = 0, ""
    while found := await store.list_private(STUCK, after=after, count=_AT_ONCE):
        number += len(found)
        after = next(reversed(found))
    return number


def shown(some: Sequence[Stuck]) -> list[dict[str, object]]:
    """Deliveries as plain values, for people and programs: no word of any message."""
    return [
        {
            "id": one.id,
            "account": one.told.account,
            "channel": one.told.channel,
            "received": _moment(one.told.received).isoformat(),
            "since": _moment(one.told.since).isoformat(),
            "tries": one.told.tries,
            "bytes": one.told.size,
            "reason": one.told.reason,
        }
        for one in some
    ]


#: As many digits of its name as tell a delivery from all others.
_SHORT = 20


async def _find(store: Store, project: str, id_: str) -> Stuck:
    found = await store.list_private(STUCK, after=f"{project}/{id_[:_SHORT]}", count=1)
    name = next(iter(found), "")
    if len(id_) < _SHORT or not name.startswith(f"{project}/{id_}"):
        raise NotStuck(f"no delivery {id_} is stuck")
    return Stuck(id_[:_SHORT], name, found[name], _told(found[name]))


async def _decide(store: Store, project: str, one: Stuck, whole: bytes | None, *more: Kept) -> None:
    gone = (
        Kept(STUCK, one.name, None, before=one.value),
        Kept(_WHOLE, one.name, None, before=whole),
    )
    try:
        await store.commit(project, ChangeSet((), kept=(*gone, *more)))
    except Conflict:
        raise NotStuck(f"somebody else has decided about {one.id}") from None


def _told(value: bytes) -> Told:
    return msgspec.json.decode(value, type=Told)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(microsecond=0)
