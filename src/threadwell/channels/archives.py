"""Archives are opened into a temporary folder that only this account can read."""

from __future__ import annotations

import gzip
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from typing import IO, TypeAlias, cast

from threadwell.channels.channel import HEAD_BYTES

_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"
#: What every tar of today has, and where (POSIX.1-1988 and later).
_TAR, _TAR_AT = b"ustar", 257

#: An archive this large when unpacked, from so much less, was made to do harm.
_SUSPECT_BYTES = 512 * 1024 * 1024
_SUSPECT_RATIO = 200

#: How deep archives within archives are opened: an archive is 1, one within it 2.
MAX_DEPTH = 3


#: Bytes of a part of a path, and of its ending, that every file system takes; and parts of one.
_LONGEST_PART = 255
_LONGEST_SUFFIX = 20
_MOST_PARTS = 40

_FAILURES = (zipfile.BadZipFile, tarfile.TarError, NotImplementedError, EOFError, zlib.error)
_TOO_MUCH = "it unpacks to far more than it can honestly hold"
_CHUNK = 1 << 20
_Parts: TypeAlias = tuple[str, ...]


class ArchiveError(Exception):
    """The archive cannot be unpacked; the message says why, in plain words."""


def is_archive(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is one that ``unpacked`` opens."""
    return head.startswith((_ZIP, _GZIP)) or _is_tar(head)


def member_heads(path: Path, depth: int = 1) -> Iterator[tuple[str, bytes]]:
    """The name and first bytes of each file within the archive, without unpacking it.

    Those within its archives follow, down to ``MAX_DEPTH``; ``depth`` is its own. Raises
    ``ArchiveError`` and ``OSError``.
    """
    with _named_failures():
        with path.open("rb") as file:
            if _is_zip(path):
                yield from _zip_heads(file, depth)
                return
        with _stream(path) as inner:
            head = inner.read(HEAD_BYTES)
            if not _is_tar(head):
                yield _inner_name(path), head
                return
        with _stream(path) as inner, tarfile.open(fileobj=inner, mode="r|") as archive:
            for member in filter(tarfile.TarInfo.isreg, archive):
                packed = archive.extractfile(member)
                yield member.name, packed.read(HEAD_BYTES) if packed else b""


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder, named as the archive without its suffix, that holds its files while in use.

    Raises ``ArchiveError`` and ``OSError``.
    """
    with tempfile.TemporaryDirectory(prefix="threadwell-") as temporary:
        folder = Path(temporary) / (path.stem or path.name)
        folder.mkdir()
        with _named_failures():
            if _is_zip(path):
                _unzip_all(path, folder)
            else:
                _unpack_stream(path, folder)
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


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_ZIP)) == _ZIP


def _is_tar(head: bytes) -> bool:
    return head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR


@contextmanager
def _stream(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file that is packed as a whole, or of a tar that is not."""
    with path.open("rb") as file:
        is_packed = file.read(len(_GZIP)) == _GZIP
    with gzip.open(path) if is_packed else path.open("rb") as inner:
        yield cast(IO[bytes], _Bounded(cast(IO[bytes], inner), _most(path)))


@dataclass(slots=True)
class _Bounded:
    """A stream of which no more is read than an honest archive holds."""

    stream: IO[bytes]
    left: int

    def read(self, size: int = -1) -> bytes:
        chunk = self.stream.read(size)
        self.left -= len(chunk)
        if self.left < 0:
            raise ArchiveError(_TOO_MUCH)
        return chunk


def _inner_name(path: Path) -> str:
    return path.stem if path.suffix.lower() == ".gz" else path.name


@dataclass(slots=True)
class _Target:
    """A folder that is filled with the files of an archive, whatever they are called."""

    folder: Path
    _files: set[_Parts] = field(default_factory=set)
    _folders: set[_Parts] = field(default_factory=set)

    def add(self, name: str, packed: IO[bytes]) -> None:
        """Write a file. What no folder can hold beside the others gets one of its own."""
        place = _place(name)
        parts = tuple(part.casefold() for part in place)
        above = {parts[:length] for length in range(1, len(parts))}
        is_taken = parts in self._files or parts in self._folders
        is_taken = is_taken or not above.isdisjoint(self._files)
        self._files.add(parts)
        self._folders |= above
        home = Path(tempfile.mkdtemp(dir=self.folder)) if is_taken else self.folder
        target = home.joinpath(*place)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            copyfileobj(packed, file, _CHUNK)


def _most(path: Path) -> int:
    return max(_SUSPECT_BYTES, path.stat().st_size * _SUSPECT_RATIO)


def _unpack_stream(path: Path, folder: Path) -> None:
    target = _Target(folder)
    with _stream(path) as inner:
        is_tar = _is_tar(inner.read(_TAR_AT + len(_TAR)))
    with _stream(path) as inner:
        if not is_tar:
            target.add(_inner_name(path), inner)
            return
        with tarfile.open(fileobj=inner, mode="r|") as archive:
            # Links, devices and pipes are no files that somebody exported.
            for member in filter(tarfile.TarInfo.isreg, archive):
                packed = archive.extractfile(member)
                if packed is not None:
                    target.add(member.name, packed)


def _unzip_all(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > _most(path):
            raise ArchiveError(_TOO_MUCH)
        target = _Target(folder)
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as packed:
                    target.add(member.filename, packed)


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
