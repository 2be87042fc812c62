"""The campaign of kills around messages that come and go, in a short form, on both stores."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_killed_at_any_step_nothing_is_lost_or_sent_twice(new_store: Callable[[], str]) -> None:
    command = [sys.executable, "-m", "bench.faults", "live", "--seconds", "4"]
    ran = subprocess.run(
        [*command, "--store", new_store()], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    kills = dict(re.findall(r"^(in|out): ([\d,]+) kills", ran.stdout, re.MULTILINE))
    assert set(kills) == {"in", "out"}
    assert all(int(number.replace(",", "")) > 0 for number in kills.values())
