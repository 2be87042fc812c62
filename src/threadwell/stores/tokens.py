"""Resources of a store in memory by the codes that they are searched by most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threadwell.fhir.search.query import Filter, TokenFilter
from threadwell.fhir.search.values import IndexValues, TokenValue
from threadwell.stores.contract import Key

#: The parameters that people and circles are found by.
_PARAMS = ("identifier", "telecom")


class Tokens:
    """Which resources have, or once had, a code: few of all that are there."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str, str], dict[Key, None]] = {}

    def add(self, key: Key, values: IndexValues) -> None:
        """A version of a resource has those values."""
        for param in _PARAMS:
            for value in values.get(param, ()):
                if isinstance(value, TokenValue):
                    self._keys.setdefault((key.type, param, value.code), {})[key] = None

    def candidates(self, type_: str, filters: Sequence[Filter]) -> Iterable[Key] | None:
        """Those that may match the filters, each once; ``None`` where all of the type may."""
        for one in filters:
            if isinstance(one, TokenFilter) and one.param in _PARAMS and not one.negate:
                codes = {match.code for match in one.matches}
                if None not in codes:
                    found = (self._keys.get((type_, one.param, code or ""), {}) for code in codes)
                    return dict.fromkeys(key for keys in found for key in keys)
        return None
