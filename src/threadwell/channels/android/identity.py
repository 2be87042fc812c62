"""The id of a message, made of what every backup of it has alike: see README.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from threadwell.channels.alike import Alike


@dataclass(slots=True)
class Identities:
    """Makes the ids of one backup, in its order; ``earlier`` asks for those of earlier builds."""

    earlier: bool = False
    alike: Alike = field(default_factory=Alike)

    def of(self, ms: int, provider_id: str, *says: str) -> str:
        """The id of a message of that time that ``says`` what it says.

        Only the second counts, for apps cut the rest when they restore or write a message. What
        the provider calls a message (``provider_id``) tells it from all others; without, equal ones
        of one second are told apart by their sequence.
        """
        second, fraction = divmod(ms, 1000)
        if provider_id:
            return _digest("id", provider_id, str(second), *says)
        identity = _digest(str(second), *says)
        place = self.alike.place(identity, fraction)
        return identity if place == 1 else _digest(identity, str(place))


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
