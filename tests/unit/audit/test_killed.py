"""Processes that are killed at any moment: what was answered is in the chain, once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stem
from threadwell.audit.finding import Wanted, find
from threadwell.audit.verifying import verify

if TYPE_CHECKING:
    from tests.unit.audit.conftest import Desk

CHILD = Path(__file__).with_name("spool_child.py")
#: Records of each before anything is killed.
AT_LEAST = 12


@pytest.mark.parametrize("desk", ["sqlite", "own postgres"], indirect=True)
def test_what_was_answered_is_recorded_once(desk: Desk) -> None:
    chance = random.Random(11)
    children = [
        stem.start(
            [
                sys.executable,
                str(CHILD),
                desk.url,
                str(desk.folder),
                f"w{n}",
                *(["drain"] * (n < 2)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    told: list[str] = []
    for child in children:
        assert child.stdout
        told += [child.stdout.readline().strip() for _ in range(AT_LEAST)]
    for child in children:
        time.sleep(chance.random() / 4)
        child.kill()
    for child in children:
        assert child.stdout
        told += [line.strip() for line in child.stdout if line.endswith("\n")]
        child.wait()
        child.stdout.close()

    async def all_() -> list[str]:
        found = []
        async for line in find(desk.trail, desk.project, Wanted()):
            written = [f"{t.type}/{t.id}" for t in line.record.touched]
            found += written or [line.record.asked]
        return found

    found = desk.run(all_())
    # One that could not go on by itself, the machine being busy, has ended as if it were killed.
    told = [one for one in told if one]
    assert len(told) >= AT_LEAST
    assert set(told) <= set(found)
    assert len(found) == len(set(found))
    # At most the last of each was kept and not told of.
    assert len(found) <= len(told) + len(children)
    assert desk.run(verify(desk.store, desk.project)).problem == ""
    assert desk.folder is not None
    assert list(desk.folder.iterdir()) == []
