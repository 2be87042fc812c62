"""The id of a message, made of what every export of it has alike: see README.md."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256


@dataclass(slots=True)
class Identities:
    """Makes the ids of one page, in its order."""

    _seen: Counter[str] = field(default_factory=Counter)

    def of(self, sent: datetime, *says: str) -> str:
        """The id of a message of that time, to the millisecond, that ``says`` what it says.

        Those of a page that are equal in all of it are told apart by their sequence. A page that
        is there twice has the same messages twice, and not more.
        """
        instant = sent.astimezone(UTC).isoformat(timespec="milliseconds")
        identity = _digest(instant, *says)
        self._seen[identity] += 1
        place = self._seen[identity]
        return identity if place == 1 else _digest(identity, str(place))


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
