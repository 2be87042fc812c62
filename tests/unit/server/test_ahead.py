"""A process beside the workers that is forked before there is a loop."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from threadwell.server.ahead import fork_ahead

CHILD = Path(__file__).with_name("ahead_child.py")

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it looks into /proc")


def said(folder: Path, how: str) -> list[str]:
    path = os.pathsep.join([str(CHILD.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "AHEAD_FOLDER": str(folder)}
    command = [sys.executable, str(CHILD), how]
    done = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=60
    )
    return done.stdout.splitlines()


def test_it_begins_when_told_without_our_sockets_and_another_follows_it(tmp_path: Path) -> None:
    assert said(tmp_path, "attend") == ["a line 0", "a line 0", "True", "False"]


def test_it_ends_when_it_is_told_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, "let go") == ["True"]


def test_nothing_is_forked_where_threads_run() -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert fork_ahead(lambda: 0) is None
    finally:
        over.set()
        thread.join()
