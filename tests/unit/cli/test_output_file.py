"""What a command writes to a file is there whole, or what was there stays."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

import threadwell
from threadwell.cli import main
from threadwell.cli.errors import Mistake
from threadwell.cli.output_file import whole_file


def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with whole_file(path) as file:
        file.write(b"one\n")
        assert not path.exists()
    assert path.read_bytes() == b"one\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("over", [True, False])
def test_what_is_broken_off_leaves_what_was_there(tmp_path: Path, *, over: bool) -> None:
    path = tmp_path / "a.csv"
    if over:
        path.write_bytes(b"old\n")
    with pytest.raises(ConnectionError):
        _broken_off(path, over=over)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"old\n"] * over


def test_a_file_keeps_its_permissions_and_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_bytes(b"old\n")
    real.chmod(0o640)
    link.symlink_to(real)
    with whole_file(link) as file:
        file.write(b"new\n")
    assert link.is_symlink()
    assert real.read_bytes() == b"new\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_new_file_may_be_read_as_any_other(tmp_path: Path) -> None:
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.touch()
    with whole_file(ours):
        pass
    assert ours.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("before", [True, False])
def test_what_must_not_be_written_over_is_not(tmp_path: Path, *, before: bool) -> None:
    path = tmp_path / "a.ndjson"
    if before:
        path.write_bytes(b"first\n")
    with pytest.raises(Mistake, match="is there already"):
        _second(path)
    assert path.read_bytes() == b"first\n"


def _broken_off(path: Path, *, over: bool) -> None:
    with whole_file(path, over=over) as file:
        file.write(b"new\n")
        raise ConnectionError


def _second(path: Path) -> None:
    """Write a file, while somebody else has been first."""
    with whole_file(path, over=False) as file:
        path.write_bytes(b"first\n")
        file.write(b"second\n")


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with whole_file(pipe) as file:
        file.write(b"one\n")
    reader.join()
    assert read == [b"one\n"]


@pytest.mark.parametrize("name", ["no/folder/a.csv", "folder"])
def test_where_nothing_can_be_written_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(Mistake, match=f"{name} cannot be written: "),
        whole_file(tmp_path / name) as file,
    ):
        file.write(b"one\n")


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (("view", "run", "sessions", "--to", "a.xls"), 2, ".xls is none of csv, ndjson, json"),
        (("view", "run", "sessions", "--as", "xls"), 2, "--as is one of csv, ndjson, json"),
        (("view", "run", "sessions", "--to", "a.txt", "--as", "csv"), 0, "0 rows"),
        (("view", "run", "sessions", "--to", "a.CSV"), 0, "0 rows"),
        (("view", "run", "messages"), 0, "0 rows"),
        (("view", "run", "response_times"), 0, "texts name none"),
        (("audit", "export", "a.ndjson"), 0, ""),
        (("audit", "export", "there.ndjson"), 1, "there.ndjson is there already"),
    ],
)
def test_commands_write_whole_files(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    threadwell.open("a.db").close()
    Path("there.ndjson").write_text("mine\n")
    before = set(tmp_path.iterdir())
    assert main([*command, "--store", "a.db"]) == code
    assert says in capsys.readouterr().err
    new = {path.name for path in set(tmp_path.iterdir()) - before if path.name[0] == "a"}
    assert new - {"a.db-wal", "a.db-shm", "a.db-audit"} == (
        {Path(one).name for one in command if one.startswith("a.")} if code == 0 else set()
    )
    assert Path("there.ndjson").read_text() == "mine\n"
