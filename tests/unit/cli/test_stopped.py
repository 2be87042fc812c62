"""Ctrl-C is an end as others are: a sentence, and the exit code that shells have for it."""

from __future__ import annotations

import pytest

from threadwell import __main__, cli
from threadwell.cli.errors import run_safely


def _stop(*_: object) -> int:
    raise KeyboardInterrupt


def test_it_stops_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_safely(_stop, None) == 130  # type: ignore[arg-type]
    assert capsys.readouterr().err.endswith(
        " stopped before it was done; what was acknowledged is kept\n"
    )


def test_it_stops_what_has_not_begun(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "main", _stop)
    assert __main__.main() == 130
    assert capsys.readouterr().err == "threadwell: stopped before it began\n"
