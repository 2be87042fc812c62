"""NDJSON into a store: streamed, as often as one likes, in any order of references.

A resource keeps its id. One that is there already, as it is, is left alone; one that is there
otherwise gets a further version. So what was broken off is taken up by loading it again; it goes on
where it was in each file, which is kept with what was written.

As long as most of it is new it is written as new, and nobody looks first: the store refuses what is
there.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from threadwell.bulk.ahead import SHAPES, Ahead, InProcesses, InThread, Made, Read, way_of
from threadwell.bulk.lines import MISSHAPEN, Bad, Fit, Line, parts_of, read_line, read_lines
from threadwell.bulk.processes import cores, pool_of
from threadwell.fhir.json import decode
from threadwell.fhir.stamp import Clock, new_id, now_ms, stamp
from threadwell.stores.contract import (
    ChangeSet,
    Conflict,
    Kept,
    Key,
    Store,
    Stored,
    StoreError,
    Write,
)

#: Where each file was left, until all are done.
LOADING = "bulk-loading"
#: Resources of one commit, and bytes of their lines; and where there is much. The entries of new
#: ones are spread over all of the index: the more there are at once, the more go to each page.
_AT_ONCE, _BYTES = 1000, 4 * 1024 * 1024
_AT_ONCE_OF_MUCH, _BYTES_OF_MUCH = 4000, 8 * 1024 * 1024
#: Bytes of files that are much, and worth the second that a process takes to begin; and how many of
#: these keep a writer busy.
_MUCH, _MOST = 16 * 1024 * 1024, 3
_ENDED = "a process of the load has ended; load it again to go on"
#: How often a batch is decided again when others write at the same time.
_TRIES = 10


@dataclass(slots=True)
class Loaded:
    """What became of the lines: ``older`` are those of which the store has a later version."""

    files: int = 0
    lines: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    older: int = 0
    bad: int = 0
    skipped: int = 0
    types: dict[str, int] = field(default_factory=dict)


class _Left(msgspec.Struct, frozen=True):
    """How far a file was loaded: where the next line begins, and the number of the last."""

    ends: int
    number: int


class _Part(NamedTuple):
    """Lines that were read: how many, what came of them, and where they end."""

    lines: int
    fits: list[Fit]
    bad: list[Bad]
    left: _Left


#: Told of each line that cannot be stored, before what follows it is written.
TellBad = Callable[[Path, Bad], None]
#: Told from time to time what was done.
Told = Callable[[Loaded], None]


class Loader:
    """Loads files into a project.

    ``trusted``: what they hold was valid where it comes from. ``as_it_was``: versions keep their
    ids and times; what the store has of a later time stays. ``workers`` is how many processes read
    ahead, 0 for a thread; ``None`` is as many as the files are worth.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        tell_bad: TellBad,
        *,
        trusted: bool = False,
        as_it_was: bool = False,
        told: Told = lambda _: None,
        clock: Clock = now_ms,
        workers: int | None = None,
    ) -> None:
        self._store = store
        self._project = project
        self._tell_bad = tell_bad
        self._trusted = trusted
        self._as_it_was = as_it_was
        self._told = told
        self._clock = clock
        self._workers = workers
        self._at_once, self._bytes = _AT_ONCE, _BYTES
        #: Whether most of what came last was new.
        self._is_new = True
        self.loaded = Loaded()

    async def load(self, files: Sequence[Path]) -> Loaded:
        """Load all of the files; raises ``OSError`` and ``StoreError``."""
        workers = _worth(files) if self._workers is None else self._workers
        if much := _is_much(files):
            self._bytes = _BYTES_OF_MUCH
        self._at_once = at_once(files)
        trusted, as_it_was = self._trusted, self._as_it_was
        way = await way_of(self._store, self._project, trusted=trusted, as_it_was=as_it_was)
        in_bulk = getattr(self._store, "in_bulk", nullcontext) if much else nullcontext
        async with in_bulk():
            if workers:
                with pool_of(workers, _ENDED) as pool:
                    return await self._load(files, InProcesses(pool, workers, way))
            with ThreadPoolExecutor(1, "threadwell-load") as thread:
                return await self._load(files, InThread(thread, way))

    async def _load(self, files: Sequence[Path], ahead: Ahead) -> Loaded:
        names = {path: _name(self._project, path) for path in files}
        left = await self._store.get_private_many(LOADING, list(names.values()))
        for path in files:
            await self._file(path, names[path], left.get(names[path]), ahead)
            self.loaded.files += 1
        gone = tuple(Kept(LOADING, name, None) for name in names.values())
        if gone:
            await self._store.commit(self._project, ChangeSet((), kept=gone))
        return self.loaded

    async def _file(self, path: Path, name: str, left: bytes | None, ahead: Ahead) -> None:
        begins = _Left(0, 0) if left is None else msgspec.json.decode(left, type=_Left)
        self.loaded.skipped += begins.number
        lines = read_lines(path, begins.ends, begins.number)
        parts = parts_of(lines, self._at_once, self._bytes)
        ended = False
        while not ended:
            if self._is_new:
                ended = await self._put_ahead(path, name, parts, ahead)
            else:
                ended = await self._put_looked_up(path, name, parts)

    async def _put_ahead(
        self, path: Path, name: str, parts: Iterator[list[Line]], ahead: Ahead
    ) -> bool:
        """Write what is read ahead, as long as most of it is new; whether it was all."""
        coming: deque[asyncio.Future[Read | None]] = deque()
        try:
            while self._is_new or coming:
                while self._is_new and len(coming) < ahead.most:
                    coming.append(ahead.begin(parts, self._clock))
                read = await coming[0]
                if read is None:
                    return True
                coming.popleft()
                if not await self._put_new(path, name, *read):
                    told = {bad.number for bad in read.made.bad}
                    part = self._part([one for one in read.lines if one.number not in told])
                    part = part._replace(lines=len(read.lines), left=_left(read.lines))
                    await self._put(path, name, part)
            return False
        finally:
            # It goes on until it is done, and nobody asks what came of it.
            for one in coming:
                one.cancel()
            await asyncio.gather(*coming, return_exceptions=True)

    async def _put_looked_up(self, path: Path, name: str, parts: Iterator[list[Line]]) -> bool:
        """Write what is not there as it is, as long as little of it is new; whether it was all."""
        coming = asyncio.create_task(asyncio.to_thread(self._read, parts))
        try:
            while (part := await coming) is not None:
                last = self._is_new
                if not last:
                    # While this part is written, the next one is read.
                    coming = asyncio.create_task(asyncio.to_thread(self._read, parts))
                self._refuse(path, part.bad)
                await self._put(path, name, part)
                if last:
                    return False
            return True
        finally:
            # It goes on in its thread until it is done.
            await asyncio.wait([coming])

    async def _put_new(self, path: Path, name: str, lines: list[Line], made: Made) -> bool:
        """Write what came of lines; ``False`` where some of it is there already, or comes twice.

        So it is where some of what is trusted cannot be read, as only the store has found.
        """
        self._refuse(path, made.bad)
        if len({(one.type, one.id) for one in made.writes}) < len(made.writes):
            return False
        mark = Kept(LOADING, name, msgspec.json.encode(_left(lines)))
        try:
            what = ChangeSet(tuple(made.writes), kept=(mark,), worked=made.worked)
            await self._store.commit(self._project, what)
        except Conflict:
            return False
        except SHAPES:
            if not self._trusted:
                raise
            return False
        told = Counter(one.type for one in made.writes)
        self._count(Loaded(new=len(made.writes), types=dict(told)))
        self.loaded.lines += len(lines)
        self._told(self.loaded)
        return True

    def _refuse(self, path: Path, every: Iterable[Bad]) -> None:
        for bad in every:
            self.loaded.bad += 1
            self._tell_bad(path, bad)

    async def _put(self, path: Path, name: str, part: _Part) -> None:
        was = self.loaded.new
        self.loaded.lines += part.lines
        await self._write(path, part.fits, Kept(LOADING, name, msgspec.json.encode(part.left)))
        self._is_new = (self.loaded.new - was) * 2 >= part.lines
        self._told(self.loaded)

    def _read(self, parts: Iterator[list[Line]]) -> _Part | None:
        """The next part, read; ``None`` where there is none."""
        lines = next(parts, None)
        return None if lines is None else self._part(lines)

    def _part(self, lines: list[Line]) -> _Part:
        found = [read_line(line, trusted=self._trusted) for line in lines]
        return _Part(
            len(lines),
            [one for one in found if isinstance(one, Fit)],
            [one for one in found if isinstance(one, Bad)],
            _left(lines),
        )

    async def _write(self, path: Path, fits: list[Fit], mark: Kept) -> None:
        *before, last = list(_once_each(fits)) or [[]]
        for some in before:
            await self._commit_all(path, some)
        await self._commit_all(path, last, mark)

    async def _commit_all(self, path: Path, fits: Sequence[Fit], *kept: Kept) -> None:
        """Write some, but for what is trusted and cannot be read."""
        try:
            await self._commit(fits, kept)
        except SHAPES:
            if not (self._trusted and fits):
                raise
            if len(fits) > 1:
                middle = len(fits) // 2
                await self._commit_all(path, fits[:middle])
                await self._commit_all(path, fits[middle:], *kept)
                return
            line = fits[0].line
            self.loaded.bad += 1
            self._tell_bad(path, Bad(line.number, line.text, MISSHAPEN))
            await self._commit((), kept)

    async def _commit(self, fits: Sequence[Fit], kept: tuple[Kept, ...]) -> None:
        """Write some of which no two are the same resource."""
        for _ in range(_TRIES):
            there = await self._store.read_many(self._project, [Key(f.type, f.id) for f in fits])
            told = Loaded()
            writes = [
                write
                for fit in fits
                if (write := await self._decided(fit, there.get(Key(fit.type, fit.id)), told))
            ]
            try:
                await self._store.commit(self._project, ChangeSet(tuple(writes), kept=kept))
            except Conflict:
                continue
            self._count(told)
            return
        raise StoreError("others write the same resources all the time: load when it is quieter")

    def _count(self, told: Loaded) -> None:
        mine = self.loaded
        mine.new, mine.changed = mine.new + told.new, mine.changed + told.changed
        mine.same, mine.older = mine.same + told.same, mine.older + told.older
        for type_, count in told.types.items():
            mine.types[type_] = mine.types.get(type_, 0) + count

    async def _decided(self, fit: Fit, before: Stored | None, told: Loaded) -> Write | None:
        """What is to be written for a resource; ``None`` where nothing is."""
        now = self._clock()
        told.types[fit.type] = told.types.get(fit.type, 0) + 1
        version_id, updated = new_id(now), now
        if self._as_it_was:
            version_id, updated = fit.version_id or version_id, fit.updated or updated
        if before is not None and not before.deleted and await self._is_same(fit, before):
            told.same += 1
            return None
        if before is not None:
            if self._as_it_was and fit.updated is not None and fit.updated <= before.updated:
                told.older += 1
                return None
            told.changed += 1
            if self._as_it_was and await self._has_version(fit, version_id):
                # Another server has numbered its own: each version has an id of its own here.
                version_id = new_id(now)
        else:
            told.new += 1
        stamped, body = stamp(fit.resource, fit.id, version_id, updated)
        return Write(
            fit.type, fit.id, version_id, updated, stamped, body, before, content=fit.content
        )

    async def _has_version(self, fit: Fit, version_id: str) -> bool:
        versions = self._store.read_version
        return await versions(self._project, fit.type, fit.id, version_id) is not None

    async def _is_same(self, fit: Fit, before: Stored) -> bool:
        stamped, body = stamp(fit.resource, fit.id, before.version_id, before.updated)
        if body != before.body and stamped != decode(before.body):
            return False
        if fit.type != "Binary":
            return True
        content = await self._store.content(self._project, before.id, before.version_id)
        return (content or b"") == (fit.content or b"")


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The NDJSON files that are named, and those in the folders that are; in order.

    Raises ``FileNotFoundError`` for what is not there.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = [one for one in path.rglob("*") if one.is_file() and _is_ndjson(one)]
            found.update(dict.fromkeys(sorted(inside)))
        elif path.is_file():
            found[path] = None
        else:
            raise FileNotFoundError(f"there is no file or folder {path}")
    return list(found)


