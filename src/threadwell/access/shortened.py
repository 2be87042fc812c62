"""Versions without what is hidden from some callers: worked out once for all who see as much.

Who may see a version, and what of it, is not decided here. What is remembered follows from the
version and the paths alone, so it holds whatever becomes of policies and of the store.
"""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.access.fields import without
from threadwell.stores.contract import Stored

#: Bytes of all that is remembered in a process, and of one version at most.
_MOST, _LONGEST = 32 * 1024 * 1024, 64 * 1024
#: What a version takes beside its bodies.
_BESIDE = 1_000


class _Remembered:
    """By the paths that are hidden together the versions, each by its id: as it is, and as shown.

    It is the body that tells what was remembered, and all but the author is in it.
    """

    def __init__(self) -> None:
        self.by_paths: dict[frozenset[str], dict[str, tuple[bytes, str, Stored]]] = {}
        self._taken = 0

    def keep(self, hidden: frozenset[str], stored: Stored, shown: Stored) -> None:
        """Remember it, and forget all else where that is too much."""
        if len(stored.body) > _LONGEST:
            return
        size = len(stored.body) + len(shown.body) + _BESIDE
        if self._taken + size > _MOST:
            self.by_paths.clear()
            self._taken = 0
        self._taken += size
        kept = (stored.body, stored.author, shown)
        self.by_paths.setdefault(hidden, {})[stored.version_id] = kept


_REMEMBERED = _Remembered()


def shortened(stored: Stored, hidden: frozenset[str]) -> Stored:
    """The version without the elements at these paths."""
    return all_shortened((stored,), hidden)[0] if hidden else stored


def all_shortened(several: Sequence[Stored], hidden: frozenset[str]) -> list[Stored]:
    """Each of the versions without the elements at these paths."""
    if not hidden:
        return list(several)
    known = _REMEMBERED.by_paths.get(hidden, {})
    # By their places, as a page may have a thousand of them.
    return [
        kept[2]
        if (kept := known.get(one[2])) is not None and kept[0] == one[5] and kept[1] == one[6]
        else _made(one, hidden)
        for one in several
    ]


def _made(stored: Stored, hidden: frozenset[str]) -> Stored:
    shown = without(stored, hidden)
    if stored.body:
        _REMEMBERED.keep(hidden, stored, shown)
    return shown
