"""What ``threadwell audit verify`` says of a store, and of one that was tampered with."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from threadwell.cli import main


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """One with a patient, by a command."""
    lines = tmp_path / "Patient.ndjson"
    lines.write_text('{"resourceType":"Patient","id":"a"}\n')
    store = tmp_path / "t.db"
    assert main(["load", str(lines), "--store", str(store)]) == 0
    return store


def _tampered(store: Path, statement: str) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute(statement)
    connection.close()


def _verify(store: Path) -> int:
    return main(["audit", "verify", "--store", str(store)])


def test_what_is_loaded_is_recorded(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert _verify(store) == 0
    assert "The chain is whole: 1 line." in capsys.readouterr().out


def test_terms_that_are_gone(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _tampered(store, "DELETE FROM private WHERE kind = 'audit-term' AND name LIKE '%/p/%'")
    assert _verify(store) == 1
    assert "is not found by each term" in capsys.readouterr().out


def test_a_trail_that_is_gone(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _tampered(store, "DELETE FROM private WHERE kind LIKE 'audit-%'")
    assert _verify(store) == 1
    assert "there is no line, though the store was changed" in capsys.readouterr().out
    assert main(["audit", "list", "--store", str(store)]) == 0
    assert _verify(store) == 0
    assert "The store was changed before its first line" in capsys.readouterr().out
