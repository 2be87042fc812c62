"""What is missing is installed for the Python that misses it."""

from __future__ import annotations

import shlex
import sys

import pytest

import threadwell
from threadwell.bulk import tables
from threadwell.channels.table import parquet
from threadwell.cli import backfill, main
from threadwell.installs import pip_install


def test_the_command_names_this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/a folder/python")
    command = pip_install("--upgrade", "threadwell[spark]")
    assert shlex.split(command) == [
        *("/a folder/python", "-m", "pip", "install", "--upgrade", "threadwell[spark]")
    ]


@pytest.mark.parametrize("text", [parquet.LACKS, backfill._NO_ARROW, backfill._NO_SPARK])
def test_it_is_said(text: str) -> None:
    assert f"{shlex.quote(sys.executable)} -m pip install 'threadwell[" in text


def test_a_view_as_parquet_says_it(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    store = str(tmp_path / "a.db")
    threadwell.open(store).close()
    monkeypatch.setattr(tables, "import_module", missing)
    assert main(["view", "run", "sessions", "--as", "parquet", "--store", store]) == 1
    assert f"needs pyarrow: {pip_install('pyarrow')}" in capsys.readouterr().err
    # Nobody outside learns where the server's Python is.
    assert str(tables.NoParquet()) == "Parquet needs pyarrow"
