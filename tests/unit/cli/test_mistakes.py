"""What was written wrongly is called as the command calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

import threadwell
from threadwell.cli import main


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("user", "invite", "mo@example.org"), "needs --first and --last"),
        (("user", "invite", "mo@example.org", "--first", "Mo"), "needs --first and --last"),
        (
            ("user", "invite", "mo@example.org", "--first", "Mo", "--last", "x" * 101),
            "--last is a name",
        ),
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


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("client", "add", "portal", "--policy", "billing", "--as", "nora"), "'nora' names nobody"),
        (
            ("client", "add", "portal", "--policy", "billing", "--as", "Practitioner/1"),
            "there is no Practitioner/1 in the store",
        ),
        (
            ("policy", "give", "billing", "Practitioner/1"),
            "there is no Practitioner/1 in the store",
        ),
        (("policy", "give", "billing", "Practitioner/"), "'Practitioner/' names nobody"),
    ],
)
def test_whom_nobody_knows_is_given_no_policy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], says: str
) -> None:
    store = str(tmp_path / "a.db")
    with threadwell.open(store) as tw:
        tw.set_policy("billing")
    assert main([*command, "--store", store]) == 1
    assert says in capsys.readouterr().err
    with threadwell.open(store) as tw:
        assert tw.clients() == []
        assert tw.memberships() == []
