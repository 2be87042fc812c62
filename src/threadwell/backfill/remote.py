"""Files at addresses (``s3://…``, ``gs://…``, ``hdfs://…``, ``file://…``), by Arrow's file systems.

How it logs in there is Arrow's and the environment's matter: keys, roles, profiles.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Remote(NamedTuple):
    """One file: its address, its bytes, and when it was written (``0`` where nobody says)."""

    address: str
    size: int
    written: int


class Unreachable(OSError):
    """An address leads nowhere; the message says which, and why."""


def is_remote(path: str) -> bool:
    """Whether a path is an address."""
    return "://" in path


def files_at(address: str) -> list[Remote]:
    """The file at an address, or those in the folder there, in order; raises ``Unreachable``."""
    from pyarrow import fs

    with _told(address):
        system, path = fs.FileSystem.from_uri(address)
        found = system.get_file_info(path)
        if found.type == fs.FileType.NotFound:
            raise Unreachable(f"{address}: there is no such file or folder")
        inside = [found]
        if found.type == fs.FileType.Directory:
            inside = system.get_file_info(fs.FileSelector(path, recursive=True))
        stem = address[: len(address.rstrip("/")) - len(path.rstrip("/"))]
        return [
            Remote(stem + one.path, one.size or 0, one.mtime_ns or 0)
            for one in sorted(inside, key=lambda one: str(one.path))
            if one.type == fs.FileType.File and not one.base_name.startswith(".")
        ]


@contextmanager
def fetched(address: str) -> Iterator[Path]:
    """The file at an address, on this machine for as long as it is read."""
    from pyarrow import fs

    with tempfile.TemporaryDirectory(prefix="threadwell-") as folder:
        with _told(address):
            system, path = fs.FileSystem.from_uri(address)
            target = Path(folder) / Path(path).name
            with (
                system.open_input_stream(path, compression=None) as source,
                target.open("wb") as to,
            ):
                shutil.copyfileobj(source, to, 1024 * 1024)
        yield target


@contextmanager
def _told(address: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except Unreachable:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreachable(f"{address}: {error}") from None
