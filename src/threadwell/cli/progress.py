"""How far a command is, on standard error: a living line on a terminal, else one now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from threadwell.cli.streams import RETURN

if TYPE_CHECKING:
    from threadwell.intake import Counts

#: Seconds between two words about it.
_TERMINAL, _LOG = 0.1, 10.0


class Progress:
    """Call it with the counts so far, as often as there is news; leaving erases the line."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._pause = _TERMINAL if self._terminal else _LOG
        self._start = self._last = time.monotonic()
        self._width = 0

    def __call__(self, counts: Counts) -> None:
        """Tell the counts, if it is time to."""
        now = time.monotonic()
        if now - self._last < self._pause:
            return
        self._last = now
        if counts.circles:
            speed = counts.circles / (now - self._start)
            self._tell(f"{counts.circles:,} patients cut anew ({speed:,.0f}/s)")
            return
        if counts.gathered > counts.read:
            speed = counts.gathered / (now - self._start)
            self._tell(f"{counts.gathered:,} gathered ({speed:,.0f}/s)")
            return
        speed = counts.read / (now - self._start)
        self._tell(
            f"{counts.read:,} read: {counts.new:,} new, {counts.known:,} known, "
            f"{counts.quarantined:,} quarantined ({speed:,.0f}/s)"
        )

    def checked(self, messages: int) -> None:
        """Tell how many messages were looked at, if it is time to."""
        now = time.monotonic()
        if now - self._last >= self._pause:
            self._last = now
            speed = messages / (now - self._start)
            self._tell(f"{messages:,} messages checked ({speed:,.0f}/s)")

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._width:
            self._write(RETURN + " " * self._width + RETURN)

    def _tell(self, line: str) -> None:
        if self._terminal:
            self._write(RETURN + line.ljust(self._width))
            self._width = max(self._width, len(line))
        else:
            self._write(line + "\n")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
