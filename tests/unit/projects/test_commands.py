"""Commands are about the project that is named, and never about another in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from threadwell.cli import main
from threadwell.cli.command import PROJECT_VARIABLE


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert main([*argv, "--format", "json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_each_command_is_about_the_project_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PROJECT_VARIABLE, raising=False)
    store = ("--store", str(tmp_path / "a.db"))
    made = said(capsys, "project", "create", "Hill Street", *store)
    assert [one["name"] for one in said(capsys, "project", "list", *store)] == [
        "Threadwell",
        "Hill Street",
    ]
    person = ("user", "invite", "mo@example.org", "--first", "Mo", "--last", "Ash")
    said(capsys, *person, "--project", "hill street", *store)
    assert said(capsys, "user", "list", *store) == []
    (mo,) = said(capsys, "user", "list", "--project", made["id"], *store)
    assert mo["email"] == "mo@example.org"
    monkeypatch.setenv(PROJECT_VARIABLE, "Hill Street")
    assert len(said(capsys, "user", "list", *store)) == 1
    assert main(["export", str(tmp_path / "out"), *store]) == 0
    exported = (tmp_path / "out").glob("Practitioner*")
    assert any(b"Ash" in path.read_bytes() for path in exported)
    assert main(["user", "list", "--project", "nobody", *store]) == 1
    assert "no project nobody" in capsys.readouterr().err
    said(capsys, "project", "rename", "Hill Street", "--to", "Harbour", *store)
    assert len(said(capsys, "user", "list", "--project", "harbour", *store)) == 1


def test_a_backfill_fills_no_other_project_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow", reason="left out: no pyarrow (an extra)")
    monkeypatch.setenv(PROJECT_VARIABLE, "Hill Street")
    assert main(["backfill", str(tmp_path), "--to", str(tmp_path / "a.db")]) == 1
    assert "there is no store" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
    store = ("--store", str(tmp_path / "a.db"))
    said(capsys, "project", "create", "Hill Street", *store)
    table = tmp_path / "one.csv"
    table.write_text("id,sent,from,to,text\nm1,2024-05-13T15:04:00Z,a:1,b:2,Hello\n")
    told = said(capsys, "backfill", str(table), "--to", store[1], "--workers", "1")
    assert told["quarantined"] == 1
    assert len(said(capsys, "quarantine", *store)) == 1
    monkeypatch.delenv(PROJECT_VARIABLE)
    assert said(capsys, "quarantine", *store) == []


@pytest.mark.parametrize(
    "argv",
    [
        ("project", "create"),
        ("project", "list", "x"),
        ("project", "rename", "x"),
        ("project", "create", "x", "--to", "y"),
    ],
)
def test_what_is_called_wrongly_does_nothing(argv: tuple[str, ...], tmp_path: Path) -> None:
    assert main([*argv, "--store", str(tmp_path / "a.db")]) == 2
    assert not (tmp_path / "a.db").exists()
