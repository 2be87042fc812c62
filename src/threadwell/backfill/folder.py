"""The folder that a backfill fills: NDJSON by type as Bulk Data lays it out, and how far it is.

What was made of a partition counts once its note is there, which is written last. So what is killed
goes on behind the last partition, and a run over changed input makes only what that changes.
"""

from __future__ import annotations

import os
import pickle
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import msgspec

from threadwell.backfill.basis import Unit
from threadwell.backfill.spool import BUFFERED, Note
from threadwell.bulk.replacing import named, replace
from threadwell.fhir.content import with_data
from threadwell.fhir.stamp import instant
from threadwell.intake.carried import MANIFEST
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Done

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_STATE = ".threadwell-backfill"
#: Bytes of files that one task reads, if they are small; and how many take as long as opening one.
_TASK, _OPENED = 8 * 1024 * 1024, 32 * 1024
#: Of an Encounter that time alone will change.
_OPEN = frozenset(("planned", "arrived", "triaged", "in-progress", "onleave"))


class Taken(Exception):
    """The folder has something else in it, or another process fills it; the message names it."""


class Plan(msgspec.Struct, frozen=True):
    """What is being read, and over how many partitions it is spread.

    ``asked`` tells it from what else could be asked, and ``by`` how all of it is made, whatever is
    read. ``ours`` are addresses that the practice has
    turned out to have; then everything is read once more. ``buffered`` is how many bytes of
    messages a task holds before it writes them.
    """

    asked: str
    by: str
    units: list[Unit]
    partitions: int
    ours: list[tuple[str, str, str]] = []
    round: int = 0
    buffered: int = BUFFERED

    def tasks(self) -> list[range]:
        """The units in tasks: many small ones are one, as each task takes its time to begin."""
        begins, size = [0], 0
        for number, unit in enumerate(self.units):
            size += max(unit.size, _OPENED)
            if number and (size > _TASK or unit.is_shared):
                begins.append(number)
                size = max(unit.size, _OPENED)
        ends = [*begins[1:], len(self.units)]
        return [range(*one) for one in zip(begins, ends, strict=True) if len(range(*one))]

    def is_read(self, units: range, note: Note | None) -> bool:
        """Whether the note of a task is of these units, as they are read by now."""
        return note is not None and note.spans == any(self.units[one].span for one in units)

    def mended(self, torn: Collection[str], most: int) -> Plan:
        """The same, but that files whose spans are ``torn`` are read in ``most`` stripes or fewer.

        Each unit stays what it is in the order of what is read.
        """
        count = Counter(unit.path for unit in self.units)
        number: Counter[str] = Counter()
        units = []
        for unit in self.units:
            if unit.path in torn and unit.span:
                stripes = min(count[unit.path], most)
                unit = unit._replace(span=None, stripe=number[unit.path], stripes=stripes)
                number[unit.path] += 1
            units.append(unit)
        return msgspec.structs.replace(self, units=units)


class Part(msgspec.Struct, frozen=True):
    """What was made of a partition: of which input, how many lines of each type, what it counts.

    It is ``lasting`` where the same input makes the same at any later time.
    """

    digest: str
    lines: dict[str, int]
    counts: dict[str, int]
    reasons: dict[str, int]
    lasting: bool


