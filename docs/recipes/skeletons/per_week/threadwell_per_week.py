"""A session policy: the messages of one ISO week in the care time zone are one session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from threadwell.sessions import PolicyOptions, Sent, Session

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def per_week(messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
    """A session for each week that has messages; it is over when the week is."""
    weeks: dict[date, list[Sent]] = {}
    for message in messages:
        day = (_EPOCH + message.at * _MICROSECOND).astimezone(options.zone).date()
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append(message)
    sessions = []
    for monday, those in weeks.items():
        end = datetime.combine(monday + timedelta(days=7), time(), options.zone)
        closes = (end.astimezone(UTC) - _EPOCH) // _MICROSECOND
        year, week, _ = monday.isocalendar()
        sessions.append(Session(f"{year}-W{week:02}", tuple(those), closes))
    return sessions
