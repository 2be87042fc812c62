"""Sessions in the order of the pages, as many as are wanted, for those who show no page."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from threadwell.fhir.resource import Resource
from threadwell.inbox.activity import Recent, walked
from threadwell.inbox.reader import Reader
from threadwell.intake.reports.sessions import SessionSummary, by_beginning, sessions, summaries
from threadwell.intake.reports.wanted import Wanted

#: Sessions that are read at once where all are wanted.
_AT_ONCE = 1000


class SessionsPage(NamedTuple):
    """Sessions, and the cursor behind the last of them; ``""`` where there are no more."""

    sessions: list[SessionSummary]
    after: str


async def first_sessions(
    reader: Reader, wanted: Wanted, *, zone: ZoneInfo, limit: int | None
) -> list[SessionSummary]:
    """The first ``limit`` of the wanted sessions, in the order of the pages.

    Here the days of ``wanted`` are those on which they began.
    """
    if is_narrowed(wanted):
        return await sessions(reader.view, reader.project, wanted, zone=zone, limit=limit)
    found: list[SessionSummary] = []
    if limit == 0:
        return found
    async with aclosing(by_pages(reader, wanted, size=min(limit or _AT_ONCE, _AT_ONCE))) as pages:
        async for page in pages:
            found += page.sessions
            if limit is not None and len(found) >= limit:
                return found[:limit]
    return found


def is_narrowed(wanted: Wanted) -> bool:
    """Whether those sessions are looked for and put in order, where others are walked to."""
    return bool(wanted.channel or wanted.since or wanted.until or by_beginning(wanted))


async def by_pages(
    reader: Reader, wanted: Wanted, *, after: str = "", size: int
) -> AsyncGenerator[SessionsPage, None]:
    """The sessions of a status, ``size`` at a time, in the order of the pages, from a cursor on.

    One walk finds them all, however many there are.
    """
    asked = Recent(partial(fits, reader, ""), status=wanted.status)
    async with aclosing(walked(reader, asked, after, size)) as pages:
        async for page in pages:
            found = await summaries(reader.view, reader.project, page.encounters)
            yield SessionsPage(found, page.turns.after)


async def fits(reader: Reader, waiting: str, encounter: Resource, last: Resource | None) -> bool:
    """Whether a session waits for whom it should."""
    if not waiting:
        return True
    from threadwell.inbox.waiting import is_done, waits_for_us  # takes long, and few ask

    if last is None or waits_for_us(last) is not (waiting == "us"):
        return False
    return not await is_done(reader, encounter, last)
