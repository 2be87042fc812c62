"""A process that loads what workers need, forks them, and ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("nursery_child.py")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands children over")


def said(folder: Path, how: str) -> list[str]:
    command = [sys.executable, str(CHILD), how, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60)
    return done.stdout.splitlines()


def test_its_children_are_ours_once_it_is_gone(tmp_path: Path) -> None:
    names = ["child 1", "child 2", "loaded"]
    assert said(tmp_path, "loads") == ["True", "[41, 42]", f"[] {names}", "True", "True"]


def test_who_cannot_load_forks_nobody(tmp_path: Path) -> None:
    assert said(tmp_path, "fails") == ["True", "[0, 0]", "[] []"]
