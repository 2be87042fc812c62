"""How many messages somebody has not read, as all that was told of it says.

In the way that the practice has chosen it is told message by message (``status``, ``task``), or up
to which one (``extension``). Where that tells nothing of somebody, our own mark of them counts, and
whatever a header says beside. Who looks for the first time has read everything.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from threadwell.encounters.receipts import (
    is_of_two,
    mark,
    mark_identity,
    marked,
    read_in,
)
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import DateFilter, Filter, Query, ReferenceFilter, TokenFilter
from threadwell.fhir.search.sought import DateMatch, Prefix, ReferenceMatch, TokenMatch
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.commits.batch import Batch
from threadwell.intake.links import as_key, target
from threadwell.intake.receipts.marking import LIVE, is_to, requested
from threadwell.intake.receipts.model import Model, receipt_model
from threadwell.stores.contract import ChangeSet, Conflict, Key, Reading, Store, StoreError

#: More unread messages of a thread than these are not counted one by one.
MOST = 100


async def unread(
    store: Store,
    project: str,
    sessions: Sequence[Sequence[Resource]],
    who: str,
    clock: Clock = now_ms,
    *,
    seen: Reading | None = None,
) -> list[int]:
    """How many messages of each session, given as its thread headers, ``who`` has not read.

    What their own side wrote is unread to nobody. Of the messages those count that are ``seen``,
    where that is less than the store has.
    """
    first = mark_identity(who)
    headers = {one["id"]: one for headers in sessions for one in headers}
    tasks = {id_: Key("Task", mark_identity(who, id_).id) for id_ in headers}
    found = await store.read_many(project, [Key("Task", first.id), *tasks.values()])
    marks = {key: marked(decode(one.body)) for key, one in found.items() if not one.deleted}
    since = marks.get(Key("Task", first.id))
    if since is None:
        since = clock() * 1000
        batch = Batch(updated=clock(), author=who)
        batch.write(Key("Task", first.id), mark(first, who, "", since))
        # It is no harm if that fails: they look for the first time once more.
        with contextlib.suppress(Conflict, StoreError):
            await store.commit(project, ChangeSet(tuple(batch.writes.values())))
    model = await receipt_model(store, project)
    counting = _Counting(seen or store, project, who, since, model)
    if model is Model.TASK and headers:
        counting.waiting = Counter(
            as_key(target(decode(one.body), "focus")).id
            for one in await requested(store, project, who, list(headers))
        )
    await counting.look({id_: marks.get(task) for id_, task in tasks.items()}, headers)
    return [sum([await counting.of(one) for one in some]) for some in sessions]


@dataclass(slots=True)
class _Counting:
    """Counts the messages of threads that ``who`` has not read; they look since a moment."""

    store: Reading
    project: str
    who: str
    since: int
    model: Model
    waiting: Counter[str] | None = None
    _until: dict[str, int] = field(default_factory=dict)
    _after: dict[str, int] | None = None

    async def look(self, own: Mapping[str, int | None], headers: Mapping[str, Resource]) -> None:
        """Look at threads, of which our ``own`` marks tell until when they were read, by header.

        What came since is asked for all at once, where that is not much.
        """
        for id_, header in headers.items():
            told = await self._told(header)
            if self.model is Model.EXTENSION and told is not None:
                self._until[id_] = told
            else:
                self._until[id_] = max(told or 0, own[id_] or 0, self.since)
        if not headers:
            return
        matches = tuple(ReferenceMatch("Communication", one, "") for one in headers)
        of, since = ReferenceFilter("part-of", matches), _after(min(self._until.values()))
        query = Query("Communication", (of, LIVE, since), count=2 * MOST)
        page = await self.store.search(self.project, query)
        if page.more:
            return
        self._after = dict.fromkeys(headers, 0)
        for one in page.matches:
            body = decode(one.body)
            for part in body.get("partOf") or ():
                name = str(part.get("reference", "")).rpartition("Communication/")[2]
                id_ = name.partition("/")[0]
                if id_ in self._until and parse_fhir_time(body["sent"]) > self._until[id_]:
                    self._after[id_] += is_to(body, self.who)

    async def of(self, header: Resource) -> int:
        """How many of one thread that was looked at."""
        here = {str(one.get("reference", "")) for one in header.get("recipient") or ()}
        if self.waiting is not None and self.who in here:
            return self.waiting[header["id"]]
        if self.model is Model.STATUS and is_of_two(header):
            return await self._count(header["id"], TokenFilter("status", (_UNREAD,)))
        if self._after is not None:
            return min(MOST, self._after[header["id"]])
        return await self._count(header["id"], LIVE, _after(self._until[header["id"]]))

    async def _told(self, header: Resource) -> int | None:
        """Until when the header tells that they have read; ``None`` where it tells nothing."""
        there = read_in(header, self.who)
        if there is None:
            return None
        name, at = there
        stored = await self.store.read(self.project, *as_key(name)) if name else None
        body: Resource = decode(stored.body) if stored and not stored.deleted else {}
        return parse_fhir_time(str(body["sent"])) if "sent" in body else at

    async def _count(self, header: str, *filters: Filter) -> int:
        of = ReferenceFilter("part-of", (ReferenceMatch("Communication", header, ""),))
        query = Query("Communication", (of, *filters), count=MOST)
        page = await self.store.search(self.project, query)
        return sum(is_to(decode(one.body), self.who) for one in page.matches)


_UNREAD = TokenMatch(None, "in-progress")


def _after(moment: int) -> DateFilter:
    return DateFilter("sent", (DateMatch(Prefix.SA, moment + 1, moment + 1),))
