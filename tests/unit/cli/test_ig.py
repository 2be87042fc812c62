"""``threadwell ig``, as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.guide_package import guide, manifest, packed, profile
from threadwell.cli import main


@pytest.fixture
def ran(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> Any:
    """Runs a command in a folder of its own: its exit code, and what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THREADWELL_STORE", raising=False)

    def run(*words: str) -> tuple[int, str]:
        code = main(["ig", *words])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def test_packages_are_added_listed_and_removed(ran: Any) -> None:
    Path("one.tgz").write_bytes(guide(dependencies={"org.example.base": "1.0.0"}))
    code, told = ran("add", "one.tgz")
    assert code == 0
    assert told.splitlines()[0] == (
        "org.example.guide#1.0.0: 1 CodeSystem, 1 ValueSet, 3 profiles."
    )
    assert "org.example.base#1.0.0" in told
    assert ran("add", "one.tgz")[1].splitlines()[0].endswith("It was there.")
    assert "org.example.guide" in ran()[1]
    shown = json.loads(ran("list", "--format", "json")[1])
    assert [one["name"] for one in shown["packages"]] == ["org.example.guide"]
    assert ran("remove", "org.example.guide") == (0, "org.example.guide#1.0.0 is removed.\n")
    assert "There are no packages" in ran()[1]
    code, told = ran("remove", "org.example.guide")
    assert (code, "no one package is org.example.guide" in told) == (1, True)


def test_what_cannot_be_used_of_a_package_is_told(ran: Any) -> None:
    broken = {**profile("x", "Patient"), "differential": None}
    Path("one.tgz").write_bytes(packed({"package.json": manifest(), "x.json": broken}))
    assert (
        "Not used: https://guide.example.org/StructureDefinition/x: it has"
        in ran("add", "one.tgz")[1]
    )


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("set", "references=exists"), 0, "profiles=check references=exists"),
        (("set", "profiles=off", "references=type"), 0, "profiles=off references=type"),
        (("set", "references=maybe"), 1, "references is one of off, type, exists"),
        (("set", "moon=full"), 2, "is no setting such as"),
        (("set",), 2, "threadwell ig set WHAT"),
        (("add", "none.tgz"), 1, "none.tgz"),
        (("add", "bad.tgz"), 1, "bad.tgz: it is no gzipped tar archive"),
    ],
)
def test_settings_and_mistakes(ran: Any, words: tuple[str, ...], code: int, told: str) -> None:
    Path("bad.tgz").write_bytes(b"nothing of the kind")
    exit_code, text = ran(*words)
    assert (exit_code, told in text) == (code, True), text
