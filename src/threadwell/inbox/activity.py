"""Sessions in the order of their last messages: walked from there, and never sorted as a whole.

One walk goes over messages, of which the last one of a session stands for it; another over
Encounters, for the sessions that have no message. A page costs what it shows, however many there
are; where most are passed over, it ends after so many messages, and leads on.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import msgspec

from threadwell.encounters import codes
from threadwell.encounters.pattern import SESSIONS, is_session
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import DateFilter, Filter, MissingFilter, Query, Sort, TokenFilter
from threadwell.fhir.search.sought import DateMatch, Prefix, TokenMatch
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.spots import Spot, read_spot, write_spot
from threadwell.inbox.turning import LAST, Turns
from threadwell.intake.reports.last_said import last_said
from threadwell.intake.reports.sessions import session_headers
from threadwell.intake.reports.wanted import STATUSES
from threadwell.stores.contract import Key, Stored

#: Messages that are looked through for one page.
_MOST = 4000
_BATCH, _FEW, _AT_MOST = 100, 25, 800
_WITHDRAWN = "entered-in-error"
_LIVE = TokenFilter(
    "status", tuple(TokenMatch(None, one) for one in (_WITHDRAWN, "preparation")), negate=True
)
#: In place of a session that was passed, and of its last message.
_NOTHING: Resource = {}
_PASSED: Resource = {"id": ""}


@dataclass(frozen=True, slots=True)
class Recent:
    """Which sessions are wanted, by their last messages.

    Those messages were sent from ``since`` until before ``until`` (microseconds), and came by the
    ``channel``, where these are given. ``fits`` decides of a session by its Encounter and last
    message, ``None`` where it has none; of those alone that have a ``status`` (a key of
    ``STATUSES``).
    """

    fits: Callable[[Resource, Resource | None], Awaitable[bool]]
    since: int | None = None
    until: int | None = None
    channel: str = ""
    status: str = "all"


class RecentPage(NamedTuple):
    """The Encounters of a page in their order, and where it goes on."""

    encounters: list[Resource]
    turns: Turns


async def recent(
    reader: Reader,
    wanted: Recent,
    cursor: str,
    count: int,
    among: Sequence[Resource] | None = None,
) -> RecentPage:
    """The page of sessions that a cursor leads to, the one that was written in last first.

    They are ``among`` a few Encounters, where these are known: then nothing is walked over.
    """
    back, spot = read_spot(cursor)
    walk = _Walk(reader, wanted, back, spot, _MOST)
    found: list[tuple[Spot, Resource]] = []
    more = False
    async for at in walk.spots() if among is None else walk.among(among):
        if not at.id:
            more = True
            break
        encounter, last = walk.session(at.id)
        if await wanted.fits(encounter, last):
            if len(found) == count:
                more = True
                break
            found.append((at, encounter))
    reached = found[-1][0] if len(found) == count else walk.reached
    if back:
        found.reverse()
    ahead = write_spot("b" if back else "a", reached) if more and reached else ""
    turned = found[-1][0] if back and found else found[0][0] if found else spot
    behind = write_spot("a" if back else "b", turned) if spot and turned else ""
    before, after = (ahead, behind) if back else (behind, ahead)
    return RecentPage([one for _, one in found], Turns(before, after, LAST if after else ""))


async def walked(
    reader: Reader, wanted: Recent, cursor: str, size: int
) -> AsyncGenerator[RecentPage, None]:
    """Every page of ``size`` sessions from a cursor on, by one walk: to the end of them.

    Of those that it has passed it keeps no more than their ids.
    """
    _, spot = read_spot(cursor)
    walk = _Walk(reader, wanted, False, spot, sys.maxsize)
    found: list[Resource] = []
    reached: Spot | None = None
    async for at in walk.spots():
        encounter, last = walk.session(at.id)
        if await wanted.fits(encounter, last):
            if len(found) == size and reached is not None:
                yield RecentPage(found, Turns("", write_spot("a", reached)))
                found = []
            found.append(encounter)
            reached = at
        walk.let_go(at.id)
    if found:
        yield RecentPage(found, Turns("", ""))


class _Walk:
    """One page's walk, in one direction, with what it has read."""

    def __init__(
        self, reader: Reader, wanted: Recent, back: bool, spot: Spot | None, most: int
    ) -> None:
        self._reader = reader
        self._most = most
        self._wanted = wanted
        self._back = back
        self._spot = spot
        self._headers: dict[str, str] = {}
        self._encounters: dict[str, Resource] = {}
        self._last: dict[str, Resource | None] = {}
        # From the newest message on, the first that is met of a session is its last one.
        self._newest = not back and spot is None and wanted.until is None and not wanted.channel
        self.scanned = 0
        self.reached: Spot | None = None

    def session(self, id_: str) -> tuple[Resource, Resource | None]:
        """A session that the walk has met, and its last message."""
        return self._encounters[id_], self._last[id_]

    def let_go(self, id_: str) -> None:
        """It is enough to know that the walk has met the session."""
        self._encounters[id_], self._last[id_] = _NOTHING, _PASSED

    async def spots(self) -> AsyncIterator[Spot]:
        """The sessions in their order, from behind the spot on."""
        streams = [_Peek(self._spoken()), _Peek(self._silent())]
        pick = min if self._back else max
        while True:
            heads = [one for one in [await stream.head() for stream in streams] if one]
            if not heads:
                return
            at = pick(head.at for head in heads)
            tied: list[Spot] = []
            for stream in streams:
                while (head := await stream.head()) and head.at == at:
                    tied.append(head)
                    stream.take()
            for spot in sorted(tied, reverse=not self._back):
                self.reached = spot
                if not spot.id and self.scanned <= self._most:
                    continue
                if self._spot is None or (spot > self._spot if self._back else spot < self._spot):
                    yield spot

    async def among(self, encounters: Sequence[Resource]) -> AsyncIterator[Spot]:
        """Those of a few sessions that are behind the spot, in their order."""
        self._encounters = {one["id"]: one for one in encounters}
        await self._know_last(self._encounters)
        every = [
            Spot(_began(one) if (last := self._last[id_]) is None else _at(last), id_)
            for id_, one in self._encounters.items()
            if self._stands(id_)
        ]
        for spot in sorted(every, reverse=not self._back):
            self.reached = spot
            if self._spot is None or (spot > self._spot if self._back else spot < self._spot):
                yield spot

    async def _spoken(self) -> AsyncIterator[Spot]:
        """Sessions by their last messages, and how far it has come."""
        filters: list[Filter] = [MissingFilter("part-of", missing=False), _LIVE]
        if self._wanted.channel:
            of = TokenMatch(codes.MESSAGE + self._wanted.channel, None)
            filters.append(TokenFilter("identifier", (of,)))
        query = Query("Communication", (*filters, *self._bounds("sent")), (self._sort("sent"),))
        async for some in self._pages(query, _BATCH):
            children = [_met(match.body) for match in some]
            self.scanned += len(children)
            await self._meet({one.header for one in children})
            sessions = [self._headers.get(one.header, "") for one in children]
            if self._newest:
                for session, child in zip(sessions, children, strict=True):
                    if session not in self._last:
                        stands = self._stands(session)
                        self._last[session] = decode(child.body) if stands else _PASSED
            for session, child in zip(sessions, children, strict=True):
                last = self._last.get(session)
                if last is not None and last["id"] == child.id and self._stands(session):
                    yield Spot(_time(child.sent), session)
            if children:
                yield Spot(_time(children[-1].sent), "")

    async def _silent(self) -> AsyncIterator[Spot]:
        """Sessions without a message, by when they began, and how far it has come.

        What does not tell when it began stands last.
        """
        if self._wanted.channel:
            return
        is_one, some = STATUSES[self._wanted.status]
        matches = tuple(TokenMatch(None, code) for code in some)
        sessions = (*SESSIONS, TokenFilter("status", matches, negate=not is_one))
        told: tuple[Filter, ...] = (MissingFilter("date", missing=False), *self._bounds("date"))
        dated = Query("Encounter", (*sessions, *told), (self._sort("date"),))
        undated = Query("Encounter", (*sessions, MissingFilter("date", missing=True)))
        bounded = self._wanted.since is not None or self._wanted.until is not None
        queries = [dated] if bounded else [undated, dated] if self._back else [dated, undated]
        for query in queries:
            async for encounters in self._batches(query, _FEW):
                async for spot in self._unspoken(encounters):
                    yield spot

    async def _unspoken(self, encounters: Sequence[Resource]) -> AsyncIterator[Spot]:
        """Those that have no message, and how far it has come."""
        await self._know([one["id"] for one in encounters])
        # Going back in time, whoever has written in a session since it began was met before that
        # moment is reached: then there is nothing to ask about it. So each moment is told first.
        asked = len(encounters) if self._back else 1
        for number, one in enumerate(encounters):
            at = _began(one)
            if not self._back:
                yield Spot(at, "")
            if one["id"] not in self._last:
                await self._know_last([e["id"] for e in encounters[number : number + asked]])
                asked *= 2
            if self._last.get(one["id"]) is None:
                yield Spot(at, one["id"])
        if encounters and self._back:
            yield Spot(_began(encounters[-1]), "")

    async def _batches(self, query: Query, size: int) -> AsyncIterator[list[Resource]]:
        async for page in self._pages(query, size):
            yield [decode(match.body) for match in page]

    async def _pages(self, query: Query, size: int) -> AsyncIterator[Sequence[Stored]]:
        """All matches, ``size`` at a time; more of them are read at once the longer it takes."""
        query = replace(query, count=size)
        while True:
            page = await self._reader.view.search(self._reader.project, query)
            for at in range(0, len(page.matches), size):
                yield page.matches[at : at + size]
            if not page.more:
                return
            count = min(2 * (query.count or size), _AT_MOST)
            query = replace(query, after=page.last, count=count)

    async def _meet(self, headers: Iterable[str]) -> None:
        """Know the sessions of those thread headers."""
        new = {id_ for id_ in headers if id_ and id_ not in self._headers}
        found = await self._read("Communication", new)
        for id_ in new:
            self._headers[id_] = id_in(found.get(id_, {}).get("encounter"), "Encounter")
        sessions = [self._headers[id_] for id_ in new]
        await self._know(sessions)
        if not self._newest:
            await self._know_last(sessions)

    async def _know(self, sessions: Iterable[str]) -> None:
        """Know the Encounters of those sessions."""
        new = {id_ for id_ in sessions if id_ and id_ not in self._encounters}
        found = await self._read("Encounter", new)
        self._encounters.update((id_, found.get(id_, {})) for id_ in new)

    def _stands(self, session: str) -> bool:
        encounter = self._encounters.get(session)
        return encounter is not None and has_status(encounter, self._wanted.status)

    async def _know_last(self, sessions: Iterable[str]) -> None:
        """Know the last message of each of those sessions."""
        new = [id_ for id_ in dict.fromkeys(sessions) if id_ and id_ not in self._last]
        standing = [id_ for id_ in new if self._stands(id_)]
        of = await session_headers(self._reader.view, self._reader.project, standing)
        every = (one["id"] for those in of.values() for one in those)
        said = await last_said(self._reader.view, self._reader.project, every, counted=False)
        for id_ in new:
            lasts = [last for one in of.get(id_, ()) if (last := said[one["id"]].last)]
            # What does not tell when it was sent has no place by it.
            dated = [one for one in lasts if one.get("sent")]
            self._last[id_] = max(dated, key=lambda one: (_at(one), one["id"]), default=None)

    async def _read(self, type_: str, ids: Iterable[str]) -> dict[str, Resource]:
        keys = sorted(Key(type_, id_) for id_ in ids)
        found = await self._reader.view.read_many(self._reader.project, keys) if keys else {}
        return {key.id: decode(one.body) for key, one in found.items() if not one.deleted}

    def _sort(self, param: str) -> Sort:
        return Sort(param, descending=not self._back)

    def _bounds(self, param: str) -> list[DateFilter]:
        low, high = self._wanted.since, self._wanted.until
        if self._spot is not None and self._back:
            low = max(filter(None, (low, self._spot.at)), default=None)
        elif self._spot is not None:
            high = min(filter(None, (high, self._spot.at + 1)), default=None)
        out: list[DateFilter] = []
        if low is not None:
            out.append(DateFilter(param, (DateMatch(Prefix.SA, low, low),)))
        if high is not None:
            out.append(DateFilter(param, (DateMatch(Prefix.LT, high, high),)))
        return out


