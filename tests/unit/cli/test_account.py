"""Accounts are set up without a secret in the command, and shown without one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from threadwell.channels.account import Account
from threadwell.channels.chat.names import Patient
from threadwell.channels.chat.tokens import Token, read_token
from threadwell.cli import main

ADD = ["account", "add", "desk", "--channel", "twilio", "--set", "account_sid=AC" + "1" * 32]


@pytest.fixture
def store(tmp_path: Path) -> list[str]:
    return ["--store", str(tmp_path / "practice.db")]


def test_a_secret_is_read_and_never_shown(
    store: list[str], tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    (tmp_path / "token").write_text("hunter-two\n")
    monkeypatch.setenv("SHARED", "hunter-three")
    secrets = ["--secret-file", f"auth_token={tmp_path / 'token'}", "--secret-env"]
    more = ["shared_key=SHARED", "--address", "(212) 555-0100", "--allow-host", "127.0.0.1:9"]
    assert main([*ADD, *secrets, *more, *store]) == 0
    for action in (["show", "desk"], ["list"]):
        for format_ in ("text", "json"):
            assert main(["account", *action, "--format", format_, *store]) == 0
    shown = capsys.readouterr().out
    assert "hunter" not in shown
    assert "+12125550100" in shown
    assert main(["account", "show", "desk", "--format", "json", *store]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["values"] == {
        "account_sid": "AC" + "1" * 32,
        "auth_token": "(kept)",
        "shared_key": "(kept)",
    }
    assert (told["path"], told["hosts"]) == ("/hooks/desk", ["127.0.0.1:9"])
    assert main(["account", "remove", "desk", *store]) == 0
    assert main(["account", "show", "desk", *store]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([*ADD], 2, "needs auth_token"),
        ([*ADD, "--set", "auth_token=x"], 2, "is a secret"),
        ([*ADD, "--set", "colour=x"], 2, "one of account_sid"),
        ([*ADD, "--secret-env", "auth_token=NOT_THERE"], 1, "no NOT_THERE in the environment"),
        (["account", "add", "desk", "--channel", "slack"], 2, "--channel twilio or "),
        (["account", "add", "desk", "--channel", "twlio"], 2, "twlio is no channel that is heard"),
        (["account", "add"], 2, "say which"),
        (["account", "add", "Front Desk", *ADD[3:]], 2, "lower-case"),
        ([*ADD, "--address", "nobody"], 2, "no phone number"),
        (["account", "remove", "other"], 1, "no store"),
    ],
)
def test_what_cannot_be_set_up_is_said(
    store: list[str], arguments: list[str], code: int, said: str, capsys: Any, tmp_path: Path
) -> None:
    if code == 2 and said not in ("needs auth_token",):
        (tmp_path / "token").write_text("x")
        if arguments[:2] == ["account", "add"] and "--secret-env" not in arguments:
            arguments = [*arguments, "--secret-file", f"auth_token={tmp_path / 'token'}"]
    assert main([*arguments, *store]) == code
    assert said in capsys.readouterr().err


def test_an_account_that_sends_from_no_address_says_so(
    store: list[str], capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("SHARED", "hunter-two")
    add = [*ADD, "--secret-env", "auth_token=SHARED", *store]
    assert main(add) == 0
    assert "has no address of the practice, so replies are refused" in capsys.readouterr().err
    assert main([*add, "--address", "+12125550100"]) == 0
    assert "no address" not in capsys.readouterr().err


def test_what_is_not_given_again_is_gone_and_named(store: list[str], capsys: Any) -> None:
    add = ["account", "add", "mail", "--channel", "email", "--set", "provider=lmtp", *store]
    assert main(add) == 2
    assert "needs an address" in capsys.readouterr().err
    more = ["--set", "from-name=Elm Street", "--allow-host", "127.0.0.1:9"]
    assert main([*add, "--address", "care@clinic.example", *more]) == 0
    shown = capsys.readouterr()
    assert "nobody calls" in shown.out
    assert shown.err == ""
    assert main([*add, "--address", "desk@clinic.example"]) == 0
    gone = "Not given again, so it is gone: care@clinic.example, from-name, 127.0.0.1:9"
    assert gone in capsys.readouterr().err


def test_an_app_has_a_token_to_try_it(store: list[str], capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("APP_SECRET", "a-secret-of-the-tests-0123456789-abc")
    add = ["account", "add", "app", "--channel", "chat", "--secret-env", "secret=APP_SECRET"]
    assert main([*add, *store]) == 0
    told = capsys.readouterr().out
    assert "/chat/app" in told
    assert "chat:app" in told
    assert main(["account", "token", "app", "--who", "p-1", *store]) == 0
    made = Account("app", "chat", (), {"secret": "a-secret-of-the-tests-0123456789-abc"})
    read = read_token(capsys.readouterr().out.strip(), made, datetime.now(UTC))
    assert isinstance(read, Token)
    assert read.patient == Patient("app", "p-1")
    for wrong in (["--who", "p 1"], [], ["--who", "p-1", "--minutes", "9999"]):
        assert main(["account", "token", "app", *wrong, *store]) == 1
    monkeypatch.setenv("TOKEN", "x")
    assert main([*ADD, "--secret-env", "auth_token=TOKEN", *store]) == 0
    assert main(["account", "token", "desk", "--who", "p-1", *store]) == 1
