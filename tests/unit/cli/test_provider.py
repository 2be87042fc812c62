"""``threadwell provider``: set up by options or a file; no secret is shown."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from threadwell.cli import main

ISSUER = "https://id.example.org/clinic"


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "practice.db")


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_a_provider_is_set_shown_listed_and_removed(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("very secret\n")
    command = ["provider", "set", "clinic", "--store", store, "--label", "Clinic ID"]
    command += ["--issuer", ISSUER, "--client-id", "threadwell", "--secret-file", str(secret)]
    command += ["--map", "team=nurses=participant", "--roles-claim", "groups"]
    assert main([*command, "--url", "https://tw.example.org/"]) == 0
    out = told(capsys)
    assert "https://tw.example.org/sign-in/back/clinic" in out
    assert "team=nurses = participant" in out
    assert "Scopes       openid, email, profile\n" in out
    assert "Domains      -\n" in out
    for action in (["show", "clinic"], ["show", "clinic", "--format", "json"], ["list"]):
        assert main(["provider", *action, "--store", store]) == 0
        out += told(capsys)
    assert "very secret" not in out
    assert main(["provider", "remove", "clinic", "--store", store]) == 0
    assert main(["provider", "remove", "clinic", "--store", store]) == 1
    assert main(["provider", "list", "--store", store, "--format", "json"]) == 0
    assert json.loads(told(capsys).splitlines()[-1]) == []


def test_a_file_sets_several_or_none(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_SECRET", "quite secret")
    (tmp_path / "one.secret").write_text("very secret\n")
    good = f"""
[provider.one]
issuer = "{ISSUER}"
client_id = "threadwell"
secret_file = "one.secret"
domains = ["clinic.example.org"]
link = "create"
roles_claim = "groups"
roles = {{ nurses = "participant" }}
required = true

[provider.two]
issuer = "https://id.example.com"
client_id = "threadwell"
secret_env = "OTHER_SECRET"
"""
    file = tmp_path / "providers.toml"
    for text, code in ((f"{good}link = 'by-magic'", 1), ("provider = 7", 1), ("[", 1), (good, 0)):
        file.write_text(text)
        assert main(["provider", "load", str(file), "--store", store]) == code
        assert main(["provider", "list", "--store", store, "--format", "json"]) == 0
        out = told(capsys)
        assert "very secret" not in out
        assert "quite secret" not in out
        assert out.count('"client_id": "threadwell"') == (0 if code else 2)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--issuer", "http://id.example.org"], "allow-host"),
        (["--issuer", ISSUER, "--roles-claim", "g", "--map", "a=of-mars"], "of-mars"),
        (["--issuer", ISSUER, "--roles-claim", "g", "--map", "a=care-team"], "needs to be told"),
        (["--issuer", ISSUER, "--secret-file", "/nowhere/at/all"], "cannot be read"),
        (["--issuer", ISSUER, "--secret-file", os.devnull], "--no-secret"),
    ],
)
def test_what_cannot_be_is_told(
    store: str, more: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["provider", "set", "clinic", "--store", store, "--client-id", "x"]
    if "--secret-file" not in more:
        command.append("--no-secret")
    assert main([*command, *more]) == 1
    assert says in capsys.readouterr().err
