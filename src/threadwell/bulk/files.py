"""Lines into the files of an export, in pieces that one commit adds together."""

from __future__ import annotations

import os
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from threadwell.audit.audited import waiting
from threadwell.audit.record import Record, Touched, Who
from threadwell.bulk.job import File, Part, Progress, kept_piece
from threadwell.bulk.packing import pack
from threadwell.fhir.stamp import new_id
from threadwell.stores.aside import aside
from threadwell.stores.contract import Kept, Stored

#: A file has about so many lines and bytes, and then another one follows.
MOST_LINES, MOST_BYTES = 100_000, 512 * 1024 * 1024


class Filed(Protocol):
    """How far something is that has files, and the bytes of their pieces together."""

    files: dict[str, File]
    kept: int


class Lines:
    """What one step adds to the files, by part and type, and which versions are ``shown`` by it."""

    def __init__(self) -> None:
        self._lines: defaultdict[tuple[Part, str], list[bytes]] = defaultdict(list)
        self.shown: list[Stored] = []

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def add(self, part: Part, type_: str, line: bytes) -> None:
        """A line, without its end."""
        self._lines[part, type_].append(line)

    def __iter__(self) -> Iterator[tuple[tuple[Part, str], list[bytes]]]:
        return iter(self._lines.items())

    async def kept(self, project: str, id_: str, progress: Filed) -> list[Kept]:
        """The pieces, which ``progress`` knows of from now on."""
        found: list[Kept] = []
        for (part, type_), lines in self._lines.items():
            name, file = _open(progress, part, type_)
            text = b"\n".join(lines) + b"\n"
            piece = await aside(len(text), partial(pack, text))
            found.append(kept_piece(project, id_, name, file.pieces, piece))
            file.lines += len(lines)
            file.size += len(text)
            file.checksum = zlib.crc32(text, file.checksum)
            file.pieces += 1
            progress.kept += len(piece)
        return found


def export_record(
    project: str, by: Who, shown: Sequence[Stored], now: int, asked: str = ""
) -> Kept:
    """The record of what comes into the files of an export, to go with a commit."""
    touched = tuple([Touched(one.type, one.id, one.version_id) for one in shown])
    record = Record(at=now, act="export", by=by, asked=asked, touched=touched)
    return waiting(project, record, new_id(now))


def written(folder: Path, progress: Progress, lines: Lines) -> None:
    """Write the lines to files in a folder, which ``progress`` knows of from now on."""
    for (part, type_), some in lines:
        name, file = _open(progress, part, type_)
        text = b"\n".join(some) + b"\n"
        with (folder / name).open("ab") as there:
            there.write(text)
            there.flush()
            os.fsync(there.fileno())
        file.lines += len(some)
        file.size += len(text)


def named(progress: Filed, part: Part) -> Iterator[tuple[str, File]]:
    """The files of a part, by name."""
    return ((name, file) for name, file in progress.files.items() if file.part is part)


def _open(progress: Filed, part: Part, type_: str) -> tuple[str, File]:
    """The file of a part and type that is written on, a new one where that is full."""
    mine = [(name, file) for name, file in named(progress, part) if file.type == type_]
    if mine and mine[-1][1].lines < MOST_LINES and mine[-1][1].size < MOST_BYTES:
        return mine[-1]
    stem = type_ if part is Part.OUTPUT else part.value
    name, file = f"{stem}.{len(mine) + 1}.ndjson", File(part, type_)
    progress.files[name] = file
    return name, file
