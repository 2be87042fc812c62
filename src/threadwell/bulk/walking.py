"""One step of an export: a page of what is there, and what has changed since the last one.

An export tells of everything as it was at its ``time``, however long it takes and whoever writes
meanwhile. Pages are read in an order in which each begins behind the last match of the one before.
A version that is newer than ``time`` is not told. Instead, whatever changes after the export began
is found in the log of changes, right after each page: the version of then is told at once if the
walk has not come by its place yet. If it has, it was told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from threadwell.access.view import View
from threadwell.bulk.files import Lines
from threadwell.bulk.job import Asked, Part, Phase, Progress
from threadwell.bulk.scope import Scope, Stretch
from threadwell.bulk.sight import shown
from threadwell.fhir.content import with_data
from threadwell.fhir.json import decode, encode
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.query import Place
from threadwell.fhir.stamp import Clock
from threadwell.fhir.subsets import subset
from threadwell.stores.contract import Change, Key, Position, Store, Stored
from threadwell.stores.order import Candidate, follows

#: Matches of a page, and its bytes; changes that are looked at together.
PAGE, MOST = 1000, 4 * 1024 * 1024
_CHANGES = 1000
#: Versions of a resource that are looked through at once.
_VERSIONS = 50
#: Milliseconds after its ``time`` until an export may end: whoever writes says the time before the
#: commit.
SETTLES = 1000
#: By how much the times of changes may be out of the order of their commits, in milliseconds.
_LOOSE = 3_600_000
#: Deletions that one Bundle tells of.
_TOLD = 100
#: How the ``url`` of a file of ours is kept.
_ATTACHED = b'"url":"Binary/'


class AsOf(NamedTuple):
    """The version that was current at a time, and which of its resource it is."""

    version: Stored
    number: int


@dataclass(slots=True)
class Walk:
    """What a step needs. ``elements`` are those that are told of a type, all if there are none."""

    store: Store
    project: str
    view: View
    asked: Asked
    scope: Scope
    bases: frozenset[str]
    clock: Clock
    elements: dict[str, tuple[str, ...]]

    async def begin(self, progress: Progress) -> None:
        """Set the time of an export: what is committed until now is in it."""
        progress.seen = await self.store.position(self.project)
        progress.time = self.clock()

    async def step(self, progress: Progress, lines: Lines) -> float:
        """Go on by one page; in how many seconds there is more to do, 0 for now."""
        if progress.phase is Phase.SETTLING:
            left = progress.time + SETTLES - self.clock()
            if left > 0:
                return left / 1000
        page: list[Stored] = []
        at = progress.walk, progress.place
        if progress.phase is Phase.WALKING:
            page = await self._page(progress)
        elif progress.phase is Phase.DELETIONS:
            await self._deletions(progress, lines)
        changed = await self._changed(progress, at, lines)
        await self._tell(page, progress, changed, lines, self._stretch(at[0]))
        if progress.phase is Phase.SETTLING:
            progress.phase = Phase.DONE
        elif progress.phase is Phase.WALKING and progress.walk == len(self.scope.stretches):
            progress.phase = Phase.SETTLING if self.asked.since is None else Phase.DELETIONS
        return 0.0

    def _stretch(self, number: int) -> Stretch | None:
        found = self.scope.stretches
        return found[number] if number < len(found) else None

    async def _page(self, progress: Progress) -> list[Stored]:
        """The next page, and ``progress`` behind it."""
        stretch = self._stretch(progress.walk)
        if stretch is None:
            return []
        query = await self.scope.query(stretch)
        page = await self.view.search(
            self.project, replace(query, count=PAGE, most=MOST, after=progress.place)
        )
        last = page.last
        if page.more and last is not None:
            value = last.values[0]
            assert isinstance(value, int)
            progress.after = (value, last.number)
        else:
            progress.walk, progress.after = progress.walk + 1, None
        return page.matches

    async def _tell(
        self,
        page: Iterable[Stored],
        progress: Progress,
        changed: set[Key],
        lines: Lines,
        stretch: Stretch | None,
    ) -> None:
        late = set(progress.late)
        found = [
            one
            for one in page
            if one.updated <= progress.time
            and Key(one.type, one.id) not in changed
            and f"{one.type}/{one.id}" not in late
        ]
        owned = await self.scope.owned(found)
        for one in found:
            mine = owned.get(Key(one.type, one.id))
            if mine is not None and stretch is not None and mine.number == stretch.number:
                lines.add(Part.OUTPUT, one.type, await self._line(one))
                lines.shown.append(one)

    async def _line(self, version: Stored) -> bytes:
        body = version.body
        if self.asked.fhir and _ATTACHED in body:
            url = b'"url":"%s/Binary/' % self.asked.fhir.encode()
            body = body.replace(_ATTACHED, url)
        if version.type == "Binary":
            content = await self.store.content(self.project, version.id, version.version_id)
            body = with_data(body, content)
        names = self.elements.get(version.type) or self.elements.get("")
        return subset(body, names) if names else body

    async def _changed(
        self, progress: Progress, at: tuple[int, Place | None], lines: Lines
    ) -> set[Key]:
        """Heed what has changed since the last step; which resources that was.

        ``at`` is up to where pages had been read before this step.
        """
        until = await self.store.position(self.project)
        first: dict[Key, Change] = {}
        while progress.seen < until:
            some = await self.store.changes(self.project, progress.seen, _CHANGES)
            if not some:
                break
            for change in some:
                key = Key(change.stored.type, change.stored.id)
                if self.scope.has(key.type):
                    first.setdefault(key, change)
            progress.seen = some[-1].position
        for key, change in first.items():
            await self._heed(key, change, progress, at, lines)
        return set(first)

    async def _heed(
        self,
        key: Key,
        change: Change,
        progress: Progress,
        at: tuple[int, Place | None],
        lines: Lines,
    ) -> None:
        number = change.place.number
        if number == 1 and change.stored.updated > progress.time:
            return
        name = f"{key.type}/{key.id}"
        then = await self._as_of(key, progress.time)
        # With one change it was found before, if that version was not the one of then.
        if then is None or number > then.number + 1 or name in progress.late:
            return
        is_late = number <= then.number
        if is_late:
            progress.late.append(name)
        version = then.version
        if version.deleted or not await self.scope.matches(version):
            return
        mine = (await self.scope.owned([version])).get(key)
        if mine is None or (not is_late and self._has_passed(mine, version, change.place, at)):
            return
        current = await self.store.read(self.project, key.type, key.id)
        seen = await shown(self.view, current or version, version)
        if seen is not None:
            lines.add(Part.OUTPUT, key.type, await self._line(seen))
            lines.shown.append(seen)

    def _has_passed(
        self, mine: Stretch, version: Stored, place: Position, at: tuple[int, Place | None]
    ) -> bool:
        """Whether the walk had come by a version before this step."""
        stretch = self._stretch(at[0])
        if stretch is None:
            return True
        if self.scope.order(mine) != self.scope.order(stretch):
            return self.scope.order(mine) < self.scope.order(stretch)
        if at[1] is None:
            return False
        values = extract(decode(version.body), self.bases)
        candidate = Candidate(place.resource, version.id, version.updated, values)
        return not follows(candidate.place(version.type, ()), at[1], ())

    async def _as_of(self, key: Key, time: int) -> AsOf | None:
        """The version of a resource at a time; ``None`` where it was not there yet."""
        offset = 0
        while True:
            some, total = await self.store.history(self.project, *key, _VERSIONS, offset)
            for back, version in enumerate(some, offset):
                if version.updated <= time:
                    return AsOf(version, total - back)
            offset += _VERSIONS
            if offset >= total:
                return None

    async def _deletions(self, progress: Progress, lines: Lines) -> None:
        """Tell of some of what was deleted since, up to when the export began."""
        assert self.asked.since is not None
        if progress.log < 0:
            progress.log = await self._position_at(self.asked.since - _LOOSE)
        some = await self.store.changes(self.project, progress.log, _CHANGES)
        told: list[Stored] = []
        for change in some:
            one = change.stored
            is_asked = (
                one.deleted
                and self.asked.since < one.updated <= progress.time
                and self.scope.has(one.type)
            )
            if is_asked and await self._is_told_of(change, progress.time):
                told.append(one)
            progress.log = change.position
        for at in range(0, len(told), _TOLD):
            lines.add(Part.DELETED, "Bundle", encode(_gone(told[at : at + _TOLD])))
        if not some or progress.log >= progress.seen:
            progress.phase = Phase.SETTLING

    async def _is_told_of(self, change: Change, time: int) -> bool:
        one = change.stored
        then = await self._as_of(Key(one.type, one.id), time)
        if then is None or then.version.version_id != one.version_id:
            return False
        current = await self.store.read(self.project, one.type, one.id)
        if await shown(self.view, current or one, one) is None:
            return False
        back = (await self.store.history(self.project, one.type, one.id, _VERSIONS, 0))[1]
        some, _ = await self.store.history(
            self.project, one.type, one.id, _VERSIONS, back - then.number
        )
        last = next((version for version in some if not version.deleted), None)
        if last is None:
            return False
        found = await self.scope.owned([last], gone=True)
        # It has changed since, as it is gone.
        return bool(found) and await self.scope.matches(last._replace(updated=one.updated))

    async def _position_at(self, time: int) -> int:
        """A position before all changes of that time and later."""
        low, high = 0, await self.store.position(self.project)
        while low < high:
            middle = (low + high) // 2
            some = await self.store.changes(self.project, middle, 1)
            if some and some[0].stored.updated < time:
                low = middle + 1
            else:
                high = middle
        return low


def _gone(versions: list[Stored]) -> dict[str, object]:
    """A Bundle that deletes what was deleted (Bulk Data §2.4.4)."""
    entries = [{"request": {"method": "DELETE", "url": f"{one.type}/{one.id}"}} for one in versions]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
