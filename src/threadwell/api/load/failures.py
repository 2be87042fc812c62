"""Failures of the store in the log: the first at once, the rest by their number, and their end.

A disk that is full fails every write that is tried. A line for each would soon fill the disk of the
log as well, and hide whatever else it tells.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

_log = logging.getLogger(__name__)

#: Seconds between two lines about the same; after as many without a failure it is over.
INTERVAL = 10.0
#: Failures that are told apart; what comes further is taken together.
_MOST = 20
_OTHERS = "other failures"


@dataclass(slots=True)
class _Lasting:
    """A failure that goes on: how often since the last line, and in all."""

    since: int = 0
    total: int = 1


@dataclass(slots=True)
class Failures:
    """Those of one process, by what the store says of them."""

    _lasting: dict[str, _Lasting] = field(default_factory=dict)
    _timer: asyncio.TimerHandle | None = None
    _loop: asyncio.AbstractEventLoop | None = None

    def add(self, error: Exception, request: str, interaction: str) -> None:
        """A request, named by its id, failed with an error of the store."""
        # Of all errors' messages only a store's is free of what it was asked to keep.
        what = str(error)
        if what not in self._lasting and len(self._lasting) >= _MOST:
            what = _OTHERS
        lasting = self._lasting.get(what)
        if lasting is None:
            _log.error("request %s (%s) failed: %s", request, interaction, what)
            self._lasting[what] = _Lasting()
        else:
            lasting.since += 1
            lasting.total += 1
        loop = asyncio.get_running_loop()
        if self._timer is None or self._loop is not loop:
            self._loop = loop
            self._timer = loop.call_later(INTERVAL, self._tick)

    def tell(self) -> None:
        """Log how many there were since the last time, and what is over."""
        for what, lasting in list(self._lasting.items()):
            if lasting.since:
                _log.error("%d more failed: %s", lasting.since, what)
                lasting.since = 0
            else:
                del self._lasting[what]
                told = "no request failed for %g s, after %d that did: %s"
                _log.info(told, INTERVAL, lasting.total, what)

    def close(self) -> None:
        """Log what there is left to tell."""
        for what, lasting in self._lasting.items():
            if lasting.since:
                _log.error("%d more failed: %s", lasting.since, what)
        self._lasting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        self.tell()
        if self._lasting:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._tick)
