"""``threadwell rules``, ``saved`` and ``todos``, as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from threadwell.cli import main

RULES = """
[hours]
mon-fri = "08:00-17:00"

[[rule]]
name = "night"
when.event = "message"
when.hours = "closed"
then.reply = "closed"
"""


@pytest.fixture
def ran(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> Any:
    """Runs a command in a folder of its own: its exit code, and what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THREADWELL_STORE", raising=False)

    def run(*words: str) -> tuple[int, str]:
        code = main([*words])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def test_rules_are_checked_set_listed_and_dropped(ran: Any, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(RULES, "utf-8")
    assert ran("saved", "set", "away", "We are away.")[0] == 0
    code, told = ran("rules", "check", "rules.toml")
    assert (code, "line 9: rule[1].then.reply 'closed' is no saved reply" in told) == (1, True)
    (tmp_path / "two.toml").write_text(
        RULES.replace('"message"', '"moon"').replace("hours =", "moon ="), "utf-8"
    )
    told = ran("rules", "check", "two.toml")[1]
    assert told.startswith("threadwell: the rules have mistakes:\n  line ")
    assert "'moon' is none of message" in told.splitlines()[1] + told.splitlines()[2]
    assert all(line.startswith("  line ") for line in told.splitlines()[1:])
    assert ran("saved", "set", "closed", "Hello {{patient.given|there}}.")[0] == 0
    assert ran("rules", "check", "rules.toml")[0] == 0
    assert "There are no rules" in ran("rules")[1]
    assert ran("rules", "set", "rules.toml")[0] == 0
    assert "night" in ran("rules")[1]
    assert ran("rules", "show") == (0, RULES)
    assert "0 runs; nothing was done" in ran("rules", "try", "rules.toml")[1]
    assert ran("rules", "runs") == (0, "No rule has run.\n")
    assert json.loads(ran("rules", "list", "--format", "json")[1]) == [
        {"name": "night", "event": "message", "then": ["reply closed"]}
    ]
    assert ran("rules", "drop") == (0, "There are no rules any more.\n")
    assert ran("rules", "drop") == (0, "There were no rules.\n")


def test_saved_replies_are_kept_and_removed(ran: Any) -> None:
    assert ran("saved", "set", "a", "Text of a.")[0] == 0
    code, told = ran("saved", "set", "b", "{{patient.shoe}}")
    assert (code, "only patient.given" in told) == (1, True)
    assert "Text of a." in ran("saved")[1]
    assert "no saved replies" in ran("saved", "remove", "a")[1]
    assert ran("saved", "remove", "a") == (1, "threadwell: there is no saved reply a\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("rules", "check"), "say which file"),
        (("rules", "list", "x"), "takes no file"),
        (("saved", "set", "a"), "threadwell saved set NAME TEXT"),
        (("todos", "claim"), "say which"),
        (("todos", "claim", "Task/1"), "say who"),
        (("todos", "list", "Task/1"), "takes no Task"),
    ],
    ids=str,
)
def test_what_is_called_wrongly_says_how_it_is_written(
    ran: Any, words: tuple[str, ...], told: str
) -> None:
    ran("saved", "set", "a", "b")
    code, text = ran(*words)
    assert (code, told in text) == (2, True)


def test_nothing_waits_in_a_new_store(ran: Any) -> None:
    ran("saved", "set", "a", "b")
    assert ran("todos") == (0, "No thread waits for an answer.\n")
    code, told = ran("todos", "claim", "Task/1", "--as", "Practitioner/1")
    assert (code, "there is no Practitioner/1" in told) == (1, True)
