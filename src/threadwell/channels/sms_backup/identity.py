"""The id of a message, made of what every backup of it has alike: see README.md."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256

#: Of so many messages it is remembered which others were like them. In a backup those stand close
#: together, and its memory has to stay bounded.
_REMEMBERED = 50_000
_SEPARATOR = "\x1f"


@dataclass(slots=True)
class _Alike:
    """The messages of one second that say the same: when each was, as far as that is known."""

    exact: list[int] = field(default_factory=list)
    cut: int = 0


@dataclass(slots=True)
class Identities:
    """Makes the ids of one backup, in its order."""

    seen: OrderedDict[str, _Alike] = field(default_factory=OrderedDict)

    def of(self, ms: int, provider_id: str, *alike: str) -> str:
        """The id of a message of that time that says ``alike``.

        Only the second counts, for apps cut the rest when they restore or write a message. Those
        of one second that say the same are told apart by their sequence: of those with a fraction,
        each fraction is one, however often it stands there; of those without, every one is. What
        the provider calls a message (``provider_id``) tells it from all others.
        """
        second = str(ms // 1000)
        if provider_id:
            return _digest("id", provider_id, second, *alike)
        base = _digest(second, *alike)
        place = self._place(base, ms)
        return base if place == 1 else _digest(base, str(place))

    def _place(self, base: str, ms: int) -> int:
        like = self.seen.pop(base, None) or _Alike()
        self.seen[base] = like
        if len(self.seen) > _REMEMBERED:
            self.seen.popitem(last=False)
        if ms % 1000 == 0:
            like.cut += 1
            return like.cut
        if ms not in like.exact:
            like.exact.append(ms)
        return like.exact.index(ms) + 1


def _digest(*parts: str) -> str:
    return sha256(_SEPARATOR.join(parts).encode("utf-8", "replace")).hexdigest()[:32]
