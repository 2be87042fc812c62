"""Stores of each kind for duties, and processes that have them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stem

CHILD = Path(__file__).with_name("duty_child.py")


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that does not exist yet."""
    if request.param == "sqlite":
        return str(tmp_path / "x.db")
    return str(request.getfixturevalue("postgres_url"))


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start_child() -> Iterator[Start]:
    """Starts processes that do the duties of ``duty_child.py``; all end with the test."""
    running: list[subprocess.Popen[str]] = []

    def start(url: str, name: str, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(CHILD), url, name, *options]
        running.append(stem.start(command, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def wait_until(holds: Callable[[], bool], seconds: float = 40) -> None:
    """Wait for it, and fail where it does not come to hold."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come to hold"
        time.sleep(0.05)
