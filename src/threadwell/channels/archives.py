"""Archives are opened into a temporary folder that only this account can read."""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from threadwell.channels.channel import HEAD_BYTES

_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"

#: An archive this large when unpacked, from so much less, was made to do harm.
_SUSPECT_BYTES = 512 * 1024 * 1024
_SUSPECT_RATIO = 200


class ArchiveError(Exception):
    """The archive cannot be unpacked; the message says why, in plain words."""


def is_archive(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is one that ``unpacked`` opens."""
    return head.startswith((_ZIP, _GZIP))


def member_heads(path: Path) -> Iterator[tuple[str, bytes]]:
    """The name and first bytes of each file within the archive, without unpacking it.

    Raises ``ArchiveError`` and ``OSError``.
    """
    with _named_failures():
        if _is_gzip(path):
            with gzip.open(path) as inner:
                yield _inner_name(path), inner.read(HEAD_BYTES)
            return
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    with archive.open(member) as inner:
                        yield member.filename, inner.read(HEAD_BYTES)


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder, named as the archive without its suffix, that holds its files while in use.

    Raises ``ArchiveError`` and ``OSError``.
    """
    with tempfile.TemporaryDirectory(prefix="threadwell-") as temporary:
        folder = Path(temporary) / (path.stem or path.name)
        folder.mkdir()
        with _named_failures():
            if _is_gzip(path):
                _unzip_one(path, folder / _inner_name(path))
            else:
                _unzip_all(path, folder)
        yield folder


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _inner_name(path: Path) -> str:
    return path.stem if path.suffix.lower() == ".gz" else path.name


def _unzip_one(path: Path, to: Path) -> None:
    most = max(_SUSPECT_BYTES, path.stat().st_size * _SUSPECT_RATIO)
    with gzip.open(path) as inner, to.open("wb") as file:
        while chunk := inner.read(1 << 20):
            if file.tell() > most:
                raise ArchiveError("it unpacks to far more than it can honestly hold")
            file.write(chunk)


def _unzip_all(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        unpacked_bytes = sum(member.file_size for member in archive.infolist())
        if unpacked_bytes > max(_SUSPECT_BYTES, path.stat().st_size * _SUSPECT_RATIO):
            raise ArchiveError("it unpacks to far more than it can honestly hold")
        for member in archive.infolist():
            if member.is_dir():
                continue
            # `extract` keeps every member below the folder, whatever its name says.
            archive.extract(member, folder)


@contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what zipfile raises where a password is missing
        raise ArchiveError("it is encrypted: unpack it first") from error
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise ArchiveError("it is damaged, or packed in a way that is not known") from error
