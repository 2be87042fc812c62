"""A test that fails by chance is named and lets a run pass; one that is broken stays red."""

from __future__ import annotations

from pathlib import Path

import pytest

import second_look
from second_look import MOST, UNSTABLE, Record

#: The first passes, one is broken, and one has failed by chance: it passes from the second time on.
TESTS = """
from pathlib import Path
import pytest

def test_right():
    pass

def test_broken():
    assert {broken}

@pytest.mark.parametrize("of", ["a::b [c]"])
def test_chance(of):
    once = Path(__file__).with_name("once")
    seen = once.exists()
    once.touch()
    assert seen
"""


def _run(folder: Path, broken: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_three.py").write_text(TESTS.format(broken=broken))
    status = second_look.run(["-p", "no:cacheprovider", "-n", "2"], folder)
    return status, capfd.readouterr().out


def test_what_fails_alone_too_is_red(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, out = _run(tmp_path, "1 == 2", capfd)
    assert status == 1
    assert "2 failed, 1 passed" in out
    assert "1 failed, 1 passed" in out
    assert UNSTABLE not in out


def test_what_passes_alone_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, out = _run(tmp_path, "1 == 1", capfd)
    assert status == 0
    assert "1 failed, 2 passed" in out
    said = out.partition(f" {UNSTABLE} ")[2]
    assert "test_three.py::test_chance[a::b [c]]" in said
    assert "test_right" not in said


@pytest.mark.parametrize(
    ("status", "first", "looks"),
    [
        (1, Record(9, ["a"]), True),
        (1, Record(9, ["a"] * MOST), True),
        (1, Record(9, ["a"] * (MOST + 1)), False),
        (0, Record(9), False),
        # A tool is missing, which CI does not forgive; with failures and without.
        (1, Record(9, ["a"], left_out=True), False),
        (1, Record(9), False),
        # Interrupted, or not even collected; broken inside; wrongly called; nothing found; killed.
        *((status, Record(9, ["a"]), False) for status in (2, 3, 4, 5, -9)),
        (1, None, False),
    ],
)
def test_few_failures_are_worth_a_look(status: int, first: Record | None, looks: bool) -> None:
    assert second_look.worth_a_look(status, first) is looks


@pytest.mark.parametrize(
    ("status", "alone", "chance"),
    [
        (0, Record(2), True),
        (1, Record(1, ["b"]), False),
        # One of them was left out, or is not there.
        (0, Record(1), False),
        (4, Record(0), False),
        (0, None, False),
    ],
)
def test_each_has_passed_alone(status: int, alone: Record | None, chance: bool) -> None:
    assert second_look.is_chance(Record(9, ["a", "b"]), status, alone) is chance
