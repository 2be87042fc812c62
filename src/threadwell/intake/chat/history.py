"""The messages of a patient's thread: the latest ones, older ones, and what has changed since.

A *cursor* is a position of the project's changes with the time at which it was told, and a mark of
what stands there. What came after it is read from the changes themselves, each once. Where too much
has changed for that, the thread is searched by the time of the last change, a while back: then some
may be told once more. Where something else stands there, it is another store by now, a copy or one
that was restored, and the app begins anew.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from threadwell.channels.chat.names import NAME, Patient
from threadwell.encounters import codes
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.search.query import DateFilter, Query, ReferenceFilter, Sort, TokenFilter
from threadwell.fhir.search.sought import DateMatch, Prefix, ReferenceMatch, TokenMatch
from threadwell.intake.chat.refused import ChatRefused
from threadwell.intake.chat.seen import Seen, seen
from threadwell.intake.paging import chunks, search_all
from threadwell.stores.contract import Key, Store, Stored

#: Messages of one answer, at most and if nobody says.
MOST, USUAL = 200, 50
#: Changes of a project that are looked through one by one, rather than to search the thread.
NEAR = 2000
#: Messages that are told of what has changed while an app was away; beyond it starts anew.
FAR = 1000
#: How much earlier a change may have been stamped than it was told.
_OVERLAP_MS = 10 * 60 * 1000
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,15})-([0-9a-f]{8})")
#: The mark of a position before every change.
_START = "0" * 8
_BEFORE = re.compile(r"(-?[0-9]{1,18})-([0-9a-f-]{36})")


class Cursor(NamedTuple):
    """How far an app is: a position, when it was told, in milliseconds since 1970 UTC, and what
    stands there (``mark_of``).
    """

    position: int
    at: int
    mark: str

    def __str__(self) -> str:
        return f"{self.position}-{self.at}-{self.mark}"


def mark_of(stored: Stored) -> str:
    """What tells a change from others at its position."""
    name = f"{stored.type}/{stored.id}/{stored.version_id}"
    return blake2b(name.encode(), digest_size=4).hexdigest()


async def cursor_at(store: Store, project: str, position: int, at: int) -> Cursor:
    """The cursor of a position."""
    return Cursor(position, at, await _mark(store, project, position))


def parse_cursor(text: str, where: str = "cursor") -> Cursor:
    """The cursor that an app was given; raises ``ChatRefused``."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise ChatRefused("invalid", "it is no cursor that was given out here", where)
    return Cursor(int(found[1]), int(found[2]), found[3])


@dataclass(frozen=True, slots=True)
class History:
    """Messages in the order of time, or of their changes.

    ``cursor`` is where to go on from for what comes after. ``before`` asks for older ones, ``""``
    where there are none. With ``anew`` they are the latest ones of the thread, as too much has
    changed to be told one by one: what the app has of before may not be up to date.
    """

    messages: list[Seen]
    cursor: Cursor
    before: str = ""
    anew: bool = False


async def latest(
    store: Store, project: str, patient: Patient, now: int, count: int = USUAL, before: str = ""
) -> History:
    """The latest messages, or those ``before`` others; raises ``ChatRefused``."""
    cursor = await cursor_at(store, project, await store.position(project), now)
    later: list[DateFilter] = []
    last: tuple[int, str] | None = None
    if before:
        found = _BEFORE.fullmatch(before)
        if found is None:
            raise ChatRefused("invalid", "it was not given out here", "before")
        last = int(found[1]), found[2]
        later = [DateFilter("sent", (DateMatch(Prefix.LE, last[0], last[0] + 1),))]
    out: list[tuple[int, str, Seen]] = []
    for some in chunks(await headers(store, project, patient)):
        query = Query(
            "Communication",
            (_parts(some), *later),
            sort=(Sort("sent", descending=True),),
            count=min(count + 20, 1000),
        )
        mine = 0
        async for stored in search_all(store, project, query):
            one = seen(stored, patient)
            if one is None or one.state == "withdrawn":
                continue
            key = (_micros(one), one.id)
            if last is None or key < last:
                out.append((*key, one))
                mine += 1
            if mine > count:
                break
    out.sort(key=lambda one: one[:2])
    shown = out[-count:]
    more = f"{shown[0][0]}-{shown[0][1]}" if len(out) > len(shown) else ""
    return History([one for _, _, one in shown], cursor, more, anew=not before)


async def since(store: Store, project: str, patient: Patient, cursor: Cursor, now: int) -> History:
    """What has changed after a cursor, each message as it stands now."""
    position = await store.position(project)
    if cursor.mark != await _mark(store, project, cursor.position):
        return await latest(store, project, patient, now)
    fresh = await cursor_at(store, project, position, now)
    if position - cursor.position <= NEAR:
        out: dict[str, Seen] = {}
        async for news in changed(store, project, patient, cursor.position, position):
            out.pop(news.id, None)
            out[news.id] = news
        return History(list(out.values()), fresh)
    low = (cursor.at - _OVERLAP_MS) * 1000
    later = DateFilter("_lastUpdated", (DateMatch(Prefix.GE, low, low + 1),))
    found: list[Seen] = []
    for some in chunks(await headers(store, project, patient)):
        query = Query("Communication", (_parts(some), later), count=200)
        async for stored in search_all(store, project, query):
            one = seen(stored, patient)
            if one is not None:
                found.append(one)
            if len(found) > FAR:
                return await latest(store, project, patient, now)
    found.sort(key=lambda one: (_micros(one), one.id))
    return History(found, fresh)


async def changed(
    store: Store, project: str, patient: Patient, after: int, until: int
) -> AsyncIterator[Seen]:
    """The patient's messages in the changes after a position up to another one, as they were."""
    at = after
    while at < until and (some := await store.changes(project, at, 200)):
        for change in some:
            at = change.position
            if at > until:
                return
            mine = seen(change.stored, patient)
            if mine is not None:
                yield mine


async def find(store: Store, project: str, patient: Patient, ids: list[str]) -> dict[str, Seen]:
    """Those of the messages that are the patient's, by their ids."""
    found = await store.read_many(project, [Key("Communication", one) for one in ids])
    mine = ((key.id, seen(stored, patient)) for key, stored in found.items())
    return {id_: one for id_, one in mine if one is not None}


async def headers(store: Store, project: str, patient: Patient) -> list[str]:
    """The ids of the headers of the patient's thread, one for each session, the earliest first."""
    own = TokenFilter("identifier", (TokenMatch(codes.THREAD + NAME, patient.thread),))
    query = Query("Communication", (own,), count=1000)
    return [stored.id async for stored in search_all(store, project, query)]


async def _mark(store: Store, project: str, position: int) -> str:
    if not position:
        return _START
    some = await store.changes(project, position - 1, 1)
    return mark_of(some[0].stored) if some and some[0].position == position else ""


def _parts(headers: list[str]) -> ReferenceFilter:
    return ReferenceFilter(
        "part-of", tuple(ReferenceMatch("Communication", one, "") for one in headers)
    )


def _micros(one: Seen) -> int:
    return parse_fhir_time(one.sent) if one.sent else 0
