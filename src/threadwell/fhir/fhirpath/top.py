"""What an expression starts from, and what is found there once for all the items of a list.

A condition on each of a hundred thousand items that looks through the whole resource anew each
time would take the square of that many steps.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Any, TypeAlias, TypeVar

import msgspec

T = TypeVar("T")

#: Finds something from the item at hand and what the whole expression starts from.
Finder: TypeAlias = Callable[[Any, "Top"], T]

_sorted = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


class Top:
    """The value that an expression is evaluated on: ``%resource`` and ``%context``."""

    __slots__ = ("_contained", "kept", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.kept: dict[Any, Any] = {}
        self._contained: dict[Any, list[Any]] | None = None

    def contained(self, id_: str) -> list[Any]:
        """The contained resources of that id."""
        if self._contained is None:
            self._contained = {}
            for inner in self.value.get("contained", ()):
                self._contained.setdefault(inner.get("id"), []).append(inner)
        return self._contained.get(id_, [])


#: For expressions that look at nothing but the item at hand.
NO_TOP = Top(None)


def once(find: Finder[T]) -> Finder[T]:
    """The same, looked for once: what it finds depends on no item."""

    def found(item: Any, top: Top) -> T:
        kept = top.kept
        if find not in kept:
            kept[find] = find(item, top)
        result: T = kept[find]
        return result

    return found


def key(value: Any) -> Any:
    """What equal values have in common, to look them up by."""
    return _sorted(value) if isinstance(value, dict | list) else value


def keys(values: Iterable[Any]) -> Container[Any]:
    """The keys of all the values."""
    return frozenset(map(key, values))
