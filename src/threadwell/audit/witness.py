"""What one request sees and writes, noted while it is under way.

The witness of a request is the one of the running task (``contextvars``), and so of whatever tasks
it starts. ``audited`` tells it of what the store gives and takes; a caller's view tells it of what
the caller sees. What it was told becomes a record before the answer is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import cast

from threadwell.audit.record import Record, Touched, Who
from threadwell.stores.contract import Stored

#: Versions after which a record of them is written: what a stream shows has no end.
MOST = 500

Write = Callable[[Record], None]


class Witness:
    """Notes of one request.

    ``reads``: what the caller's view gives is seen by the caller. ``wide``: so is whatever is read
    from the store, as where no policy is in between. Of a request that writes only what it answers
    with was seen (``saw``). ``act``, ``asked`` and ``query`` may become known only later.
    """

    __slots__ = (
        *("act", "asked", "at", "by", "query", "reads"),
        *("request", "seen", "wide", "write", "wrote"),
    )

    def __init__(self, by: Who, at: int, write: Write, *, act: str = "", request: str = "") -> None:
        self.by = by
        self.at = at
        self.write = write
        self.reads = self.wide = False
        self.act = act
        self.asked = ""
        self.query = ""
        self.request = request
        self.seen: list[Stored] = []
        self.wrote = False

    def saw(self, stored: Stored | None) -> None:
        """The caller is given a version."""
        if stored is not None:
            self.seen.append(stored)
            if len(self.seen) >= MOST:
                self._spill()

    def saw_all(self, several: Iterable[Stored]) -> None:
        """The caller is given several."""
        self.seen.extend(several)
        if len(self.seen) >= MOST:
            self._spill()

    def record(
        self, status: int, touched: tuple[Touched, ...] = (), *, more: bool = False
    ) -> Record:
        """What is to be recorded of it."""
        return Record(
            at=self.at,
            act=self.act,
            by=self.by,
            status=status,
            asked=self.asked,
            query=self.query,
            request=self.request,
            touched=touched,
            more=more,
        )

    def end(self, status: int) -> None:
        """The answer has that status: record what was seen, unless the commit has a record."""
        if not self.wrote:
            self.write(self.record(status, self._touched()))

    def tell(self) -> None:
        """Record what was seen since, of an answer that goes on."""
        if self.seen:
            self._spill()

    def _touched(self) -> tuple[Touched, ...]:
        # A version that was looked at twice was seen once.
        # The first three members of a version are what names it.
        keys = dict.fromkeys([one[:3] for one in self.seen])
        # They are written as they are; whoever reads them adds that they were only seen.
        return cast(tuple[Touched, ...], tuple(keys))

    def _spill(self) -> None:
        self.write(self.record(200, self._touched(), more=True))
        self.seen.clear()


#: The witness of what runs; ``None`` where nobody asked for it, as in a duty.
CURRENT: ContextVar[Witness | None] = ContextVar("witness", default=None)
