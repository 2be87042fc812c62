"""Markers: by them, two who write at the same time notice each other where they have to.

What somebody adds to a circle need not touch anything that we have read of it. So whoever writes
to a circle replaces its marker, a private value that is compared in the same commit; of two who
have read the same one succeeds, and the other reads again. Those who write to different circles
never meet. A name tells nothing: it is a digest. The marker of a circle tells also when its timer
goes off (``timers``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256

from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.timers import KIND as TIMER
from threadwell.intake.commits.timers import Timer, set_, stopped, timer_of
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Key, Store

KIND = "intake-mark"

#: The marker of what is said of shared addresses, and of what waits for that.
SAID = "said"

#: In the place of a time where no timer is set.
_NO_TIME = "-"


def circle_mark(circle: str) -> str:
    """What the marker of a circle marks."""
    return f"circle|{circle}"


def id_mark(channel: str, external_id: str) -> str:
    """What the marker of an id marks that several messages have."""
    return f"id|{channel}|{external_id}"


def mark_name(project: str, marked: str) -> str:
    """The name of the private value that is the marker of what is marked."""
    return f"{project}/{sha256(marked.encode()).hexdigest()[:32]}"


class Marks:
    """The markers that a run has read, and those that it writes.

    Each is read before what it stands for, so that it is never newer than that.
    """

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._values: dict[str, bytes | None] = {}

    async def read(self, marked: Iterable[str]) -> None:
        """Read the markers that are not at hand."""
        names = {one: mark_name(self._project, one) for one in marked if one not in self._values}
        if names:
            there = await self._store.get_private_many(KIND, list(names.values()))
            self._values.update((one, there.get(name)) for one, name in names.items())

    async def read_or_make(self, marked: str) -> None:
        """Read one that everybody expects to stay: it is there from now on."""
        await self.read([marked])
        if self._values[marked] is None:
            name = mark_name(self._project, marked)
            await self._store.put_private(KIND, name, b"new", only_new=True)
            self.forget([marked])
            await self.read([marked])

    def forget(self, marked: Iterable[str]) -> None:
        """Let go of markers, with what they stand for."""
        for one in marked:
            self._values.pop(one, None)

    async def renew(self, marked: str) -> None:
        """Read a marker again: what it stands for is looked through once more."""
        self.forget([marked])
        await self.read([marked])

    def version(self, circle: str) -> str:
        """What a circle's marker is told by from those before it, ``""`` where there is none."""
        return (self._values[circle_mark(circle)] or b"").decode().partition(" ")[0]

    def ends(self, circle: str) -> tuple[bool, int | None]:
        """Whether a circle's marker tells of its timer, and when that goes off, if it has one.

        The time is in microseconds since 1970 UTC. Markers of earlier builds tell nothing.
        """
        return _read(self._values[circle_mark(circle)])

    def put(
        self,
        batch: Batch,
        changed: Iterable[str],
        seen: Iterable[str],
        ends: Mapping[str, int | None],
    ) -> None:
        """Let the batch replace what it changes, and be refused where what it has seen changes.

        All of them are at hand. ``ends`` tells of circles when their timers are to go off; what is
        not told of there stays as it is.
        """
        times = {circle_mark(circle): at for circle, at in ends.items()}
        for circle, at in ends.items():
            self._set_timer(batch, circle, at)
        value = batch.version
        for one in changed:
            there = (self._values[one] or b"").decode().partition(" ")
            time = _written(times[one]) if one in times else there[2]
            self._keep(batch, one, (f"{value} {time}" if time else value).encode())
        for one in seen:
            # Two who expect of each other's that it is not there would not meet.
            there_now = self._values[one]
            self._keep(batch, one, value.encode() if there_now is None else there_now)

    def _set_timer(self, batch: Batch, circle: str, at: int | None) -> None:
        _, before = self.ends(circle)
        if before == at:
            return
        if before is not None:
            batch.keep(stopped(timer_of(self._project, circle, before)))
        if at is not None:
            batch.keep(set_(timer_of(self._project, circle, at)))

    def _keep(self, batch: Batch, marked: str, value: bytes | None) -> None:
        name = mark_name(self._project, marked)
        if Key(KIND, name) not in batch.kept:
            batch.keep(Kept(KIND, name, value, self._values[marked]))
            self._values[marked] = value


async def sweep(
    store: Store, project: str, timers: Sequence[Timer], nobody: Collection[str]
) -> None:
    """Take away those of the timers that are not of their circles any more.

    Nor does one stay that is of ``nobody``: nobody can tell any more whose circle that is.
    """
    left = await store.get_private_many(TIMER, [one.name for one in timers])
    rest = [one for one in timers if one.name in left]
    names = {one.circle: mark_name(project, circle_mark(one.circle)) for one in rest}
    marks = await store.get_private_many(KIND, list(names.values())) if names else {}
    for one in rest:
        mark = names[one.circle]
        value = marks.get(mark)
        told, at = _read(value)
        mine = told and at is not None and timer_of(project, one.circle, at).name == one.name
        now = value
        if mine and one.circle in nobody:
            now = f"{(value or b'').decode().partition(' ')[0]} {_NO_TIME}".encode()
        elif mine:
            continue
        kept = (stopped(one), Kept(KIND, mark, now, value))
        with contextlib.suppress(Conflict):  # Somebody has written to it: it is looked at again.
            await store.commit(project, ChangeSet((), kept=kept))


def _read(value: bytes | None) -> tuple[bool, int | None]:
    _, told, at = value.decode().partition(" ") if value else ("", "", "")
    return bool(told), int(at) if told and at != _NO_TIME else None


def _written(at: int | None) -> str:
    return _NO_TIME if at is None else str(at)
