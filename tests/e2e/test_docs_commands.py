"""The commands of the documentation, page by page, as a reader would paste them.

A page's blocks run in their order in one folder that has the sample practice in it. A block after
`<!-- file: NAME -->` is written to that file; one after `<!-- output -->` is what the commands
before it print last. One after `<!-- stored -->` is part of what the store then has.

The page with the fewest commands starts each as a shell of the reader does; those of the others are
forked (`tests/stem.py`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import stem
import threadwell

ROOT = Path(__file__).resolve().parents[2]
#: Each with whether its commands are forked.
PAGES = {
    "docs/importing.md": True,
    "docs/encounters.md": True,
    "docs/rules.md": False,
    "docs/views.md": True,
}
#: What runs a query as DuckDB's own program does, over the files of the folder.
_DUCKDB = "import sys, duckdb; print(duckdb.sql(sys.argv[1]))"

_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>output|stored|file: (?P<file>\S+)) -->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@pytest.mark.parametrize("page", PAGES)
def test_commands(page: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (tmp_path / "sample").symlink_to(ROOT / "sample", target_is_directory=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if PAGES[page]:
        path = stem.on_the_path(tmp_path_factory.mktemp("programs"))
    printed = ""
    ran = 0
    for block in _BLOCK.finditer((ROOT / page).read_text("utf-8")):
        if block["file"]:
            (tmp_path / block["file"]).write_text(block["text"], "utf-8")
        elif block["mark"] == "output":
            assert printed.endswith(block["text"]), printed
        elif block["mark"] == "stored":
            told = json.loads(block["text"])
            with threadwell.open(tmp_path / "threadwell.db", create=False) as tw:
                _assert_within(told, tw.read_resource(told["resourceType"], told["id"]))
        elif block["language"] == "sh":
            printed = _run(["bash", "-euo", "pipefail", "-c", block["text"]], tmp_path, path)
            ran += 1
        elif block["language"] == "sql":
            printed = _run([sys.executable, "-c", _DUCKDB, block["text"]], tmp_path, path)
            printed = printed.rstrip("\n") + "\n"
            ran += 1
        elif block["language"] == "python":
            printed = _run([sys.executable, "-c", block["text"]], tmp_path, path)
            ran += 1
    assert ran > 0


def _assert_within(told: Any, stored: Any) -> None:
    """All that is told is stored, though there may be more."""
    if isinstance(told, dict):
        for name in told:
            assert name in stored, name
            _assert_within(told[name], stored[name])
    elif isinstance(told, list):
        assert len(told) == len(stored)
        for one, other in zip(told, stored, strict=True):
            _assert_within(one, other)
    else:
        assert told == stored


def _run(command: list[str], folder: Path, path: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "THREADWELL_STORE"}
    environment["PATH"] = path
    run = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, f"{command[-1]}\n{run.stdout}{run.stderr}"
    return run.stdout
