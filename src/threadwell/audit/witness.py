"""What one request sees and writes, noted while it is under way.

The witness of a request is the one of the running task (``contextvars``), and so of whatever tasks
it starts. ``audited`` tells it of what the store gives and takes; a caller's view tells it of what
the caller sees. What it was told becomes a record before the answer is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar

import msgspec

from threadwell.audit.noted import encode_note, note, note_again
from threadwell.audit.record import Record, Touched, Who
from threadwell.audit.spool import Pen
from threadwell.stores.contract import Matches, Stored

#: Versions after which a record of them is written: what a stream shows has no end.
MOST = 500


class Witness(msgspec.Struct, eq=False):
    """Notes of one request: it is ``by`` whom, came ``at`` (ms), and ``pen`` keeps its records.

    ``reads``: what the caller's view gives is seen by the caller. ``wide``: so is whatever is read
    from the store, as where no policy is in between. Of a request that writes only what it answers
    with was seen (``saw``). ``act``, ``asked`` and ``query`` may become known only later.
    ``wrote``: a commit has its record. ``page`` is all that was seen, where that is a page which a
    store may show again. ``hid``: a policy hides what was asked for, and is there.
    """

    by: Who
    at: int
    pen: Pen
    request: str = ""
    act: str = ""
    asked: str = ""
    query: str = ""
    reads: bool = False
    wide: bool = False
    wrote: bool = False
    seen: list[Stored] = msgspec.field(default_factory=list)
    page: Matches | None = None
    hid: bool = False

    @property
    def has_seen(self) -> bool:
        """Whether the caller was given anything that has not been recorded."""
        return bool(self.seen or self.page)

    def saw(self, stored: Stored | None) -> None:
        """The caller is given a version."""
        if stored is not None:
            if self.page is not None:
                self._open()
            self.seen.append(stored)
            if len(self.seen) >= MOST:
                self._spill()

    def saw_all(self, several: Iterable[Stored]) -> None:
        """The caller is given several."""
        if self.page is not None:
            self._open()
        elif isinstance(several, Matches) and not self.seen and len(several) < MOST:
            self.page = several
            return
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
        if self.wrote:
            return
        page, seen = self.page, self.seen
        if len(seen) == 1 and page is None and status == 200:
            # What most requests see.
            pen, asked, (one,) = self.pen, self.asked, seen
            whose = pen.known.get(self.by)
            if whose is not None and asked == f"{one[0]}/{one[1]}":
                query, request = self.query, self.request
                said = (self.at, self.act, whose, 200, asked, query, request, False, one[2])
                if pen.keep_beside(encode_note(said)) >= 0:
                    return
        if page is not None:
            if status == 200 and page:
                what = (self.asked, self.query, self.request, page)
                note_again(self.pen, self.at, self.act, self.by, *what)
                return
            self._open()
        self._note(status, hidden=self.hid and status == 404)

    def forget(self) -> None:
        """What was seen so far is recorded."""
        self.seen.clear()
        self.page = None

    def tell(self) -> None:
        """Record what was seen since, of an answer that goes on."""
        if self.has_seen:
            self._spill()

    def _open(self) -> None:
        """Have what is on the page among the other things that were seen."""
        if self.page is not None:
            self.seen[:0] = self.page
            self.page = None

    def _spill(self) -> None:
        self._open()
        self._note(200, more=True)
        self.seen.clear()

    def _note(self, status: int, *, more: bool = False, hidden: bool = False) -> None:
        what = (self.asked, self.query, self.request, self.seen)
        note(self.pen, self.at, self.act, self.by, status, *what, more, hidden)


#: The witness of what runs; ``None`` where nobody asked for it, as in a duty.
CURRENT: ContextVar[Witness | None] = ContextVar("witness", default=None)
