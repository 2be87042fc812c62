"""What one request sees and writes, noted while it is under way.

The witness of a request is the one of the running task (``contextvars``), and so of whatever tasks
it starts. ``audited`` tells it of what the store gives and takes; a caller's view tells it of what
the caller sees. What it was told becomes a record before the answer is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar

import msgspec

from threadwell.audit.noted import note
from threadwell.audit.record import Record, Touched, Who
from threadwell.stores.contract import Stored

#: Versions after which a record of them is written: what a stream shows has no end.
MOST = 500

#: Keeps a record, given as a line (``noted``).
Keep = Callable[[bytes], None]


class Witness(msgspec.Struct, eq=False):
    """Notes of one request: it is ``by`` whom, came ``at`` (ms), and ``keep`` keeps its records.

    ``reads``: what the caller's view gives is seen by the caller. ``wide``: so is whatever is read
    from the store, as where no policy is in between. Of a request that writes only what it answers
    with was seen (``saw``). ``act``, ``asked`` and ``query`` may become known only later.
    ``wrote``: a commit has its record.
    """

    by: Who
    at: int
    keep: Keep
    request: str = ""
    act: str = ""
    asked: str = ""
    query: str = ""
    reads: bool = False
    wide: bool = False
    wrote: bool = False
    seen: list[Stored] = msgspec.field(default_factory=list)

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

    def record(self, status: int, touched: tuple[Touched, ...]) -> Record:
        """What is to be recorded of it with what it writes."""
        return Record(
            at=self.at,
            act=self.act,
            by=self.by,
            status=status,
            asked=self.asked,
            query=self.query,
            request=self.request,
            touched=touched,
        )

    def end(self, status: int) -> None:
        """The answer has that status: record what was seen, unless the commit has a record."""
        if not self.wrote:
            asked, query, request = self.asked, self.query, self.request
            self.keep(note(self.at, self.act, self.by, status, asked, query, request, self.seen))

    def tell(self) -> None:
        """Record what was seen since, of an answer that goes on."""
        if self.seen:
            self._spill()

    def _spill(self) -> None:
        told = (self.at, self.act, self.by, 200, self.asked, self.query, self.request)
        self.keep(note(*told, self.seen, more=True))
        self.seen.clear()


#: The witness of what runs; ``None`` where nobody asked for it, as in a duty.
CURRENT: ContextVar[Witness | None] = ContextVar("witness", default=None)
