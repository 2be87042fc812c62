"""Times between a message (aware ``datetime``), the core (microseconds) and FHIR (``dateTime``)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES = [f"T{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440)]
_SECONDS = [f"{second:02d}" for second in range(60)]


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    apart = moment - _EPOCH
    return (apart.days * 86_400 + apart.seconds) * 1_000_000 + apart.microseconds


def fhir_time(at: int) -> str:
    """The ``dateTime`` in UTC, with as many decimals as it takes: ``2024-04-10T09:00:00Z``."""
    seconds, fraction = divmod(at, 1_000_000)
    minutes, second = divmod(seconds, 60)
    day, minute = divmod(minutes, 1440)
    whole = f"{_date(day)}{_MINUTES[minute]}{_SECONDS[second]}"
    return f"{whole}.{fraction:06d}Z" if fraction else f"{whole}Z"


# Messages of one day come together, and every one of them has times.
@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def parse_fhir_time(text: str) -> int:
    """Microseconds since 1970 UTC of a ``date``, ``dateTime`` or ``instant``.

    Where there is no time it is the first moment in UTC. Raises ``ValueError`` for anything else.
    """
    moment = datetime.fromisoformat(text + {4: "-01-01", 7: "-01"}.get(len(text), ""))
    return microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