class _Peek:
    """An iterator of which the next one can be looked at."""

    def __init__(self, of: AsyncIterator[Spot]) -> None:
        self._of = of
        self._head: Spot | None = None
        self._begun = False

    async def head(self) -> Spot | None:
        """The next one, ``None`` at the end."""
        if not self._begun:
            self._begun = True
            self._head = await anext(self._of, None)
        return self._head

    def take(self) -> None:
        """Go on to the one behind it."""
        self._begun = False


class _Parent(msgspec.Struct):
    reference: str = ""


class _Seen(msgspec.Struct, rename={"part_of": "partOf"}):
    """As much of a message as a walk needs of most of them."""

    id: str
    part_of: list[_Parent] = []
    sent: str = ""


_SEEN = msgspec.json.Decoder(_Seen)


class _Met(NamedTuple):
    """A message that a walk meets: its id, that of its thread header, when it was sent."""

    id: str
    header: str
    sent: str
    body: bytes


def _met(body: bytes) -> _Met:
    try:
        seen = _SEEN.decode(body)
    except msgspec.ValidationError:  # Whatever it is, it has no place in a session.
        return _Met(str(decode(body)["id"]), "", "", body)
    header = _header_in(seen.part_of[0].reference) if seen.part_of else ""
    return _Met(seen.id, header, seen.sent, body)


@lru_cache(maxsize=1024)
def _header_in(reference: str) -> str:
    return id_in({"reference": reference}, "Communication")


def has_status(encounter: Resource, status: str) -> bool:
    """Whether it is a session that has the status, a key of ``STATUSES``."""
    is_one, statuses = STATUSES[status]
    return is_session(encounter) and (encounter.get("status") in statuses) is is_one


def _at(message: Resource) -> int:
    return _time(str(message.get("sent", "")))


def _began(encounter: Resource) -> int:
    return _time(str((encounter.get("period") or {}).get("start", "")))


def _time(text: str) -> int:
    try:
        return parse_fhir_time(text)
    except ValueError:
        return 0
