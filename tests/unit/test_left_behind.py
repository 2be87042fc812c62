"""A test that changes what the whole process has is the one that fails."""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from left_behind import Whole


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN), "the handlers of signals"),
        (lambda: os.environ.update(THREADWELL_STORE="x.db"), "the environment"),
        (lambda: os.environ.pop("PATH"), "the environment"),
        (lambda: os.chdir("/"), "the folder"),
        (lambda: logging.root.addHandler(logging.NullHandler()), "what hears the log"),
        (lambda: logging.disable(logging.ERROR), "what the log leaves out"),
        (gc.disable, "whether garbage is looked for"),
        (lambda: gc.set_threshold(1), "how often garbage is looked for"),
        (lambda: sys.settrace(lambda *_: None), "what traces"),
    ],
)
def test_it_is_seen_and_put_back(change: Callable[[], object], named: str) -> None:
    whole = Whole()
    assert whole.changed() == {}
    change()
    changed = list(whole.changed())
    whole.put_back(changed)
    assert changed == [named]
    assert whole.changed() == {}


TESTS = """
import os

def test_leaves_something():
    os.environ["THREADWELL_STORE"] = "x.db"

def test_finds_nothing():
    assert "THREADWELL_STORE" not in os.environ
"""


def test_whoever_leaves_it_fails(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    hooks = "from left_behind import pytest_runtest_setup, pytest_runtest_teardown\n"
    (tmp_path / "conftest.py").write_text(hooks)
    (tmp_path / "test_two.py").write_text(TESTS)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    environment.pop("THREADWELL_STORE", None)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "2 passed, 1 error" in done.stdout
    assert "ERROR test_two.py::test_leaves_something" in done.stdout
    assert "left behind the environment: another THREADWELL_STORE\n" in done.stdout
