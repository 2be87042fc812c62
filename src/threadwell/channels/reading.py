"""Walks files, folders and archives, and hands each to the channel whose content it is.

Nothing is passed over in silence: a file that no channel knows comes back as ``Broken``. Left out
are only hidden and system files (but not a folder that a channel reads as a whole), what belongs to
an export's messages or folders, the files that describe an export to people (``README…``,
``people.csv``), the database that this process works with, which is the store itself, and, with a
word, what is Threadwell's own.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from os.path import realpath
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from threadwell.channels.archives import MAX_DEPTH, ArchiveError, is_archive, member_heads, unpacked
from threadwell.channels.channel import HEAD_BYTES, Channel, ReadOptions
from threadwell.channels.links import unfollowed
from threadwell.channels.long_text import with_bounded_text
from threadwell.channels.names import with_shown_names
from threadwell.channels.open_files import is_open_here
from threadwell.channels.ours import what_of_ours
from threadwell.messages import Broken, Message

#: An unknown file is kept whole up to this size, and only named above it.
KEPT_BYTES = 32 * 1024 * 1024

_LEFT_OUT = re.compile(
    r"\..*|~\$.*|__MACOSX|Thumbs\.db|desktop\.ini|README(\.\w+)?|people\.(csv|json)",
    re.IGNORECASE,
)
#: What SQLite keeps beside a database that is open, or was copied while it was: its log, and the
#: index of that. Whoever reads the database reads them.
_BESIDE_DATABASE = re.compile(r"-(wal|shm)$")
#: How files begin that are packed by other programs than those that are unpacked here.
_PACKED = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\xff\x06\0\0sNaPpY": "Snappy",
}
_NOT_KNOWN = "not a format that Threadwell reads"


class UnknownChannel(ValueError):
    """There is no channel of that name; the message lists those that there are."""


def read_path(
    path: Path, *, channel: str | None = None, options: ReadOptions, channels: Sequence[Channel]
) -> Iterator[Message | Broken]:
    """Every message below ``path``, a file or a folder, in a stable order.

    The first of ``channels`` that knows a file's content reads it. With ``channel`` only that
    one is asked, and a ``path`` that is a file is taken for its, whatever it looks like. Raises
    ``UnknownChannel``, and ``FileNotFoundError`` where there is no ``path``; what cannot be read
    further below is a ``Broken``.
    """
    chosen = _chosen(channel, channels)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    items = _read(path, channel is not None, options, chosen)
    return (with_shown_names(with_bounded_text(item)) for item in items)


class Apart(NamedTuple):
    """What ``read_path`` reads of a path, in parts: each is read by a ``read_path`` of its own.

    ``broken`` is what cannot be read at all. Of the ``paths``, those are ``rows`` of which a part
    may be read (``ReadOptions.stripe``), each with the channel whose it is.
    """

    paths: list[Path]
    rows: dict[Path, Channel]
    broken: list[Broken]


def apart(path: Path, channels: Sequence[Channel]) -> Apart:
    """The parts of a path; raises ``FileNotFoundError`` where there is none."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    found = _unattached(path, channels) if path.is_dir() else [_identify(path, channels)]
    broken = [Broken("", one.path.name, one.failure, b"") for one in found if one.failure]
    rows = {one.path: one.channel for one in found if one.channel and one.channel.striped}
    return Apart([one.path for one in found if not one.failure], rows, broken)


def is_left_out(name: str, names: Container[str]) -> bool:
    """Whether a folder of those ``names`` is read without the file or folder of that name."""
    return bool(_LEFT_OUT.fullmatch(name)) or f"{_BESIDE_DATABASE.sub('', name)}-shm" in names


def is_known(path: Path, channels: Sequence[Channel]) -> bool:
    """Whether any of ``channels`` knows something of a file, folder or archive; may be costly."""
    found = _walk(path, path, channels) if path.is_dir() else [_identify(path, channels)]
    return any(one.channel is not None or _is_archive_of(one, channels) for one in found)


def attached(paths: Iterable[Path], channels: Sequence[Channel]) -> set[str]:
    """The files beside those of ``paths`` that belong to their messages, as ``realpath`` has it."""
    found = [_identify(path, channels) for path in paths if path.is_file()]
    return {
        realpath(companion)
        for one in found
        if one.channel is not None
        for companion in one.channel.companions(one.path)
    }


class _Found(NamedTuple):
    path: Path
    channel: Channel | None
    archive: bool = False
    failure: str = ""
    lacks: str = ""
    ours: str = ""


def _chosen(name: str | None, channels: Sequence[Channel]) -> Sequence[Channel]:
    if name is None:
        return channels
    chosen = [channel for channel in channels if channel.name == name]
    if not chosen:
        names = ", ".join(channel.name for channel in channels)
        raise UnknownChannel(f"no channel {name!r}: there are {names}")
    return chosen


def _read(
    path: Path, trusted: bool, options: ReadOptions, channels: Sequence[Channel]
) -> Iterator[Message | Broken]:
    if path.is_dir():
        yield from _read_folder(path, options, channels, 0)
        return
    found = _identify(path, channels)
    if trusted and not found.archive and not found.failure:
        found = _Found(path, channels[0])
    yield from _read_found(found, options, channels, 0)


def _read_folder(
    folder: Path, options: ReadOptions, channels: Sequence[Channel], depth: int
) -> Iterator[Message | Broken]:
    """The messages of a folder that ``depth`` archives hold."""
    for one in _unattached(folder, channels):
        yield from _read_found(one, options, channels, depth)


def _unattached(folder: Path, channels: Sequence[Channel]) -> list[_Found]:
    """What is in a folder, but for files that belong to messages of others in it."""
    found = list(_walk(folder, folder, channels))
    attached = {
        realpath(companion)
        for one in found
        if one.channel is not None
        for companion in one.channel.companions(one.path)
    }
    return [one for one in found if realpath(one.path) not in attached]


