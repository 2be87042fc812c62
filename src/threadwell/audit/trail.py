"""The trail of one process: where records go, and the store whose changes are recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from msgspec import structs

from threadwell.audit import noted
from threadwell.audit.audited import Audited
from threadwell.audit.chain import (
    BLOCK,
    HEAD,
    BadBlock,
    Block,
    Head,
    block_name,
    read_block,
    read_head,
)
from threadwell.audit.draining import Drain
from threadwell.audit.record import Record, Touched, Who, encode_record
from threadwell.audit.spool import FileSpool, MemorySpool, Pen
from threadwell.audit.strangers import Strangers
from threadwell.audit.witness import CURRENT, Witness
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.stores.contract import Store


class Trail:
    """Records what happens to a store in this process.

    ``whole`` is the store itself; ``store`` is the same, recorded. ``by`` is who acts where no
    request does. In a ``folder`` what was seen outlives the process.
    """

    def __init__(
        self,
        whole: Store,
        folder: Path | None = None,
        by: Who | None = None,
        clock: Clock = now_ms,
    ) -> None:
        self.whole = whole
        self.by = by or Who(way="server")
        self._audited = Audited(whole, self.by, clock)
        self.store = self._audited.as_store()
        self.clock = clock
        self._spool = FileSpool(folder) if folder else MemorySpool()
        self._drain = Drain(whole, self._spool, folder)
        self._draining = asyncio.Lock()
        self._strangers = Strangers()
        self._pens: dict[str, Pen] = {}

    def note(self, project: str, record: Record) -> None:
        """Keep a record of what went with no commit; it outlives this process when this returns.

        Raises ``StoreError`` where it cannot be kept: what cannot be recorded is not to be shown.
        """
        self.pen(project).keep(encode_record(record))

    def events(
        self, project: str, act: str, touched: Touched, told: Iterable[tuple[Who, str]]
    ) -> None:
        """Note of one version that several were told of it, each by what they have asked for.

        Raises ``StoreError`` as ``note`` does.
        """
        self.pen(project).keep(noted.told(self.clock(), act, touched, told))

    def event(
        self,
        project: str,
        act: str,
        by: Who,
        *,
        status: int = 200,
        asked: str = "",
        query: str = "",
        touched: tuple[Touched, ...] = (),
    ) -> None:
        """Note something that is no interaction of FHIR's: a sign-in, an export, a file given out.

        ``act`` is one word, and what it is about a second one (``sign-in``, ``export started``).
        """
        record = Record(
            at=self.clock(),
            act=act,
            by=by,
            status=status,
            asked=asked,
            query=query,
            touched=touched,
        )
        self.note(project, record)

    def refused(
        self,
        project: str,
        act: str,
        by: Who,
        *,
        status: int,
        asked: str,
        query: str = "",
        proven: bool = True,
    ) -> None:
        """Note that something was refused, and how many others were that are not noted.

        Of whoever is known each thing is: a flood of strangers hides nothing of theirs. Who is not
        ``proven`` to be ``by`` is a stranger: anybody can name a client.
        """
        if not (proven and (by.who or by.client)):
            left_out = self._strangers.one_more(project)
            if left_out is None:
                return
            if left_out:
                by = structs.replace(by, name=f"{left_out} more were left out")
        self.event(project, act, by, status=status, asked=asked, query=query)

    def pen(self, project: str) -> Pen:
        """What keeps the records of a witness in this trail, as ``note`` does."""
        pen = self._pens.get(project)
        if pen is None:
            pen = self._pens[project] = self._spool.pen(project)
        return pen

    @contextmanager
    def watching(
        self,
        project: str,
        by: Who,
        act: str,
        *,
        asked: str = "",
        wide: bool = True,
        quiet: bool = False,
    ) -> Generator[Witness, None, None]:
        """Record what is read from ``store`` within, as seen by whoever that is.

        For ways in that are no requests to the API. It is recorded as failed where it fails. Where
        a view tells what it lets through (``access.witnessed``), it is not ``wide``. With ``quiet``
        nothing is recorded where nothing was seen.
        """
        pen = self.pen(project)
        witness = Witness(by, self.clock(), pen, act=act, asked=asked, reads=True, wide=wide)
        token = CURRENT.set(witness)
        try:
            yield witness
        except BaseException:
            witness.end(500)
            raise
        else:
            if witness.has_seen or not quiet:
                witness.end(200)
        finally:
            CURRENT.reset(token)

    async def drain(self) -> int:
        """Chain what waits; how many records that were."""
        async with self._draining:
            return await self._drain.all()

    async def drain_some(self) -> None:
        """Chain what this process has recorded, a block of each project at most.

        Of one that has changed nothing, what is much is left to a server, or to whoever looks.
        """
        if not self._audited.changed:
            if not self._spool.used:
                return
            if self._drain.is_for_others():
                self.sync()
                return
        async with self._draining:
            await self._drain.some()

    def sync(self) -> None:
        """Make what was seen outlive a loss of power."""
        self._drain.sync()

    async def head(self, project: str) -> Head:
        """Where the chain ends."""
        return read_head(await self.whole.get_private(HEAD, project))

    async def block(self, project: str, number: int) -> Block | None:
        """A block; ``None`` where there is none. Raises ``BadBlock`` for one that is damaged."""
        value = await self.whole.get_private(BLOCK, block_name(project, number))
        return None if value is None else read_block(value)

    async def blocks(self, project: str, first: int = 0) -> AsyncGenerator[Block, None]:
        """The blocks from a number on, oldest first, some at a time."""
        after = block_name(project, first - 1) if first else f"{project}/"
        while True:
            found = await self.whole.list_private(BLOCK, after=after, count=8)
            mine = {name: v for name, v in found.items() if name.startswith(f"{project}/")}
            for value in mine.values():
                yield read_block(value)
            if len(mine) < 8:
                return
            after = max(mine)

    def close(self) -> None:
        """Let go of files; what is in them is drained by the next who drains."""
        self._spool.close()


__all__ = ["BadBlock", "Trail"]
