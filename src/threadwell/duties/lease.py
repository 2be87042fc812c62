"""Who has which duty: a lease for each, kept in the store and changed by compare-and-set.

Whoever has a lease keeps a *beat*, a value that changes every second. Another process that has
seen the same beat for ``LEASE`` seconds takes the lease over. It measures them by its own clock,
one that no one sets and that goes on while the machine sleeps; no process compares its time with
another's. So a clock that is set forward or back neither takes a duty away nor keeps one.

A process may still believe that it has a lease after another one has taken it: it was asleep.
``still_held`` makes a commit of that process a ``Conflict``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field

import msgspec

from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

#: Seconds between two beats, and seconds without one after which a lease may be taken over.
BEAT, LEASE = 1.0, 5.0
#: Seconds after which a beat without a lease is swept away.
_SWEPT = 600.0

_LEASE, _BEAT = "duty-lease", "duty-beat"

_held: ContextVar[tuple[Kept, ...]] = ContextVar("held", default=())


def still_held() -> tuple[Kept, ...]:
    """The precondition that this process still has the lease of the duty whose round this is.

    Empty outside of a round.
    """
    return _held.get()


def hold(name: str, lease: bytes) -> None:
    """From here on, within this task, that lease of a duty is what ``still_held`` asks for."""
    _held.set((Kept(_LEASE, name, lease, before=lease),))


def seconds() -> float:
    """A clock that nobody sets and that goes on while the machine sleeps."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Lease(msgspec.Struct, frozen=True):
    """Who has a duty: an id of the process, and how often it has changed hands."""

    holder: str
    term: int


@dataclass(slots=True)
class _Seen:
    """A beat, and when it was first seen like that."""

    beat: bytes
    since: float


@dataclass(slots=True)
class Leases:
    """Those that one process has, or waits for. ``holder`` is an id that no other process has."""

    store: Store
    project: str
    names: tuple[str, ...]
    holder: str
    held: dict[str, bytes] = field(default_factory=dict)
    #: When the last beat that arrived was begun.
    beaten: float = 0.0
    _beats: int = 0
    _seen: dict[str, _Seen] = field(default_factory=dict)

    @property
    def doubtful(self) -> bool:
        """Whether somebody else may have taken over meanwhile."""
        return bool(self.held) and seconds() - self.beaten >= LEASE

    async def look(self) -> None:
        """Beat, let go of what others have taken over, and take what nobody has.

        Raises ``StoreError``.
        """
        leases = await self.store.list_private(_LEASE)
        for name, mine in list(self.held.items()):
            if leases.get(name) != mine:
                del self.held[name]
        if self.held:
            await self._beat()
        now = seconds()
        beats = await self.store.list_private(_BEAT)
        await self._note(beats, leases.values(), now)
        for name in self.names:
            lease = leases.get(name)
            if name not in self.held and (lease is None or self._is_over(lease, beats, now)):
                await self._take(name, lease)

    async def leave(self) -> None:
        """Give back whatever it has, so that others need not wait."""
        for name, mine in list(self.held.items()):
            self.held.pop(name)
            try:
                kept = (Kept(_LEASE, name, None, before=mine),)
                await self.store.commit(self.project, ChangeSet((), kept=kept))
            except Conflict:
                continue
        await self.store.put_private(_BEAT, self.holder, None)

    async def _beat(self) -> None:
        begun = seconds()
        await self.store.put_private(_BEAT, self.holder, self._next_beat())
        self.beaten = begun

    def _next_beat(self) -> bytes:
        self._beats += 1
        # The time is for people who look; nobody goes by it.
        return f"{self._beats} {time.time():.0f}".encode()

    async def _note(self, beats: dict[str, bytes], leases: Iterable[bytes], now: float) -> None:
        """Take note of what has changed, and sweep away what processes of long ago have left."""
        holders = {_read(lease).holder for lease in leases}
        for holder, beat in beats.items():
            seen = self._seen.get(holder)
            if seen is None or seen.beat != beat:
                self._seen[holder] = _Seen(beat, now)
            elif holder not in holders and now - seen.since > _SWEPT:
                await self.store.put_private(_BEAT, holder, None)
        for holder in self._seen.keys() - beats.keys():
            del self._seen[holder]

    def _is_over(self, lease: bytes, beats: dict[str, bytes], now: float) -> bool:
        """Whether whoever has it is gone: it has left, or been silent for too long."""
        holder = _read(lease).holder
        return holder not in beats or now - self._seen[holder].since >= LEASE

    async def _take(self, name: str, before: bytes | None) -> None:
        term = _read(before).term + 1 if before else 1
        lease = msgspec.json.encode(Lease(self.holder, term))
        begun = seconds()
        kept = (
            Kept(_LEASE, name, lease, before=before),
            Kept(_BEAT, self.holder, self._next_beat()),
        )
        try:
            await self.store.commit(self.project, ChangeSet((), kept=kept))
        except Conflict:
            return  # another process was quicker
        self.held[name] = lease
        self.beaten = begun


async def holders(store: Store) -> dict[str, tuple[Lease, float]]:
    """Who has each duty, and the time of its last beat, in seconds since 1970 UTC; for people."""
    beats = await store.list_private(_BEAT)
    found = {}
    for name, value in (await store.list_private(_LEASE)).items():
        lease = _read(value)
        if beat := beats.get(lease.holder):
            found[name] = lease, float(beat.split()[1])
    return found


def _read(lease: bytes) -> Lease:
    return msgspec.json.decode(lease, type=Lease)