def _walk(folder: Path, root: Path, channels: Sequence[Channel]) -> Iterator[_Found]:
    """What is in a folder below ``root``, which no link leads out of."""
    whole = _whole(folder, channels)
    if whole is not None:
        yield _Found(folder, whole)
    try:
        paths = sorted(folder.iterdir() if whole is None else whole.rest(folder))
    except OSError as error:
        yield _Found(folder, None, failure=_failure(error))
        return
    for path in paths:
        if _is_open_database(path):
            continue
        if _LEFT_OUT.fullmatch(path.name):
            if path.name.startswith("."):
                yield from _walk_hidden(path, root, channels)
        elif path.is_symlink():
            if failure := unfollowed(path, root):
                yield _Found(path, None, failure=failure)
        elif path.is_dir():
            yield from _walk(path, root, channels)
        else:
            yield _identify(path, channels)


def _walk_hidden(path: Path, root: Path, channels: Sequence[Channel]) -> Iterator[_Found]:
    """What a channel reads as a whole, and nothing else: a mail server's ``.Sent`` is no secret."""
    if path.is_symlink() or not path.is_dir():
        return
    if _whole(path, channels) is not None:
        yield from _walk(path, root, channels)
        return
    inner: list[Path] = []
    with suppress(OSError):
        inner = sorted(path.iterdir())
    for one in inner:
        yield from _walk_hidden(one, root, channels)


def _whole(folder: Path, channels: Sequence[Channel]) -> Channel | None:
    return next((channel for channel in channels if channel.sniff(b"", folder)), None)


def _is_open_database(path: Path) -> bool:
    """Whether a file belongs to an SQLite database, or is one that this process works with."""
    database = path.with_name(_BESIDE_DATABASE.sub("", path.name))
    if database != path:
        in_use = path.with_name(f"{database.name}-shm").exists()
        return database.exists() and (in_use or _is_log(path))
    return path.with_name(f"{path.name}-shm").exists() and is_open_here(path)


def _is_log(path: Path) -> bool:
    """Whether a file is the log of a database (SQLite's file format, §4.1)."""
    try:
        if is_open_here(path) or not S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            return file.read(4) in (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
    except OSError:
        return False


def _identify(path: Path, channels: Sequence[Channel]) -> _Found:
    try:
        # Before it is opened: nobody may ever write to a pipe, and a device may have no end.
        if not S_ISREG(path.stat().st_mode):
            return _Found(path, None, failure="cannot be read: it is a pipe or device, not a file")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        return _Found(path, None, failure=_failure(error))
    if ours := what_of_ours(head, path):
        return _Found(path, None, ours=ours)
    known = _sniff(head, path, channels)
    if known is None and head and not is_archive(head):
        lacks = _packed(head) or next(
            filter(None, (channel.nearly(head, path) for channel in channels)), ""
        )
        return _Found(path, None, lacks=lacks)
    return _Found(path, known, archive=known is None and is_archive(head))


def _packed(head: bytes) -> str:
    """What to do about a file that is packed in a way that ``archives`` does not unpack."""
    for begin, name in _PACKED.items():
        if head.startswith(begin):
            return f"is packed by {name}, which Threadwell does not unpack: pack it by gzip, or not"
    return ""


def _sniff(head: bytes, path: Path, channels: Sequence[Channel]) -> Channel | None:
    if not head:
        return None
    return next((channel for channel in channels if channel.sniff(head, path)), None)


def _read_found(
    found: _Found, options: ReadOptions, channels: Sequence[Channel], depth: int
) -> Iterator[Message | Broken]:
    try:
        if found.failure:
            yield Broken("", found.path.name, found.failure, b"")
        elif found.ours:
            options.tell(f"left out {found.path.name}: it is {found.ours}")
        elif found.channel is not None:
            yield from found.channel.messages(found.path, options)
        elif found.archive:
            yield from _read_archive(found.path, options, channels, depth + 1)
        elif found.path.stat().st_size:
            yield _unread(found.path, found.lacks or _NOT_KNOWN)
    except OSError as error:
        yield Broken("", found.path.name, _failure(error), b"")


def _is_archive_of(found: _Found, channels: Sequence[Channel]) -> bool:
    if not found.archive:
        return False
    try:
        heads = member_heads(found.path)
        return any(_sniff(head, Path(name), channels) for name, head in heads)
    except (ArchiveError, OSError):
        return False


def _read_archive(
    path: Path, options: ReadOptions, channels: Sequence[Channel], depth: int
) -> Iterator[Message | Broken]:
    if depth > MAX_DEPTH:
        yield _unread(path, f"an archive within {MAX_DEPTH} others")
        return
    try:
        # A document or a spreadsheet is an archive too: only one that holds messages is opened.
        if not any(_sniff(head, Path(name), channels) for name, head in member_heads(path, depth)):
            yield _unread(path, _NOT_KNOWN)
            return
        with unpacked(path) as folder:
            for item in _read_folder(folder, options, channels, depth):
                if isinstance(item, Broken):
                    item = replace(item, source=f"{path.name}: {item.source}")
                yield item
    except ArchiveError as error:
        yield _unread(path, f"the archive cannot be opened: {error}")


def _failure(error: OSError) -> str:
    return f"cannot be read: {error.strerror or type(error).__name__}"


def _unread(path: Path, reason: str) -> Broken:
    if path.stat().st_size > KEPT_BYTES:
        reason += f"; larger than {KEPT_BYTES // 1024**2} MiB, so only its name is kept"
        return Broken("", path.name, reason, b"")
    return Broken("", path.name, reason, path.read_bytes())
