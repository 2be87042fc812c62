"""Lines that a process keeps are read back as they were, whatever the file system and its end."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from threadwell.audit import reserving, spool
from threadwell.audit.noted import note, note_again
from threadwell.audit.record import Line, Touched, Who
from threadwell.audit.spool import LARGE, NOWHERE, WINDOW, FileSpool, lines_in
from threadwell.audit.witness import Witness
from threadwell.stores.contract import Matches, Stored, StoreError, StoreFull

if TYPE_CHECKING:
    from tests.unit.audit.conftest import Desk

NURSE = Who(who="Practitioner/9", way="api")
#: Short ones, one that ends with the window, one beyond it, one larger than it.
LENGTHS = [1, 300, WINDOW - 304, 10, 300, WINDOW - 311, 5, 2 * WINDOW + 7, 0, 40]


@pytest.fixture(params=[True, False], ids=["mapped", "written"])
def mapped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(spool, "reserves", lambda _: request.param)
    return bool(request.param)


def _file(folder: Path) -> Path:
    (one,) = folder.glob(f"*{spool.SUFFIX}")
    return one


def _page(*names: str) -> Matches:
    return Matches([Stored("Communication", name, "1", 0, False, b"{}") for name in names])


def test_lines_of_any_length_are_read_as_they_were(mapped: bool, tmp_path: Path) -> None:
    there = FileSpool(tmp_path)
    assert not there.used
    pen = there.pen("p")
    lines = [bytes([65 + n]) * length for n, length in enumerate(LENGTHS)]
    expected = b""
    for line in lines:
        place = pen.keep(line)
        assert (place == NOWHERE) is not mapped
        expected += line + b"\n"
        # Whoever reads meanwhile sees no more than what is there.
        assert lines_in(_file(tmp_path).read_bytes()) == expected
    assert there.used
    there.close()
    assert _file(tmp_path).read_bytes() == expected


def test_a_line_that_was_cut_off_is_none() -> None:
    assert lines_in(b"a\nbc\nhalf\0\0\0\0") == b"a\nbc\n"
    assert lines_in(b"a\nhal\0f\n\0") == b"a\n"
    assert lines_in(b"a\nhalf") == b"a\n"
    assert lines_in(b"\0\0") == lines_in(b"") == b""


def test_a_file_has_an_end(mapped: bool, tmp_path: Path) -> None:
    there = FileSpool(tmp_path)
    pen = there.pen("p")
    for _ in range(LARGE // WINDOW + 1):
        pen.keep(bytes([65]) * (WINDOW - 1))
    there.close()
    assert len(list(tmp_path.iterdir())) == 2


def test_what_comes_after_the_end_goes_to_another_file(mapped: bool, tmp_path: Path) -> None:
    there = FileSpool(tmp_path)
    pen = there.pen("p")
    first = pen.keep(b"one")
    there.close()
    assert pen.beside(first) == NOWHERE
    pen.keep(b"two")
    there.close()
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"one\n", b"two\n"]


def test_a_forked_process_has_files_of_its_own(mapped: bool, tmp_path: Path) -> None:
    there = FileSpool(tmp_path)
    pen = there.pen("p")
    pen.keep(b"before")
    child = os.fork()
    if not child:
        try:
            pen.keep(b"of the child")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    pen.keep(b"after")
    there.close()
    told = sorted(lines_in(path.read_bytes()) for path in tmp_path.iterdir())
    assert told == [b"before\nafter\n", b"of the child\n"]


def test_a_full_disk_is_told_of_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "reserves", lambda _: True)
    there = FileSpool(tmp_path)
    pen = there.pen("p")
    pen.keep(b"a" * (WINDOW - 10))
    real = os.posix_fallocate

    def fail(number: int) -> None:
        def set_aside(*_: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "posix_fallocate", set_aside)

    fail(errno.ENOSPC)
    with pytest.raises(StoreFull):
        pen.keep(b"b" * 20)
    fail(errno.EIO)
    with pytest.raises(StoreError):
        pen.keep(b"b" * 20)
    pen.keep(b"fits")
    monkeypatch.setattr(os, "posix_fallocate", real)
    pen.keep(b"c" * 20)
    there.close()
    assert _file(tmp_path).read_bytes().split(b"\n")[1:] == [b"fits", b"c" * 20, b""]


def test_only_file_systems_that_keep_their_word_are_written_by_memory() -> None:
    mounts = [
        "29 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
        "30 29 0:26 / /dev/shm rw,nosuid - tmpfs tmpfs rw,inode64",
        "31 29 0:44 / /far\\040away rw shared:9 master:2 - nfs4 there:/x rw",
        "32 29 0:45 / /layers rw - overlay overlay rw,lowerdir=/a",
        "33 29 253:0 /in /in rw - ext4 /dev/vda rw",
    ]
    told = {
        "253:0": {"ext4"},
        "0:26": {"tmpfs"},
        "0:44": {"nfs4"},
        "0:45": {"overlay"},
        "9:9": set(),
    }
    assert {device: reserving.types_of(mounts, device) for device in told} == told


def test_a_page_that_is_shown_again_is_written_once(desk: Desk, mapped: bool) -> None:
    if desk.folder is None:
        pytest.skip("a store in memory has no files")
    pen = desk.trail.pen(desk.project)
    page, other = _page(*(f"m{n}" for n in range(60))), _page("x", "y")

    def search(at: int, of: Matches) -> None:
        note_again(pen, at, "search", NURSE, "Communication", f"_count={at}", "", of)

    search(1, page)
    size = len(lines_in(_file(desk.folder).read_bytes()))
    for at, of in ((2, page), (3, other), (4, page), (5, other)):
        search(at, of)
    note(pen, 6, "search", NURSE, 200, "Communication", "_count=6", "", list(other))
    if mapped:
        assert len(lines_in(_file(desk.folder).read_bytes())) < 2.5 * size
    desk.run(desk.trail.drain())
    # What is drained by now can still be named.
    search(7, page)
    lines = desk.run(_lines(desk))
    assert [line.record.query for line in lines] == [f"_count={at}" for at in range(1, 8)]
    told = [[f"{one.type}/{one.id}/{one.version}" for one in line.record.touched] for line in lines]
    names = [[f"Communication/{one.id}/1" for one in of] for of in (page, other)]
    assert told == [names[which] for which in (0, 0, 1, 0, 1, 1, 0)]


def test_who_asks_is_written_once_in_a_file(desk: Desk, mapped: bool) -> None:
    if desk.folder is None:
        pytest.skip("a store in memory has no files")
    pen = desk.trail.pen(desk.project)
    others = [Who(who=f"Patient/{n}", way="api", name="x" * 300) for n in range(3)]
    asked = [f"Communication/m{n}" for n in range(60)]
    for at, name in enumerate(asked):
        if at == 20:
            # The next line begins in another part of the file, which no line leads to.
            pen.keep(b" " * (2 * WINDOW))
        if at == 40:
            desk.trail.close()
        witness = Witness(others[at % 3], at, pen, act="read", asked=name, reads=True)
        witness.saw(_page(f"m{at}" if at % 7 else "another")[0])
        witness.end(200)
    if mapped:
        size = sum(len(lines_in(one.read_bytes())) for one in desk.folder.iterdir())
        assert size < 2 * WINDOW + 60 * 200 + 12 * 400
    lines = [one for one in desk.run(_lines(desk)) if one.record.act != "unreadable"]
    assert [line.record.asked for line in lines] == asked
    assert [line.record.by for line in lines] == [others[at % 3] for at in range(60)]
    told = [line.record.touched for line in lines]
    seen = [f"m{at}" if at % 7 else "another" for at in range(60)]
    assert told == [(Touched("Communication", name, "1"),) for name in seen]


async def _lines(desk: Desk) -> list[Line]:
    await desk.trail.drain()
    return [line async for block in desk.trail.blocks(desk.project) for line in block.lines()]


def test_who_has_only_read_chains_what_is_little_and_leaves_much_to_a_server(desk: Desk) -> None:
    async def left(*, told: int) -> int:
        """How many records are in the chain once a process has told of so many bytes and ended."""
        trail = desk.another()
        trail.event(desk.project, "list", Who(way="command"), asked="x" * told)
        trail.close()
        await trail.drain_some()
        return (await trail.head(desk.project)).lines

    assert desk.run(left(told=10)) == 1
    lines = desk.run(left(told=70_000))
    if desk.folder is None:  # What is in memory alone would be lost.
        assert lines == 2
        return
    assert lines == 1
    # For a minute a server may come; then the next one does it, however much it is.
    for path in desk.folder.iterdir():
        os.utime(path, (time.time() - 70,) * 2)
    assert desk.run(left(told=70_000)) == 3
