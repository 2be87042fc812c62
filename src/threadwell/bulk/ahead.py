"""Lines become what is written for them, in other processes, before it is known what is there.

What a store has already of it is decided again where the store is (``loading``). So one process
reads and writes, and others do what costs: parse, check, serialise, work out the index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future
from functools import lru_cache
from typing import Any, NamedTuple

from threadwell.bulk.lines import MISSHAPEN, Bad, Fit, Line, read_line
from threadwell.bulk.processes import uninterrupted
from threadwell.fhir.search.defining import TYPE
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake.collecting import rare_collections
from threadwell.intake.gathered.changes import packed, unpacked
from threadwell.intake.gathered.wire import dumps, loads
from threadwell.stores.contract import Store, Write
from threadwell.stores.parameters import Parameters
from threadwell.stores.sql.bases import Bases
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.prepare import Worked, work_out

#: What is raised by a resource whose elements have other forms than they should have.
SHAPES = (AttributeError, TypeError, KeyError, ValueError)


class Way(NamedTuple):
    """How lines are read (``Loader``), and by which ``keys`` the store's index is worked out."""

    project: str
    trusted: bool
    as_it_was: bool
    keys: tuple[bytes, frozenset[str], Parameters] | None


class Made(NamedTuple):
    """What lines would be written as, were none of it there; and those that cannot be stored."""

    writes: list[Write]
    bad: list[Bad]


class Ahead:
    """Has lines worked on by the processes of a pool."""

    def __init__(self, pool: Executor, way: Way) -> None:
        self._pool = pool
        self._way = way

    def begin(self, lines: list[Line], now: int) -> Future[bytes]:
        """Have lines worked on: what comes of it is for ``made_of``."""
        with uninterrupted():
            return self._pool.submit(make, self._way, now, lines)


async def way_of(store: Store, project: str, *, trusted: bool, as_it_was: bool) -> Way:
    """How lines are read for a store."""
    find = getattr(store, "index_keys", None)
    keys = await find() if find is not None else None
    if keys is None:
        return Way(project, trusted, as_it_was, None)
    parameters = await store.parameters(project)
    return Way(project, trusted, as_it_was, (keys.secret, keys.bases.own, parameters))


def make(way: Way, now: int, lines: Sequence[Line]) -> bytes:
    """What lines would be written as at a time, for ``made_of``."""
    keys = _keys(way.project, *way.keys) if way.keys else None
    with rare_collections():
        writes, bad = _made(way, keys, now, lines)
    return dumps((writes, [(one.number, one.text, one.reason) for one in bad]))


def made_of(told: bytes) -> Made:
    """What ``make`` has made."""
    writes, bad = loads(told)
    return Made([unpacked(*one) for one in writes], [Bad(*one) for one in bad])


def _made(
    way: Way, keys: Keys | None, now: int, lines: Iterable[Line]
) -> tuple[list[Any], list[Bad]]:
    writes, bad = [], []
    for line in lines:
        found = read_line(line, trusted=way.trusted)
        if isinstance(found, Fit):
            try:
                write = _write(found, way, now)
                writes.append(packed(write, _worked(write, way.project, keys)))
            except SHAPES:
                if not way.trusted:
                    raise
                bad.append(Bad(line.number, line.text, MISSHAPEN))
        else:
            bad.append(found)
    return writes, bad


@lru_cache(maxsize=2)
def _keys(project: str, secret: bytes, own: frozenset[str], parameters: Parameters) -> Keys:
    """What remembers keys, from one part to the next."""
    bases = Bases(own)
    bases.has(project, parameters.catalogue, parameters.turn)
    return Keys(secret, bases)


def _write(fit: Fit, way: Way, now: int) -> Write:
    version_id, updated = new_id(now), now
    if way.as_it_was:
        version_id, updated = fit.version_id or version_id, fit.updated or updated
    stamped, body = stamp(fit.resource, fit.id, version_id, updated)
    return Write(fit.type, fit.id, version_id, updated, stamped, body, content=fit.content)


def _worked(write: Write, project: str, keys: Keys | None) -> Worked | None:
    """What goes into the index; of what changes search parameters the store needs all of it."""
    if keys is None or write.type == TYPE:
        return None
    return work_out(keys, project, [write])[0]
