"""A file that is damaged, taken away or on a disk that fails: what callers meet, and what not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from threadwell.stores.contract import DEFAULT_PROJECT, START, Key, StoreDamaged, StoreError
from threadwell.stores.sqlite import SqliteStore, heavy
from threadwell.stores.suite.scenario import Desk, query

_NAME = "Zmeskal"
_PAGE = 4096

#: Every way to read.
READS: dict[str, Callable[[SqliteStore], Awaitable[object]]] = {
    "read": lambda store: store.read(DEFAULT_PROJECT, "Patient", "p1"),
    "read_many": lambda store: store.read_many(DEFAULT_PROJECT, [Key("Patient", "p1")]),
    "read_version": lambda store: store.read_version(DEFAULT_PROJECT, "Patient", "p1", "1"),
    "history": lambda store: store.history(DEFAULT_PROJECT, "Patient", "p1", 10, 0),
    "content": lambda store: store.content(DEFAULT_PROJECT, "b1", "1"),
    "search": lambda store: store.search(DEFAULT_PROJECT, query(f"Patient?name={_NAME}")),
    "position": lambda store: store.position(DEFAULT_PROJECT),
    "versions": lambda store: store.versions(DEFAULT_PROJECT, START, 10),
    "projects": lambda store: store.projects(),
    "private_kinds": lambda store: store.private_kinds(),
    "get_private": lambda store: store.get_private("client", "one"),
    "list_private": lambda store: store.list_private("client"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with some patients, that nobody has open."""
    path = tmp_path / "x.db"

    async def fill() -> None:
        desk = Desk(SqliteStore.open(path))
        patient = {"resourceType": "Patient", "name": [{"family": _NAME}]}
        await desk.commit(*(desk.write({**patient, "id": f"p{n}"}) for n in range(100)))
        await desk.store.put_private("client", "one", b"1")
        await desk.store.close()

    asyncio.run(fill())
    return path


def _damage(path: Path) -> None:
    """Overwrite all but the first page, as a disk may that is about to fail."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(_PAGE)
        file.write(b"\xff" * (size - _PAGE))


@contextmanager
def _failing_disk(path: Path) -> Iterator[None]:
    """Nothing can be read from what this process has open of the file."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("it takes Linux to find the open files")
    opened = [int(fd.name) for fd in folder.iterdir() if _leads_to(fd, path)]
    assert opened
    kept = {fd: os.dup(fd) for fd in opened}
    unreadable = os.open(path, os.O_WRONLY)
    for fd in opened:
        os.dup2(unreadable, fd)
    try:
        yield
    finally:
        for fd, good in kept.items():
            os.dup2(good, fd)


def _leads_to(fd: Path, path: Path) -> bool:
    try:
        return fd.readlink() == path
    except OSError:  # the one that looks through the folder
        return False


@pytest.mark.parametrize("way", READS)
def test_a_damaged_file_is_told_as_such(path: Path, way: str) -> None:
    async def run() -> None:
        store = SqliteStore.open(path)
        _damage(path)
        with pytest.raises(StoreDamaged, match="a backup has to replace it") as error:
            await READS[way](store)
        assert _NAME not in str(error.value)
        with pytest.raises(StoreDamaged):
            await Desk(store).put({"resourceType": "Patient", "id": "p1000"})
        await store.close()

    asyncio.run(run())


def test_a_thread_meets_a_damaged_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heavy, "PATIENCE", -1.0)
    monkeypatch.setattr(heavy, "STEPS_ON_LOOP", 1)

    async def run() -> None:
        desk = Desk(SqliteStore.open(path))
        assert len(await desk.ids("Patient?active:missing=true")) == 20
        _damage(path)
        with pytest.raises(StoreDamaged):
            await desk.search("Patient?_sort=name")
        await desk.store.close()

    asyncio.run(run())


@pytest.mark.parametrize("way", READS)
def test_a_disk_that_fails_is_got_over(path: Path, way: str) -> None:
    async def run() -> None:
        store = SqliteStore.open(path)
        with _failing_disk(path), pytest.raises(StoreError, match="the disk fails") as error:
            await READS[way](store)
        assert type(error.value) is StoreError
        assert "SQLITE_IOERR_READ" in str(error.value)
        await READS[way](store)
        assert len((await store.search(DEFAULT_PROJECT, query("Patient"))).matches)
        await store.close()

    asyncio.run(run())


def test_a_disk_that_fails_within_a_search_is_told_as_such(path: Path) -> None:
    async def run() -> None:
        desk = Desk(SqliteStore.open(path))
        # What tells the project is known by now; the search has to read further.
        assert await desk.read("Patient", "p1")
        search = "Patient?_sort=birthdate"
        with _failing_disk(path), pytest.raises(StoreError, match="the disk fails"):
            await desk.search(search)
        assert await desk.ids(search)
        await desk.store.close()

    asyncio.run(run())


def test_a_damaged_file_is_not_opened(path: Path) -> None:
    _damage(path)
    with pytest.raises(StoreDamaged, match="cannot open"):
        SqliteStore.open(path)


@pytest.mark.parametrize("instead", [False, True])
def test_nothing_is_written_to_a_file_that_was_taken_away(
    path: Path, monkeypatch: pytest.MonkeyPatch, instead: bool
) -> None:
    # Every search needs a thread, with a connection of its own.
    monkeypatch.setattr(heavy, "PATIENCE", -1.0)
    monkeypatch.setattr(heavy, "STEPS_ON_LOOP", 1)

    async def run() -> None:
        desk = Desk(SqliteStore.open(path))
        elsewhere = path.with_name("elsewhere.db")
        content = path.read_bytes()
        path.rename(elsewhere)
        if instead:
            path.write_bytes(content)
        patient = {"resourceType": "Patient", "id": "p1000"}
        with pytest.raises(StoreError, match="removed or replaced"):
            await desk.commit(desk.write(patient))
        with pytest.raises(StoreError, match="removed or replaced"):
            await desk.store.put_private("client", "two", b"2")
        # What was open is read to the end, and no further connection meets another file.
        assert await desk.read("Patient", "p1") is not None
        with pytest.raises(StoreError, match="removed or replaced"):
            await desk.search("Patient")
        elsewhere.rename(path)
        await desk.put(patient)
        assert await desk.ids("Patient?_id=p1000") == ["p1000"]
        await desk.store.close()

    asyncio.run(run())
