"""Records that wait, in the store and in spools, go into the chain: each once, whoever dies.

One commit writes the block, moves the head, removes what waited in the store, and notes how far
each spool is drained. The head is compared in it, so of several who drain at once one wins.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from threadwell.audit.audited import PENDING
from threadwell.audit.chain import BLOCK, HEAD, Head, block_name, chained, read_head, write_head
from threadwell.audit.index import terms_of
from threadwell.audit.noted import LineAt, nowhere, read_notes
from threadwell.audit.patients import Patients
from threadwell.audit.record import Line, Record, Touched, Who
from threadwell.audit.spool import SUFFIX, MemorySpool, Spool, is_left, lines_in, project_of
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

#: How far each spool is drained.
DRAINED = "audit-spool"
#: Records of one block, versions that they name, and bytes of spools that are read for it: a
#: version takes a kilobyte of memory until the block is written.
_MOST, _VERSIONS, _BYTES = 1000, 5_000, 1_000_000
#: Bytes of spools that whoever has only read chains on the way out, and the seconds after which no
#: server is there that would chain what is more.
_LITTLE, _PATIENCE = 64 * 1024, 60
#: Records that wait in the store are read so many at a time: one may name thousands of versions.
_PART = 100


@dataclass(slots=True)
class _Waiting:
    """Records of a project, and what of the store changes once they are chained."""

    records: list[Record] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    versions: set[Touched] = field(default_factory=set)

    def add(self, records: Iterable[Record]) -> None:
        """Have these in the block, too."""
        for one in records:
            self.records.append(one)
            self.versions.update(one.touched)

    def full(self) -> bool:
        """Whether what is more is for the next block."""
        return len(self.records) >= _MOST or len(self.versions) >= _VERSIONS


class Drain:
    """Drains into the raw ``store``, which records nothing of it."""

    def __init__(self, store: Store, spool: Spool | None, folder: Path | None) -> None:
        self._store = store
        self._memory = spool if isinstance(spool, MemorySpool) else None
        self._folder = folder
        self._patients = Patients(store)

    async def all(self) -> int:
        """Chain whatever waits; how many records that were.

        What others write meanwhile may wait on.
        """
        total = 0
        for project in await self._projects():
            while True:
                try:
                    chained_ = await self._some(project)
                except Conflict:
                    continue  # another process drains, too
                total += chained_
                if not chained_:
                    break
        return total

    async def some(self) -> None:
        """Chain a block of each project at most; none where another process does so."""
        for project in await self._projects():
            with suppress(Conflict):
                await self._some(project)

    def is_for_others(self) -> bool:
        """Whether what is in spools is much, and a server may be there that chains it in a moment.

        Where what somebody has left has lain for a minute, none is.
        """
        size, now = 0, time.time()
        for path in self._files():
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            size += found.st_size
            if not -_PATIENCE < now - found.st_mtime < _PATIENCE and is_left(path):
                return False
        return size > _LITTLE

    def sync(self) -> None:
        """Make what is in the spools outlive a loss of power."""
        for path in self._files():
            try:
                handle = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    async def _projects(self) -> list[str]:
        found = {project_of(path) for path in self._files()}
        if self._memory:
            found |= {project for project, _ in self._memory.waiting}
        after = ""
        while pending := await self._store.list_private(PENDING, after=after, count=1):
            (name,) = pending
            project = name.rpartition("/")[0]
            found.add(project)
            after = f"{project}0"  # the first name behind all that begin with the project's
        return sorted(found)

    async def _some(self, project: str) -> int:
        before = await self._store.get_private(HEAD, project)
        head = read_head(before)
        waiting = await self._pending(project)
        taken = self._from_memory(project, waiting)
        if self._folder is not None:
            for path in self._files(project):
                await self._from_file(path, waiting)
        if not waiting.records and not waiting.kept:
            return 0
        records = sorted(waiting.records, key=lambda one: one.at)
        kept = list(waiting.kept)
        if records:
            new, block, terms = await self._block(project, head, records)
            kept.append(Kept(HEAD, project, write_head(new), before))
            kept.append(Kept(BLOCK, block_name(project, head.blocks), block, None))
            kept += terms
        await self._store.commit(project, ChangeSet((), kept=tuple(kept)))
        if taken and self._memory:
            drained = set(taken)
            self._memory.waiting = [
                one for at, one in enumerate(self._memory.waiting) if at not in drained
            ]
        return len(records)

    async def _block(
        self, project: str, head: Head, records: list[Record]
    ) -> tuple[Head, bytes, list[Kept]]:
        versions = [[one[:3] for one in record.touched] for record in records]
        await self._patients.look_up(project, set().union(*versions))
        lines = [
            Line(head.lines + at, record, self._patients.of(project, versions[at]))
            for at, record in enumerate(records)
        ]
        new, block = chained(head, lines, max(one.at for one in records))
        begins = min(one.at for one in records)
        return new, block, terms_of(project, head.blocks, begins, lines)

    async def _pending(self, project: str) -> _Waiting:
        begins = after = f"{project}/"
        waiting = _Waiting()
        size = 0
        while size < _BYTES and not waiting.full():
            found = await self._store.list_private(PENDING, after=after, count=_PART)
            mine = {name: value for name, value in found.items() if name.startswith(begins)}
            for name, value in sorted(mine.items()):
                if waiting.full():
                    return waiting
                waiting.add(_read(value))
                waiting.kept.append(Kept(PENDING, name, None))
                size += len(value)
            if len(mine) < _PART:
                break
            after = max(mine)
        return waiting

    def _from_memory(self, project: str, waiting: _Waiting) -> list[int]:
        if self._memory is None:
            return []
        taken = []
        for at, (whose, line) in enumerate(self._memory.waiting):
            if waiting.full():
                break
            if whose == project:
                taken.append(at)
                waiting.add(_read(line))
        return taken

    async def _from_file(self, path: Path, waiting: _Waiting) -> None:
        if waiting.full():
            return
        left = is_left(path)
        before = await self._store.get_private(DRAINED, path.name)
        at = int(before or b"0")
        try:
            with path.open("rb") as file:
                file.seek(at)
                content = file.read(_BYTES)
                size = _take(lines_in(content), _Lines(file), waiting)
        except FileNotFoundError:
            return
        if size:
            waiting.kept.append(Kept(DRAINED, path.name, b"%d" % (at + size), before))
        elif left:
            # A last line without an end was cut off by a death: its answer was never sent.
            _remove(path)
            if before is not None:
                waiting.kept.append(Kept(DRAINED, path.name, None))

    def _files(self, project: str = "") -> Iterable[Path]:
        if self._folder is None or not self._folder.is_dir():
            return []
        found = sorted(self._folder.glob(f"{project or '*'}.*{SUFFIX}"))
        return [path for path in found if not project or project_of(path) == project]


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


class _Lines:
    """Lines of a file by where they stand, each read once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._known: dict[int, bytes] = {}

    def at(self, place: int) -> bytes:
        line = self._known.get(place)
        if line is None:
            self._file.seek(place)
            line = self._known[place] = self._file.readline().removesuffix(b"\n")
        return line


def _take(lines: bytes, of: _Lines, waiting: _Waiting) -> int:
    """Take the records of lines, as far as a block has room; the bytes of what was taken."""
    size = 0
    for line in lines.split(b"\n")[:-1]:
        if waiting.full():
            break
        size += len(line) + 1
        if line:
            waiting.add(_read(line, of.at))
    return size


def _read(line: bytes, line_at: LineAt = nowhere) -> list[Record]:
    """The records of a line; what cannot be read is told of by another one."""
    try:
        return read_notes(line, line_at)
    except msgspec.MsgspecError:
        return [Record(at=0, act="unreadable", by=Who(way="audit"), status=500)]
