"""When the practice is open: hours of the days of a week, in the care time zone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_US = 60_000_000
#: Days that are looked through for an open hour; a practice that never opens is always open.
_MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """``days`` has for each day of the week (0 is Monday) its open spans in minutes of the day.

    On the days that are ``closed`` nobody is there. ``zone`` is the care time zone.
    """

    days: Mapping[int, tuple[tuple[int, int], ...]]
    zone: ZoneInfo
    closed: frozenset[date] = field(default_factory=frozenset)

    def is_open(self, at: int) -> bool:
        """Whether somebody is there then, in microseconds since 1970 UTC."""
        day = self._local(at).date()
        # A span may end at midnight.
        return any(start <= at < end for start, end in self._spans(day))

    def after(self, at: int, length: int) -> int:
        """When so many microseconds of open time have passed since ``at``."""
        left = length
        day = self._local(at).date()
        for _ in range(_MOST_DAYS):
            for start, end in self._spans(day):
                begin = max(start, at)
                if begin < end:
                    if left <= end - begin:
                        return begin + left
                    left -= end - begin
            day += timedelta(days=1)
        return at + length

    def _spans(self, day: date) -> Iterator[tuple[int, int]]:
        """The open spans of a day, in microseconds since 1970 UTC."""
        if day in self.closed:
            return
        for start, end in self.days.get(day.weekday(), ()):
            yield self._moment(day, start), self._moment(day, end)

    def _moment(self, day: date, minute: int) -> int:
        # Minutes of the clock on the wall: a day of 23 hours opens at the same hour.
        extra, minute = divmod(minute, 1440)
        local = datetime(day.year, day.month, day.day, tzinfo=self.zone) + timedelta(days=extra)
        local = local.replace(hour=minute // 60, minute=minute % 60)
        apart = local.astimezone(UTC) - _EPOCH
        return int(apart / timedelta(microseconds=1))

    def _local(self, at: int) -> datetime:
        return (_EPOCH + timedelta(microseconds=at)).astimezone(self.zone)
