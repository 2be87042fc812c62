"""A run of tests, and a second look at the few that failed: each alone, after all the others.

Thousands of tests with servers, browsers and workers beside each other on two cores fail by chance
now and then: a wait that was long enough on a quiet machine. What fails alone as well is broken,
and the run is red. What passes alone is unstable: it is named so that nobody overlooks it, and the
run is green. Where more than ``MOST`` have failed it is no chance, and nobody looks twice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

#: Of thousands. More failures than these are broken, whatever they would do alone.
MOST = 5
UNSTABLE = "TESTS UNSTABLE: passed only alone"
#: How the reason begins for which a test is skipped that lacks a tool. In CI that is a failure.
LEFT_OUT = "left out: "


@dataclass
class Record:
    """How many tests have passed; those that have not; and whether nothing else was amiss."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    left_out: bool = False


def run(selection: list[str], folder: Path) -> int:
    """Pytest's exit status, or 0 when all that failed, and were few, have passed alone."""
    status, first = _pytest(selection, folder)
    if not worth_a_look(status, first):
        return status
    assert first is not None
    _section("ONCE MORE, ALONE: what has failed", first.failed)
    # No options of the whole run: one process, nobody beside it.
    again, alone = _pytest(first.failed, folder)
    if not is_chance(first, again, alone):
        return status
    _section(UNSTABLE, first.failed)
    print("They failed among the others: see above why. Mend them: a test is never red by chance.")
    return 0


def worth_a_look(status: int, first: Record | None) -> bool:
    """Whether tests have failed, few, and nothing else is wrong with a run."""
    return (
        status == pytest.ExitCode.TESTS_FAILED
        and first is not None
        and 0 < len(first.failed) <= MOST
        and not first.left_out
    )


def is_chance(first: Record, status: int, alone: Record | None) -> bool:
    """Whether each of those that failed has run alone, to its end, and passed."""
    return status == 0 and alone is not None and alone.passed == len(first.failed)


class Recorder:
    """A plugin that writes the record of a run; where tests run in workers, of all of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._passed: set[str] = set()
        self._failed: dict[str, None] = {}
        self._skipped = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed[report.nodeid] = None
        elif report.skipped:
            self._skipped = self._skipped or _is_left_out(report)
        elif report.when == "call":
            self._passed.add(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        passed = len(self._passed - self._failed.keys())
        record = Record(passed, list(self._failed), self._skipped)
        self._path.write_text(json.dumps(asdict(record)), "utf-8")


def _is_left_out(report: pytest.TestReport) -> bool:
    """Whether a test was left out where that is a failure."""
    why = report.longrepr
    return bool(os.environ.get("CI")) and isinstance(why, tuple) and LEFT_OUT in why[2]


def _pytest(selection: list[str], folder: Path) -> tuple[int, Record | None]:
    with tempfile.TemporaryDirectory() as kept:
        path = Path(kept) / "record.json"
        command = [sys.executable, str(Path(__file__).resolve()), str(path), *selection]
        status = subprocess.run(command, cwd=folder, check=False).returncode
        return status, Record(**json.loads(path.read_text("utf-8"))) if path.exists() else None


def _section(title: str, tests: list[str]) -> None:
    print(f"\n{f' {title} ':!^100}", *tests, sep="\n", flush=True)


if __name__ == "__main__":
    # As `python -m pytest` has it.
    sys.path[0] = str(Path.cwd())
    sys.exit(pytest.main(sys.argv[2:], [Recorder(Path(sys.argv[1]))]))
