"""What was written wrongly is called as the command calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

import threadwell
from threadwell.cli import main


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("user", "invite", "mo@example.org"), "--first is a name"),
        (("user", "invite", "mo@example.org", "--first", "Mo"), "--last is a name"),
        (("user", "invite", "mo"), "no e-mail address"),
        (("view", "run", "sesions"), "sesions: No such file or directory; `threadwell view list`"),
        (("view", "run", "sessions", "--to", "away/a.csv"), "away/a.csv cannot be written"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    threadwell.open("a.db").close()
    assert main([*command, "--store", "a.db"]) == 1
    assert says in capsys.readouterr().err
