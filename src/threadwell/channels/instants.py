"""Times with a zone, as the APIs of phone systems write them (RFC 3339)."""

from __future__ import annotations

from datetime import UTC, datetime

_FIRST_YEAR = 2000


def parse_instant(text: str) -> datetime | None:
    """The moment in UTC; ``None`` for anything that names no zone, or is no time at all.

    Fractions of any length are read to the microsecond.
    """
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is None or found.year < _FIRST_YEAR:
            return None
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
