"""Tells equal messages of one second apart, whether or not a program has cut its fractions."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

#: Of so many messages it is remembered which others were like them. In an export those stand close
#: together, and its memory has to stay bounded.
_REMEMBERED = 50_000


@dataclass(slots=True)
class _Second:
    """Messages of one second that say the same: their fractions, and how many have none."""

    fractions: list[int]
    whole: int


@dataclass(slots=True)
class Alike:
    """Counts the messages of one export that are alike, in its order."""

    #: Most are alone: of those the fraction is enough.
    _seen: OrderedDict[str, int | _Second] = field(default_factory=OrderedDict)

    def place(self, identity: str, fraction: int) -> int:
        """Which of the messages of that identity, second and all, this one is: 1, 2 …

        ``fraction`` is that of its second, 0 where a program has cut it. Of those with a fraction,
        each fraction is one message, however often it stands there: a phone that was restored has
        all of its messages twice. Of those without, each is one.
        """
        second = self._seen.pop(identity, None)
        if second is None:
            self._seen[identity] = fraction
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return 1
        if isinstance(second, int):
            second = _Second([second], 0) if second else _Second([], 1)
        self._seen[identity] = second
        if not fraction:
            second.whole += 1
            return second.whole
        if fraction not in second.fractions:
            second.fractions.append(fraction)
        return second.fractions.index(fraction) + 1
