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

    fractions: list[int] = field(default_factory=list)
    whole: int = 0


@dataclass(slots=True)
class Alike:
    """Counts the messages of one export that are alike, in its order."""

    _seen: OrderedDict[str, _Second] = field(default_factory=OrderedDict)

    def place(self, identity: str, fraction: int) -> int:
        """Which of the messages of that identity, second and all, this one is: 1, 2 …

        ``fraction`` is that of its second, 0 where a program has cut it. Of those with a fraction,
        each fraction is one message, however often it stands there: a phone that was restored has
        all of its messages twice. Of those without, each is one.
        """
        second = self._seen.pop(identity, None) or _Second()
        self._seen[identity] = second
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        if not fraction:
            second.whole += 1
            return second.whole
        if fraction not in second.fractions:
            second.fractions.append(fraction)
        return second.fractions.index(fraction) + 1
