"""Every recipe, followed step by step in a copy of the project."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "docs" / "recipes"

_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(recipe: str, language: str) -> list[str]:
    """The blocks of a recipe in that language."""
    text = (RECIPES / recipe).read_text("utf-8")
    return [dedent(body) for found, body in _BLOCK.findall(text) if found == language]


class House:
    """A copy of what recipes change."""

    def __init__(self, root: Path) -> None:
        self.root = root / "house"
        for part in ("src", "docs", "sample", "tests/unit/stores"):
            shutil.copytree(ROOT / part, self.root / part)
        self.paths = [self.root / "src"]

    def run(self, script: str) -> str:
        """What a shell script prints that is run in it."""
        bin_ = Path(sys.executable).parent
        script = script.replace(".venv/bin/python", sys.executable)
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.root,
            env={
                **os.environ,
                "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": os.pathsep.join(map(str, self.paths)),
                "THREADWELL_STORE": str(self.root / "threadwell.db"),
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, f"{script}\n{run.stdout}{run.stderr}"
        return run.stdout


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_channel(house: House) -> None:
    copy, try_it = blocks("channel.md", "sh")
    house.run(copy)
    app = house.root / "src/threadwell/app.py"
    added, after = blocks("channel.md", "python")[0].splitlines()
    before = app.read_text()
    assert before.count(f"    {after}\n") == 1
    app.write_text(before.replace(f"    {after}\n", f"    {added}\n    {after}\n"))
    said = house.run(try_it)
    assert "3 messages read = 2 new + 0 known + 1 quarantined" in said
    assert "Voicemail" in said
    house.run("python -m pytest -q -p no:cacheprovider src/threadwell/channels/voicemail")


def test_live_channel(house: House) -> None:
    copy, try_it = blocks("live-channel.md", "sh")
    house.run(copy)
    app = house.root / "src/threadwell/app.py"
    added, after = blocks("live-channel.md", "python")[0].splitlines()
    before = app.read_text()
    assert before.count(f"    {after}\n") == 1
    app.write_text(before.replace(f"    {after}\n", f"    {added}\n    {after}\n"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    assert "8109" in try_it
    taken = "until threadwell quarantine --store try.db | grep '4 messages'; do sleep 1; done"
    assert "sleep 5" in try_it
    delivered = re.search(r"^signature=.*?/hooks/desk\n", try_it, re.MULTILINE | re.DOTALL)
    assert delivered
    # With another secret it is refused.
    wrong = delivered[0].replace("-hmac ", "-hmac x")
    tried = try_it.replace("sleep 5", f"{wrong}{taken}").replace("8109", port)
    said = house.run(tried)
    assert "\n204\n" in said
    assert "403\n" in said
    assert "4 messages" in said
    house.run("python -m pytest -q -p no:cacheprovider src/threadwell/channels/harbour")


def test_session_policy(house: House) -> None:
    copy, install, use, test = blocks("session-policy.md", "sh")
    assert "pip install" in install  # needs an index; its outcome is made by hand below
    house.run(copy)
    package = house.root.parent / "threadwell-per-week"
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]
    assert (
        tomllib.loads(blocks("session-policy.md", "toml")[0])["project"]["entry-points"] == points
    )
    installed = package / "threadwell_per_week-1.0.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: threadwell-per-week\nVersion: 1.0.0\n")
    (installed / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {where}\n" for name, where in names.items())
            for group, names in points.items()
        )
    )
    house.paths.append(package)
    assert "193 new" in house.run(use)
    marks = house.run("threadwell get 'Encounter?_count=100&_elements=identifier'")
    assert re.search(r'"per-week\|[^"]*\|2025-W\d\d"', marks)
    house.run(test)


def test_duty(house: House) -> None:
    copy, try_it = blocks("duty.md", "sh")
    house.run(copy)
    app = house.root / "src/threadwell/app.py"
    listed = r"^DUTY_NAMES: tuple\[str, \.\.\.\] = \(\n"
    line = 'DUTY_NAMES: tuple[str, ...] = (\n    "tally",\n'
    text, lists = re.subn(listed, line, app.read_text(), flags=re.MULTILINE)
    assert lists == 1
    app.write_text(text)
    said = house.run(try_it)
    assert re.search(r"^tally +nobody +[1-9]", said, re.MULTILINE)


def test_store(house: House) -> None:
    copy, test = blocks("store.md", "sh")
    house.run(copy)
    contract = house.root / "tests/unit/stores/test_mine.py"
    text = contract.read_text().replace("from forwarding ", "from threadwell.stores.mine ")
    contract.write_text(text)
    assert " passed" in house.run(test.replace("pytest", "pytest -p no:cacheprovider -q"))


def test_search_parameter(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import compile_definitions

    copy, _compile, search = blocks("definitions.md", "sh")
    house.run(copy)
    # The step in the script, on a package that has nothing else: the whole one has to be fetched.
    package: dict[str, list[object]] = {"SearchParameter": []}
    exec(
        blocks("definitions.md", "python")[0],
        {"ROOT": house.root, "json": json, "package": package},
    )
    # Ours are compiled in as well.
    compiled, *_ = compile_definitions.search_parameters(package)  # type: ignore[arg-type]
    data = house.root / "src/threadwell/fhir/definitions/search_parameters.json.gz"
    every = json.loads(gzip.decompress(data.read_bytes()))
    data.write_bytes(gzip.compress(json.dumps([*every, compiled]).encode()))
    for priority in ("urgent", "routine"):
        house.run(
            "threadwell post Communication '"
            + json.dumps(
                {"resourceType": "Communication", "status": "completed", "priority": priority}
            )
            + "'"
        )
    found = json.loads(house.run(search))
    assert [entry["resource"]["priority"] for entry in found["entry"]] == ["urgent"]
