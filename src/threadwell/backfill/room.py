"""How much of a backfill is done at once, so that all of its processes fit into a memory."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from threadwell.backfill.spool import BUFFERED
from threadwell.channels.archives import is_archive
from threadwell.channels.table.parquet import is_parquet

#: Bytes of all processes together, if nobody says.
MEMORY = 768 * 1024 * 1024
#: Bytes of a process that has nothing to do, and what there is at least to work with.
_PROCESS, _LEAST = 80 * 1024 * 1024, 16 * 1024 * 1024
#: Bytes of what is read that make a partition, at least and at most. It takes four times as much
#: where it is spread, and as much again while it is made.
_SMALL, _LARGE = 512 * 1024, 8 * 1024 * 1024
_MOST = 4096
#: How many times as large it is when it is read: what is packed, and a row of Parquet in bytes.
_PACKED, _ROW = 8, 250


class Room(NamedTuple):
    """Bytes: of messages that a task holds before it writes them, of what is read for one
    partition, and by how much a group is measured that is made at once (``Settings.memory``).
    """

    buffered: int
    partition: int
    group: int

    def partitions(self, size: int, least: int) -> int:
        """Over how many partitions so many bytes are spread."""
        return max(min(size // self.partition, _MOST), least)


def least_for(workers: int) -> int:
    """The least memory, in bytes, in which so many processes work beside the one that has started
    them; one process works alone.
    """
    return (workers + 1 if workers > 1 else 1) * (_PROCESS + _LEAST)


def room_for(memory: int, workers: int) -> Room:
    """The room of each process, if so many and the one that has started them have that memory."""
    each = max(memory // (workers + 1) - _PROCESS, _LEAST)
    return Room(min(each // 8, BUFFERED), min(max(each // 16, _SMALL), _LARGE), each)


def read_size(path: Path) -> int:
    """About how many bytes come of a file or folder when it is read."""
    if path.is_dir():
        return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(512)
    if is_parquet(head):
        return max(size, _rows(path) * _ROW)
    return size * _PACKED if is_archive(head) else size


def _rows(path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError):
        return 0  # Whoever reads it tells what is wrong with it.
