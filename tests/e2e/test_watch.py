"""A real process that watches a folder: killed at any moment, told to stop, on both stores."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import stem
import threadwell

SAMPLE = Path(__file__).parents[2] / "sample"
#: Watches with small batches, and dies at the n-th of the moments that matter: before and after
#: each commit, before and after what is done is kept, before and after each move.
PROGRAM = """
import os, signal, sys
from functools import partial
from threadwell.cli import main
from threadwell.facade.watching import memory, rounds
from threadwell.intake import driving, practice

dies, moments = int(sys.argv.pop(1)), [0]

def moment():
    moments[0] += 1
    if moments[0] == dies:
        os.kill(os.getpid(), signal.SIGKILL)

def around(of, name):
    does = getattr(of, name)
    if name == "move":
        def wrapped(*args):
            moment()
            out = does(*args)
            moment()
            return out
    else:
        async def wrapped(*args):
            moment()
            out = await does(*args)
            moment()
            return out
    setattr(of, name, wrapped)

practice.Settings = partial(practice.Settings, batch=40)
around(driving.Importing, "_commit")
around(memory.Memory, "keep")
around(rounds, "move")
code = main(sys.argv[1:])
print("moments", moments[0])
sys.exit(code)
"""


def command(folder: Path, store: str, *more: str) -> list[str]:
    people = ("--people", str(SAMPLE / "people.csv"), "--zone", "America/New_York")
    return ["watch", str(folder), "--store", store, "--settle", "0", *people, *more]


def fill(folder: Path) -> None:
    for path in sorted(SAMPLE.rglob("*")):
        if path.is_file() and path.name not in ("people.csv", "README.md"):
            target = folder / path.relative_to(SAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())


@pytest.mark.parametrize("leave", [(), ("--leave",)], ids=["moved", "left"])
def test_a_kill_at_any_moment_loses_and_doubles_nothing(
    tmp_path: Path,
    leave: tuple[str, ...],
    new_store: Callable[[], str],
    live_resources: Callable[[str], dict[str, Any]],
) -> None:
    whole, killed = new_store(), new_store()
    for name in ("whole", "killed"):
        fill(tmp_path / name)
    run = stem.ran(
        [sys.executable, "-c", PROGRAM, "0", *command(tmp_path / "whole", whole, "--once", *leave)]
    )
    assert run.returncode == 0, run.stderr
    moments = int(run.stdout.rpartition("moments")[2])
    assert moments > 12
    # Each process gets a little further than the one before, which died.
    for dies in range(3, moments, max(1, moments // 3)):
        died = stem.ran(
            [
                *(sys.executable, "-c", PROGRAM, str(dies)),
                *command(tmp_path / "killed", killed, "--once", *leave),
            ]
        )
        assert died.returncode in (-signal.SIGKILL, 0), died.stderr
    last = stem.ran([*_THREADWELL, *command(tmp_path / "killed", killed, "--once", *leave)])
    assert last.returncode == 0, last.stderr
    assert live_resources(killed) == live_resources(whole)
    with threadwell.open(killed) as tw:
        assert tw.verify() == []

    def names(folder: Path) -> list[str]:
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))

    assert names(tmp_path / "killed") == names(tmp_path / "whole")


_THREADWELL = [sys.executable, "-m", "threadwell"]


@contextmanager
def watching(folder: Path, store: str) -> Iterator[subprocess.Popen[str]]:
    process = stem.start(
        [*_THREADWELL, *command(folder, store, "--every", "0.1", "--format", "json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_takes_what_arrives_until_it_is_told_to_stop(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder, store = tmp_path / "in", str(tmp_path / "store.db")
    folder.mkdir()
    names = sorted(path for path in SAMPLE.rglob("*.mbox"))[:1] or sorted(SAMPLE.rglob("*.xml"))[:1]
    with watching(folder, store) as process:
        assert process.stdout
        for at in (1, 2):
            (folder / f"export-{at}").write_bytes(names[0].read_bytes())
            told = json.loads(process.stdout.readline())
            assert told["files"] == 1
            assert bool(told["new"] + told["quarantined"]) or at == 2
        assert told["new"] == 0
        process.send_signal(number)
        assert process.wait(60) == 0
        assert process.stderr
        assert "Traceback" not in process.stderr.read()
    assert sorted(path.name for path in (folder / "done").iterdir()) == ["export-1", "export-2"]
