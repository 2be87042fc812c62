"""Times between a message (aware ``datetime``), the core (microseconds) and FHIR (``dateTime``)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from threadwell.fhir.json import encode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    apart = moment - _EPOCH
    return (apart.days * 86_400 + apart.seconds) * 1_000_000 + apart.microseconds


# A session and its header have times of its messages, and what is sent is received at once.
@lru_cache(maxsize=4096)
def fhir_time(at: int) -> str:
    """The ``dateTime`` in UTC, with as many decimals as it takes: ``2024-04-10T09:00:00Z``."""
    # As JSON it is the same between quotation marks, and is made in a quarter of the time.
    return encode(_EPOCH + timedelta(0, 0, at))[1:-1].decode()


def parse_fhir_time(text: str) -> int:
    """Microseconds since 1970 UTC of a ``date``, ``dateTime`` or ``instant``.

    Where there is no time it is the first moment in UTC. Raises ``ValueError`` for anything else.
    """
    moment = datetime.fromisoformat(text + {4: "-01-01", 7: "-01"}.get(len(text), ""))
    return microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
