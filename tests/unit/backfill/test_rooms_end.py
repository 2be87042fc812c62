"""A disk that is full: which file had no room is told, and what was made goes on once there is."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.unit.backfill.test_filling import imported, lines, run, source
from threadwell.backfill.folder import Lines
from threadwell.bulk import replacing

__all__ = ["source"]


class Full:
    """A file of which so many bytes have room."""

    def __init__(self, file, room: list[int]) -> None:
        self._file, self._room = file, room

    def write(self, content: bytes) -> int:
        self._room[0] -= len(content)
        if self._room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(content)

    def __getattr__(self, name: str):
        return getattr(self._file, name)


def test_the_file_that_has_no_room_is_named_and_the_rest_is_made_later(source, monkeypatch):
    room = [0]
    opened = Lines._file
    monkeypatch.setattr(Lines, "_file", lambda self, type_: Full(opened(self, type_), room))
    with pytest.raises(OSError, match=r"No space left on device.*making/\d/[A-Z]"):
        run(source)
    assert not (source.parent / "made" / "manifest.json").exists()
    room[0] = 10**9
    run(source)
    assert lines(source.parent / "made") == imported(source)


def test_a_note_that_has_no_room_is_named(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(replacing.os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*note\.json"):
        replacing.replace(tmp_path / "note.json", b"{}")
    assert not Path(tmp_path / "note.json").exists()
