"""The campaign of kills around messages that come and go, in a short form, on both stores."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import stem

ROOT = Path(__file__).resolve().parents[2]


def test_killed_at_any_step_nothing_is_lost_or_sent_twice(new_store: Callable[[], str]) -> None:
    campaign = "import runpy; runpy.run_module('bench.faults', run_name='__main__')"
    command = [sys.executable, "-c", campaign, "live", "--kills", "0", "--every", "100"]
    ran = stem.ran([*command, "--store", new_store()], cwd=ROOT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    ways = dict(re.findall(r"^([a-z ]+): (\d+) kills by step", ran.stdout, re.MULTILINE))
    assert len(ways) == 9, ran.stdout
    assert all(int(number) > 0 for number in ways.values()), ways
