"""``kill -9`` of a real process in the middle of its import, time and again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import stem
import threadwell

SAMPLE = Path(__file__).parents[2] / "sample"
#: Imports the sample in many small batches, with a line for each that is committed.
PROGRAM = """
import sys
from functools import partial

import threadwell
from threadwell.intake import practice

practice.Settings = partial(practice.Settings, batch=7)
with threadwell.open(sys.argv[1]) as tw:
    tw.import_messages(
        sys.argv[2],
        people=sys.argv[2] + "/people.csv",
        zone="America/New_York",
        policy="inactivity-gap",
        progress=lambda counts: print(counts.read, flush=True),
    )
"""
#: After how many batches each of the imports dies.
DEATHS = [1, 4, 7, 13, 19, 24]


def test_a_killed_import_is_made_good_by_the_next(tmp_path: Path, live_resources: Any) -> None:
    whole, killed = tmp_path / "whole.db", tmp_path / "killed.db"
    for batches in DEATHS:
        assert _import(killed, dies_after=batches) == batches
    died = live_resources(killed)
    assert _import(killed) > max(DEATHS)
    _import(whole)
    expected = live_resources(whole)
    assert 0 < len(died) < len(expected) - 50
    assert live_resources(killed) == expected
    with threadwell.open(killed) as tw:
        assert tw.verify() == []


def _import(store: Path, dies_after: int = 10_000) -> int:
    """Import, or begin to; how many batches were committed."""
    command = [sys.executable, "-c", PROGRAM, str(store), str(SAMPLE)]
    with stem.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        told = 0
        while told < dies_after and process.stdout.readline():
            told += 1
        if told == dies_after:
            process.kill()
        expected = -signal.SIGKILL if told == dies_after else 0
        assert process.wait(60) == expected, process.stderr.read().decode()
    return told
