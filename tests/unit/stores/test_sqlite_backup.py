"""Backups of a SQLite file: of one moment, whole or not there, over nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from threadwell.fhir.search.query import Query, Total
from threadwell.fhir.stamp import stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, StoreError, Write
from threadwell.stores.sqlite import SqliteStore, backup
from threadwell.stores.sqlite.backup import back_up

NOW = datetime(2026, 11, 28, 1, 30, tzinfo=UTC)


def _write(path: Path, first: int, number: int) -> None:
    asyncio.run(_written(path, first, number))


async def _written(path: Path, first: int, number: int) -> None:
    store = SqliteStore.open(path)
    try:
        for n in range(first, first + number):
            body = {"resourceType": "Basic", "code": {"text": "x" * 2000}}
            resource, written = stamp(body, f"b{n}", "1", 1)
            write = Write("Basic", f"b{n}", "1", 1, resource, written)
            await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))
    finally:
        await store.close()


def _count(path: Path) -> int:
    async def count() -> int:
        store = SqliteStore.open(path)
        try:
            query = Query("Basic", count=0, total=Total.ACCURATE)
            return (await store.search(DEFAULT_PROJECT, query)).total or 0
        finally:
            await store.close()

    return asyncio.run(count())


@contextmanager
def _log_kept(store: Path) -> Iterator[None]:
    """What is committed meanwhile stays in the log, as somebody reads what was before."""
    reading = apsw.Connection(str(store))
    reading.execute("BEGIN; SELECT count(*) FROM resource")
    try:
        yield
    finally:
        reading.close()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "practice.db"
    _write(path, 0, 30)
    return path


def test_a_backup_is_a_store(store: Path, tmp_path: Path) -> None:
    made = back_up(store, tmp_path / "copy.db", NOW)
    assert made == tmp_path / "copy.db"
    assert made.stat().st_mode & 0o077 == 0
    assert sorted(one.name for one in tmp_path.glob("copy*")) == ["copy.db"]
    assert _count(made) == 30


def test_a_folder_takes_as_many_as_wanted(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    made = [back_up(store, folder, NOW).name for _ in range(3)]
    assert made == [f"practice-2026-11-28-013000{more}.db" for more in ("", "-1", "-2")]
    assert sorted(one.name for one in folder.iterdir()) == sorted(made)


def test_it_writes_over_nothing(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "other"
    target.write_text("mine")
    with pytest.raises(StoreError, match="is there already"):
        back_up(store, target, NOW)
    assert target.read_text() == "mine"


def test_nor_over_what_comes_meanwhile(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "late.db"
    with pytest.raises(StoreError, match="meanwhile"):
        back_up(store, target, NOW, lambda *_: target.write_text("mine") and None)
    assert target.read_text() == "mine"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_what_is_written_meanwhile_is_in_the_next_one(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_PAGES", 5)
    writes = iter(range(100, 110))

    def progress(pages: int, of: int) -> None:
        assert 0 < pages <= of
        if (n := next(writes, None)) is not None:
            _write(store, n, 1)

    first = back_up(store, tmp_path / "first.db", NOW, progress)
    assert next(writes, None) is None, "the copy was made in too few steps to be disturbed"
    second = back_up(store, tmp_path / "second.db", NOW)
    assert (_count(first), _count(second)) == (30, 40)


def test_commits_that_are_only_in_the_log_are_in_the_backup(store: Path, tmp_path: Path) -> None:
    """As a crash leaves them: the file and its log, and nobody there."""
    place = tmp_path / "crashed"
    place.mkdir()
    with _log_kept(store):
        _write(store, 50, 5)
        for end in ("", "-wal"):
            shutil.copy(f"{store}{end}", place / f"practice.db{end}")
    assert (place / "practice.db-wal").stat().st_size
    assert _count(back_up(place / "practice.db", tmp_path / "copy.db", NOW)) == 35


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A file system that is read-only once it is ``frozen``; needs root."""
    place = tmp_path / "mounted"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("log", [False, True])
def test_the_store_may_be_where_nothing_can_be_written(
    store: Path, read_only: Path, tmp_path: Path, log: bool
) -> None:
    with _log_kept(store):
        if log:
            _write(store, 50, 5)
            shutil.copy(f"{store}-wal", read_only / "practice.db-wal")
        shutil.copy(store, read_only)
    subprocess.run(["mount", "-o", "remount,ro", str(read_only)], check=True)
    with pytest.raises(StoreError, match="for writing: Read-only file system"):
        SqliteStore.open(read_only / "practice.db")
    made = back_up(read_only / "practice.db", tmp_path / "copy.db", NOW)
    assert _count(made) == (35 if log else 30)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("none.db", "x.db", "there is no store at"),
        ("text", "x.db", "is not a Threadwell database"),
        ("other.db", "x.db", "is not a Threadwell database"),
        ("practice.db", "no/x.db", "there is no folder"),
    ],
)
def test_what_cannot_be_backed_up_leaves_nothing(
    store: Path, tmp_path: Path, source: str, target: str, words: str
) -> None:
    (tmp_path / "text").write_text("x" * 100)
    with closing(apsw.Connection(str(tmp_path / "other.db"))) as other:
        other.execute("CREATE TABLE t (x)")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StoreError, match=words):
        back_up(tmp_path / source, tmp_path / target, NOW)
    assert sorted(tmp_path.iterdir()) == before


def test_a_damaged_store_has_no_backup(store: Path, tmp_path: Path) -> None:
    with store.open("rb+") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 6))
    with pytest.raises(StoreError, match="damaged"):
        back_up(store, tmp_path / "copy.db", NOW)
    assert not (tmp_path / "copy.db").exists()