def _is_ndjson(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    return name.endswith((".ndjson", ".jsonl"))


def at_once(files: Iterable[Path]) -> int:
    """How many resources of these files go into one commit."""
    return _AT_ONCE_OF_MUCH if _is_much(files) else _AT_ONCE


def _once_each(fits: Iterable[Fit]) -> Iterator[list[Fit]]:
    """The resources in order, in parts that have each once: a later one follows the one before."""
    part: dict[Key, Fit] = {}
    for fit in fits:
        key = Key(fit.type, fit.id)
        if key in part:
            yield list(part.values())
            part = {}
        part[key] = fit
    if part:
        yield list(part.values())


def _left(lines: Sequence[Line]) -> _Left:
    return _Left(lines[-1].ends, lines[-1].number) if lines else _Left(0, 0)


def _worth(files: Iterable[Path]) -> int:
    """How many processes it is worth to have read ahead: one core is the writer's."""
    return min(cores() - 1, _MOST) if _is_much(files) else 0


def _is_much(files: Iterable[Path]) -> bool:
    return sum(path.stat().st_size for path in files) >= _MUCH


def _name(project: str, path: Path) -> str:
    status = path.stat()
    said = f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}"
    return f"{project}/{hashlib.sha256(said.encode()).hexdigest()}"
