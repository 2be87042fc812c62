"""Lines become what is written for them before it is known what is there of it: in a thread, or in
other processes, while what came before is written.

What a store has already of it is decided again where the store is (``loading``). So one process
writes, and meanwhile others do what costs: parse, check, serialise, work out the index.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from functools import lru_cache
from typing import NamedTuple, Protocol

from threadwell.bulk.lines import MISSHAPEN, Bad, Fit, Line, read_line
from threadwell.bulk.processes import uninterrupted
from threadwell.fhir.search.defining import TYPE
from threadwell.fhir.stamp import Clock, new_id, stamp
from threadwell.intake.collecting import rare_collections
from threadwell.intake.gathered.changes import packed, unpacked
from threadwell.intake.gathered.wire import dumps, loads
from threadwell.stores.contract import Store, Write
from threadwell.stores.parameters import Parameters
from threadwell.stores.sql.bases import Bases
from threadwell.stores.sql.keys import Form, Keys
from threadwell.stores.sql.prepare import as_sheet, work_out

#: What is raised by a resource whose elements have other forms than they should have.
SHAPES = (AttributeError, TypeError, KeyError, ValueError)


class Way(NamedTuple):
    """How lines are read (``Loader``), and by which ``keys`` the store's index is worked out."""

    project: str
    trusted: bool
    as_it_was: bool
    keys: tuple[bytes, frozenset[str], Form | None, Parameters] | None


class Made(NamedTuple):
    """What lines would be written as, were none of it there; and those that cannot be stored.

    ``worked`` is for the change set of these writes.
    """

    writes: list[Write]
    worked: object
    bad: list[Bad]


class Read(NamedTuple):
    """Lines, and what came of them."""

    lines: list[Line]
    made: Made


class Ahead(Protocol):
    """Works on parts of a file before they are asked for, on ``most`` at a time."""

    most: int

    def begin(self, parts: Iterator[list[Line]], clock: Clock) -> asyncio.Future[Read | None]:
        """Have the next part worked on; ``None`` comes of it where there is none."""
        ...


class InThread:
    """In one thread of this process."""

    def __init__(self, thread: Executor, way: Way) -> None:
        self.most = 2
        self._thread = thread
        self._maker = Maker(way)

    def begin(self, parts: Iterator[list[Line]], clock: Clock) -> asyncio.Future[Read | None]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._thread, self._read, parts, clock)

    def _read(self, parts: Iterator[list[Line]], clock: Clock) -> Read | None:
        lines = next(parts, None)
        return None if lines is None else Read(lines, self._maker.make(lines, clock()))


class InProcesses:
    """By the processes of a pool."""

    def __init__(self, pool: Executor, workers: int, way: Way) -> None:
        # Each has one, and one waits for the next of them to be free.
        self.most = workers + 1
        self._pool = pool
        self._way = way

    def begin(self, parts: Iterator[list[Line]], clock: Clock) -> asyncio.Future[Read | None]:
        lines = next(parts, None)
        if lines is None:
            none: asyncio.Future[Read | None] = asyncio.get_running_loop().create_future()
            none.set_result(None)
            return none
        with uninterrupted():
            future = self._pool.submit(make, self._way, clock(), lines)
        return asyncio.ensure_future(self._read(lines, future))

    async def _read(self, lines: list[Line], future: Future[bytes]) -> Read | None:
        return Read(lines, made_of(await asyncio.wrap_future(future)))


async def way_of(store: Store, project: str, *, trusted: bool, as_it_was: bool) -> Way:
    """How lines are read for a store."""
    find = getattr(store, "index_keys", None)
    keys = await find() if find is not None else None
    if keys is None:
        return Way(project, trusted, as_it_was, None)
    parameters = await store.parameters(project)
    how = keys.secret, frozenset(keys.bases.own), keys.sheets, parameters
    return Way(project, trusted, as_it_was, how)


class Maker:
    """Makes of lines what they would be written as; remembers keys from one part to the next."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._keys: Keys | None = None
        if way.keys is not None:
            secret, own, sheets, parameters = way.keys
            bases = Bases(own)
            bases.has(way.project, parameters.catalogue, parameters.turn)
            self._keys = Keys(secret, bases, sheets=sheets)

    def make(self, lines: Iterable[Line], now: int) -> Made:
        """What lines would be written as at a time."""
        way = self._way
        fits: list[Fit] = []
        bad: list[Bad] = []
        for line in lines:
            found = read_line(line, trusted=way.trusted)
            if isinstance(found, Fit):
                fits.append(found)
            else:
                bad.append(found)
        try:
            writes = [self._write(fit, now) for fit in fits]
            return Made(*self._worked(writes), bad)
        except SHAPES:
            if not way.trusted:
                raise
            return self._each(fits, bad, now)

    def _each(self, fits: Iterable[Fit], bad: list[Bad], now: int) -> Made:
        """The same where some of what is trusted has not the form that it should have."""
        writes: list[Write] = []
        for fit in fits:
            try:
                write = self._write(fit, now)
                self._worked([write])
                writes.append(write)
            except SHAPES:
                bad.append(Bad(fit.line.number, fit.line.text, MISSHAPEN))
        bad.sort(key=lambda one: one.number)
        return Made(*self._worked(writes), bad)

    def _write(self, fit: Fit, now: int) -> Write:
        version_id, updated = "", now
        if self._way.as_it_was:
            version_id, updated = fit.version_id, fit.updated or updated
        version_id = version_id or new_id(now)
        stamped, body = stamp(fit.resource, fit.id, version_id, updated)
        return Write(fit.type, fit.id, version_id, updated, stamped, body, content=fit.content)

    def _worked(self, writes: list[Write]) -> tuple[list[Write], object]:
        """The writes with what they put into the index, and what is worked out of all of them.

        Of what changes search parameters the store needs all of it, so it works that out itself.
        """
        if self._keys is None or any(write.type == TYPE for write in writes):
            return writes, None
        every = work_out(self._keys, self._way.project, writes)
        worked, sheet = as_sheet(self._keys, writes, every)
        return list(map(_with, writes, worked)), sheet


def make(way: Way, now: int, lines: Sequence[Line]) -> bytes:
    """What lines would be written as at a time, for ``made_of``."""
    with rare_collections():
        writes, worked, bad = _maker(way).make(lines, now)
    told = [packed(write, write.worked) for write in writes]
    return dumps((told, worked, [(one.number, one.text, one.reason) for one in bad]))


def made_of(told: bytes) -> Made:
    """What ``make`` has made."""
    writes, worked, bad = loads(told)
    return Made([unpacked(*one) for one in writes], worked, [Bad(*one) for one in bad])


def _with(write: Write, worked: object) -> Write:
    what = write.type, write.id, write.version_id, write.updated, write.resource, write.body
    return Write(*what, content=write.content, worked=worked)


@lru_cache(maxsize=2)
def _maker(way: Way) -> Maker:
    return Maker(way)
