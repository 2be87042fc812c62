"""The sessions of a store in lines, as plain method calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from threadwell.facade.caring import Caring
from threadwell.facade.wanted import check_page, check_wanted
from threadwell.inbox.dates import Dates, dates_of
from threadwell.inbox.reader import Reader
from threadwell.intake.care_zone import care_zone

if TYPE_CHECKING:
    from threadwell.inbox.walking import SessionsPage
    from threadwell.intake import SessionSummary

T = TypeVar("T")


class Listing(Caring):
    """What stands on the first of the pages: sessions, the one that was written in last first."""

    @property
    def care_zone(self) -> ZoneInfo:
        """The care time zone, UTC where none was ever given: ``tw.care_zone.key``."""
        return self._loop.call(care_zone(self._store))

    @property
    def dates(self) -> Dates:
        """Days and times as the practice writes them: ``tw.dates.text(session.start)``."""
        return self._loop.call(dates_of(self._store))

    def sessions(
        self,
        *,
        status: str = "all",
        patient: str = "",
        channel: str = "",
        since: date | None = None,
        until: date | None = None,
        to_review: bool = False,
        limit: int | None = None,
    ) -> list[SessionSummary]:
        """The sessions that stand, as on the pages the one that was written in last first:
        ``[s.id for s in tw.sessions()]``. One patient's, those with an open question and the
        superseded stand by when they began.

        ``status`` is ``all`` (but the superseded), ``open``, ``finished`` or ``superseded``,
        ``patient`` a Patient's id, ``channel`` a name such as ``sms_backup``. They begin on a day
        from ``since`` to ``until`` in the care time zone. ``to_review`` leaves those about which a
        question is open. At most ``limit`` are read. Raises ``BadSetting``. For example::

            tw.sessions(patient="123", since=date(2026, 11, 1), limit=20)
        """
        from threadwell.inbox.walking import first_sessions
        from threadwell.intake import Wanted

        check_wanted(channel, since, until, limit)
        wanted = Wanted(status, patient, channel, since, until, to_review)
        zone = self.care_zone
        return self._show(
            "sessions",
            self._read(lambda reader, _: first_sessions(reader, wanted, zone=zone, limit=limit)),
        )

    def session_pages(
        self, *, status: str = "all", after: str = "", size: int = 1000
    ) -> Iterator[SessionsPage]:
        """The sessions of a status as ``sessions`` has them, ``size`` at a time.

        ``after`` is that of a page, to go on behind it; it is ``""`` for the last one. What has
        been given is not kept, however many there are. Raises ``BadSetting``. For example::

            for page in tw.session_pages():
                print(len(page.sessions), page.after)
        """
        from threadwell.inbox.walking import by_pages
        from threadwell.intake import Wanted

        check_page(after, size)
        reader = Reader(self._store, self._project)
        return self._each(by_pages(reader, Wanted(status), after=after, size=size))

    def count_sessions(self) -> int:
        """How many sessions stand: ``tw.count_sessions() == len(tw.sessions())``."""
        from threadwell.intake import count_sessions

        return self._loop.call(count_sessions(self._store, self._project))

    def _each(self, pages: AsyncGenerator[SessionsPage, None]) -> Iterator[SessionsPage]:
        try:
            while (page := self._show("sessions", _next(pages))) is not None:
                yield page
                if not page.after:
                    return
        finally:
            if not self._loop.closed:
                self._loop.call(_closed(pages))

    async def _read(self, page: Callable[[Reader, Dates], Awaitable[T]]) -> T:
        return await page(Reader(self._store, self._project), await dates_of(self._store))


async def _next(pages: AsyncGenerator[SessionsPage, None]) -> SessionsPage | None:
    return await anext(pages, None)


async def _closed(pages: AsyncGenerator[SessionsPage, None]) -> None:
    await pages.aclose()
