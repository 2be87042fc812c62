"""Archives are opened into a temporary folder that only this account can read."""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from typing import IO, TypeAlias

from threadwell.channels.channel import HEAD_BYTES

_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"

#: An archive this large when unpacked, from so much less, was made to do harm.
_SUSPECT_BYTES = 512 * 1024 * 1024
_SUSPECT_RATIO = 200

#: How deep archives within archives are opened: an archive is 1, one within it 2.
MAX_DEPTH = 3


#: Bytes of a part of a path, and of its ending, that every file system takes; and parts of one.
_LONGEST_PART = 255
_LONGEST_SUFFIX = 20
_MOST_PARTS = 40

_FAILURES = (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error)
_Parts: TypeAlias = tuple[str, ...]


class ArchiveError(Exception):
    """The archive cannot be unpacked; the message says why, in plain words."""


def is_archive(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is one that ``unpacked`` opens."""
    return head.startswith((_ZIP, _GZIP))


def member_heads(path: Path, depth: int = 1) -> Iterator[tuple[str, bytes]]:
    """The name and first bytes of each file within the archive, without unpacking it.

    Those within its archives follow, down to ``MAX_DEPTH``; ``depth`` is its own. Raises
    ``ArchiveError`` and ``OSError``.
    """
    with _named_failures():
        if _is_gzip(path):
            with gzip.open(path) as inner:
                yield _inner_name(path), inner.read(HEAD_BYTES)
            return
        with path.open("rb") as file:
            yield from _zip_heads(file, depth)


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


def _zip_heads(file: IO[bytes], depth: int) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            with archive.open(member) as inner:
                head = inner.read(HEAD_BYTES)
                yield member.filename, head
                within = head.startswith(_ZIP) and depth < MAX_DEPTH
                # To look into it is to unpack it in passing.
                if within and member.file_size <= _SUSPECT_BYTES:
                    inner.seek(0)
                    with suppress(RuntimeError, *_FAILURES):
                        yield from _zip_heads(inner, depth + 1)


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
        files, folders = set[_Parts](), set[_Parts]()
        for member in archive.infolist():
            if member.is_dir():
                continue
            place = _place(member.filename)
            parts = tuple(part.casefold() for part in place)
            above = {parts[:length] for length in range(1, len(parts))}
            is_taken = parts in files or parts in folders or not above.isdisjoint(files)
            files.add(parts)
            folders |= above
            # What no folder can hold beside the others gets one of its own.
            home = Path(tempfile.mkdtemp(dir=folder)) if is_taken else folder
            target = home.joinpath(*place)
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as packed, target.open("wb") as file:
                copyfileobj(packed, file)


def _place(name: str) -> _Parts:
    """Where a member goes below the folder, whatever its name says: never out of it.

    A part that no file system takes is cut, and told from others that begin alike by a digest; of
    very many folders within each other the last are kept.
    """
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..")]
    return tuple(map(_short, parts[-_MOST_PARTS:])) or ("unnamed",)


def _short(part: str) -> str:
    whole = part.encode("utf-8", "replace")
    if len(whole) <= _LONGEST_PART:
        return part
    suffix = PurePosixPath(part).suffix
    suffix = suffix if len(suffix.encode("utf-8", "replace")) < _LONGEST_SUFFIX else ""
    digest = sha256(whole).hexdigest()[:16]
    kept = whole[: _LONGEST_PART - _LONGEST_SUFFIX - len(digest) - 1].decode("utf-8", "ignore")
    return f"{kept}~{digest}{suffix}"


@contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what zipfile raises where a password is missing
        raise ArchiveError("it is encrypted: unpack it first") from error
    except _FAILURES as error:
        raise ArchiveError("it is damaged, or packed in a way that is not known") from error
