"""What the log has of an error that nobody foresaw."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from threadwell.api.failing import crashed


def told(caplog: pytest.LogCaptureFixture, depth: int) -> list[str]:
    def down(left: int) -> None:
        if not left:
            raise RecursionError("words of a patient")
        down(left - 1)

    request: Any = SimpleNamespace(headers={}, interaction="read")
    caplog.clear()
    try:
        down(depth)
    except RecursionError as error:
        crashed(error, request)
    return caplog.text.splitlines()


def test_a_long_trace_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    lines = told(caplog, 500)
    assert len(lines) < 60
    assert any("452 left out" in line for line in lines)
    assert "words of a patient" not in caplog.text
    assert len(told(caplog, 10)) == 13