class Folder:
    """The folder at ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state = path / _STATE

    @property
    def people(self) -> Path:
        """Where the store is that has the people."""
        return self._state / "people.db"

    @contextmanager
    def beginning(self) -> Iterator[None]:
        """Have what is needed there, and alone; what fails meanwhile leaves nothing of it.

        What an earlier one has begun stays. Raises ``Taken``.
        """
        was_there, was_begun = self.path.exists(), self._state.exists()
        self._begin()
        with self.held():
            try:
                yield
            except BaseException:
                if not was_begun:
                    shutil.rmtree(self._state, ignore_errors=True)
                    if not was_there:
                        with suppress(OSError):
                            self.path.rmdir()
                raise

    def _begin(self) -> None:
        if self.path.exists() and not self._state.exists() and any(self.path.iterdir()):
            raise Taken(f"{self.path} is not empty: give a folder that is, or does not exist")
        for inner in ("spool", "parts", "making"):
            (self._state / inner).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have it alone meanwhile; raises ``Taken`` where another process does."""
        with (self._state / "lock").open("ab") as lock:
            if fcntl is not None:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise Taken(
                        f"{self.path} is being filled by another process: wait until it has ended"
                    ) from None
            yield

    def plan(self) -> Plan | None:
        """What was being made when it ended; ``None`` where that was done."""
        try:
            return msgspec.json.decode((self._state / "plan.json").read_bytes(), type=Plan)
        except FileNotFoundError:
            return None

    def put_plan(self, plan: Plan) -> None:
        """Begin with that."""
        if (self.plan() or plan).asked != plan.asked or self.plan() is None:
            self.sweep()
        replace(self._state / "plan.json", msgspec.json.encode(plan))

    def partitions(self) -> int:
        """Over how many partitions it was spread before; 0 where that is not known."""
        try:
            return int((self._state / "partitions").read_text())
        except FileNotFoundError:
            return 0

    def put_partitions(self, partitions: int) -> None:
        """Another number than before makes all of it anew."""
        if self.partitions() not in (0, partitions):
            for number in range(self.partitions()):
                self._remove_part(number)
        replace(self._state / "partitions", str(partitions).encode())

    def spooled(self, plan: Plan, units: range) -> Path:
        """Where the file of the task that reads those units is."""
        return self._state / "spool" / f"{plan.round}-{units.start:06}.arrow"

    def spools(self, plan: Plan) -> list[Path]:
        """The files of all tasks."""
        return [self.spooled(plan, units) for units in plan.tasks()]

    def part(self, number: int) -> Part | None:
        """What was made of a partition; ``None`` where nothing was."""
        try:
            return msgspec.json.decode(self._part(number).read_bytes(), type=Part)
        except FileNotFoundError:
            return None

    def put_part(self, number: int, part: Part, lines: Lines) -> None:
        """Put what was made of a partition in the place of what was there."""
        self._remove_part(number)
        lines.move(self.path, number)
        if lines.counts or part.counts.get("read"):
            replace(self._part(number), msgspec.json.encode(part))

    def put_work(self, work: object) -> Path:
        """Write down what every process has to know; it is read by ``work_at``."""
        content = pickle.dumps(work)
        path = self._state / "making" / blake2b(content, digest_size=16).hexdigest()
        with named(path):
            path.write_bytes(content)
        return path

    def lines(self, number: int) -> Lines:
        """Files for what is made of a partition, out of sight until it is whole."""
        return Lines(self._state / "making" / str(number))

    def put_manifest(
        self,
        partitions: int,
        people: dict[str, int],
        now: int,
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Write which files there are, and what ``more`` is to be said."""
        output = [
            {"type": type_, "url": f"{type_}.ndjson", "count": count}
            for type_, count in sorted(people.items())
        ]
        for number, part in self.parts(partitions):
            output += [
                {"type": type_, "url": name_of(type_, number), "count": count}
                for type_, count in sorted(part.lines.items())
            ]
        told = {
            "transactionTime": instant(now),
            "request": "threadwell backfill",
            "requiresAccessToken": False,
            "output": output,
            "error": [],
            **more,
        }
        content = msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
        replace(self.path / MANIFEST, content)

    def parts(self, partitions: int) -> Iterator[tuple[int, Part]]:
        """What was made, by partition."""
        for number in range(partitions):
            if (part := self.part(number)) is not None:
                yield number, part

    def sweep(self) -> None:
        """Remove what was needed on the way."""
        (self._state / "plan.json").unlink(missing_ok=True)
        for inner in ("spool", "making"):
            shutil.rmtree(self._state / inner, ignore_errors=True)
            (self._state / inner).mkdir()

    def remove(self) -> None:
        """Remove all of it: what was made is elsewhere."""
        shutil.rmtree(self.path)

    def _part(self, number: int) -> Path:
        return self._state / "parts" / f"{number:05}.json"

    def _remove_part(self, number: int) -> None:
        before = self.part(number)
        self._part(number).unlink(missing_ok=True)
        for type_ in before.lines if before else ():
            (self.path / name_of(type_, number)).unlink(missing_ok=True)


class Lines:
    """Lines of resources, a file for each type."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._folder = folder
        self._files: dict[str, IO[bytes]] = {}
        self.counts: Counter[str] = Counter()
        self.done = Done()
        self.lasting = True

    def add(self, batch: Batch) -> None:
        """Add what a batch would write."""
        by_type: dict[str, list[bytes]] = {}
        for write in batch.writes.values():
            body = write.body
            if write.type == "Binary":
                body = with_data(body, write.content)
            elif write.type == "Encounter" and (write.resource or {}).get("status") in _OPEN:
                self.lasting = False
            by_type.setdefault(write.type, []).append(body)
        for type_, bodies in by_type.items():
            self.counts[type_] += len(bodies)
            bodies.append(b"")
            with named(self._folder / type_):
                self._file(type_).write(b"\n".join(bodies))
        self.lasting &= "future-date" not in batch.reasons
        self.done.add(batch)

    def move(self, to: Path, number: int) -> None:
        """Put the files where they are to be."""
        for type_, file in self._files.items():
            with named(self._folder / type_):
                file.flush()
                os.fsync(file.fileno())
                file.close()
            (self._folder / type_).replace(to / name_of(type_, number))
        self._folder.rmdir()

    def _file(self, type_: str) -> IO[bytes]:
        if type_ not in self._files:
            self._files[type_] = (self._folder / type_).open("wb", buffering=1024 * 1024)
        return self._files[type_]


def work_at(work: Any) -> Any:
    """What every process has to know, where it was written down; or that itself."""
    return _read(work) if isinstance(work, Path) else work


@lru_cache(maxsize=1)
def _read(path: Path) -> Any:
    return pickle.loads(path.read_bytes())  # noqa: S301 - written by ourselves


def name_of(type_: str, number: int) -> str:
    """The name of a file."""
    return f"{type_}.{number + 1:05}.ndjson"
