"""Tables and colours."""

from __future__ import annotations

import io
import sys

import pytest

from threadwell.cli.output import paint, plural, table
from threadwell.cli.report import print_reasons
from threadwell.cli.streams import guarded_streams


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("head", "rows", "lines"),
    [
        (["A", "N"], [["x", "1"], ["longer", "20"]], ["A        N", "x        1", "longer  20"]),
        (["Who", "Was"], [["佐藤", "x"], ["abc", "y"]], ["Who   Was", "佐藤  x", "abc   y"]),
        (["A", "B"], [["x\x1b[31m", "y\nz"]], ["A       B", "x [31m  y z"]),
        (["A"], [["x\u202e\u200fy\x9b31m\ud83d"]], ["A", "xy 31m\ufffd"]),
        (["A", "B"], [["\U0001f468\u200d\U0001f466", "x"]], ["A     B", "👨‍👦  x"]),
        (["A"], [], ["A"]),
    ],
)  # fmt: skip
def test_columns_are_aligned(head: list[str], rows: list[list[str]], lines: list[str]) -> None:
    assert table(head, rows).splitlines() == lines


@pytest.mark.parametrize(
    ("stream", "variables", "painted"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
    ],
)
def test_colours_are_for_terminals(
    stream: io.StringIO,
    variables: dict[str, str],
    painted: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", stream)
    before = stream.tell()
    with guarded_streams():
        print(paint("x", "red"))
    assert stream.getvalue()[before:] == ("\x1b[31mx\x1b[0m\n" if painted else "x\n")


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 threads"), (1, "1 thread"), (1200, "1,200 threads")]
)
def test_counts_are_said(count: int, said: str) -> None:
    assert plural(count, "thread") == said


def test_reasons_stand_alike_whatever_came_first(capsys: pytest.CaptureFixture[str]) -> None:
    counted = {"unknown-sender": 2, "shared-address": 2, "unknown-recipient": 9}
    print_reasons(counted)
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines()] == ["9", "2", "2"]
    print_reasons(dict(reversed(counted.items())))
    assert capsys.readouterr().out == told
