"""The README's walkthrough, block by block, as a newcomer would paste it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import stem

ROOT = Path(__file__).resolve().parents[2]
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def _block(heading: str, language: str) -> str:
    section = (ROOT / "README.md").read_text().split(f"\n### {heading}\n")[1].split("\n## ")[0]
    match = re.search(rf"```{language}\n(.*?)```", section.split("\n### ")[0], re.DOTALL)
    assert match, f"README has no {language} block under {heading}"
    return match.group(1)


def _bash(script: str, cwd: Path, path: str = os.environ["PATH"], **environment: str) -> str:
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=cwd,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_python(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _block("In Python", "python")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == "2 virtual encounters, 1 thread of the session\n"


def test_command(tmp_path: Path) -> None:
    script, store = _block("With the command", "sh"), str(tmp_path / "one.db")
    out = _bash(script, tmp_path, stem.on_the_path(tmp_path), THREADWELL_STORE=store)
    assert out.count('"searchset"') == 2
    assert out.count('"code":"VR"') + out.count('"code": "VR"') >= 3


def test_curl(tmp_path: Path, server) -> None:
    script = _block("With cURL", "sh").replace("http://127.0.0.1:8103", server.base_url[:-1])
    out = _bash(script, tmp_path, CLIENT_ID=server.client_id, CLIENT_SECRET=server.client_secret)
    assert out.count('"searchset"') == 2
    with server.http() as http:
        found = http.get("Encounter", params={"class": f"{ACT}|VR", "part-of:missing": "false"})
        parents = [entry["resource"]["partOf"]["reference"] for entry in found.json()["entry"]]
        threads = [
            http.get("Communication", params={"encounter": parent}).json().get("entry", [])
            for parent in parents
        ]
    assert any(len(entries) == 1 for entries in threads)


def test_what_it_shows_of_the_sample_is_what_is_printed() -> None:
    """`make readme` writes it anew."""
    sys.path.insert(0, str(ROOT / "scripts"))
    import make_readme

    readme = (ROOT / "README.md").read_text("utf-8")
    assert make_readme.written(readme) == readme
