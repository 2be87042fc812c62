"""A backup while the server writes, and the way back, as docs/operations.md tells it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

import stem

THREADWELL = [sys.executable, "-m", "threadwell"]
ROOT = Path(__file__).resolve().parents[2]
PATIENT = {"resourceType": "Patient", "name": [{"family": "Prado"}]}


def _threadwell(*argv: str, code: int = 0) -> str:
    done = stem.ran([*THREADWELL, *argv])
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


@contextmanager
def _serving(store: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [*THREADWELL, "serve", "--store", str(store), "--port", "0"]
    with stem.start(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            first = process.stdout.readline()
            url = re.search(r"http://\S+/", first)
            assert url, first
            yield process, url[0]
        finally:
            process.kill()


def _until_let_go(store: Path) -> None:
    """Wait until no process has a file of it open: one beside a server may go on a little."""
    deadline = time.monotonic() + 60
    while any(map(partial(_has_open, path=str(store)), Path("/proc").glob("[0-9]*"))):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _has_open(process: Path, path: str) -> bool:
    try:
        return any(str(one.readlink()).startswith(path) for one in (process / "fd").iterdir())
    except OSError:
        return False


def _patients(store: Path) -> int:
    found = _threadwell("get", "Patient?_summary=count", "--store", str(store))
    return int(json.loads(found)["total"])


def test_there_and_back(tmp_path: Path) -> None:
    store, backups = tmp_path / "practice.db", tmp_path / "backups"
    backups.mkdir()
    client = json.loads(_threadwell("client", "add", "x", "--store", str(store)))
    login = (client["client_id"], client["client_secret"])
    with _serving(store) as (process, url):
        with httpx.Client(base_url=f"{url}fhir/R4/", auth=login) as http:
            for _ in range(20):
                assert http.post("Patient", json=PATIENT).status_code == 201
            backup = [*THREADWELL, "backup", str(backups), "--store", str(store)]
            with stem.start(backup, stdout=subprocess.PIPE, text=True) as backing:
                written = 20
                while backing.poll() is None:
                    assert http.post("Patient", json=PATIENT).status_code == 201
                    written += 1
                assert backing.returncode == 0
                assert backing.stdout
                made = Path(backing.stdout.read().strip())
        process.send_signal(signal.SIGKILL)
    held = _patients(made)
    assert 20 <= held <= written
    assert _patients(store) == written

    with _serving(store) as (process, url):
        httpx.post(f"{url}fhir/R4/Patient", json=PATIENT, auth=login).raise_for_status()
        process.send_signal(signal.SIGKILL)
        process.wait()
    _until_let_go(store)
    told = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("**To restore**")[2]
    commands = told.partition("```sh\n")[2].partition("```")[0]
    for name, path in (
        ("/backup/practice-2026-11-28-013000.db", made),
        ("/var/lib/threadwell/practice.db", store),
    ):
        assert name in commands
        commands = commands.replace(name, str(path))
    subprocess.run(["sh", "-euc", commands], check=True)
    with _serving(store) as (_, url):
        found = httpx.get(f"{url}fhir/R4/Patient?_summary=count", auth=login).json()
    assert found["total"] == held


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_says_at_once_that_it_cannot_write(tmp_path: Path, workers: str) -> None:
    place = tmp_path / "mounted"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a file system")
    try:
        store = str(place / "practice.db")
        _threadwell("client", "add", "x", "--store", store)
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        serve = ["serve", "--port", "0", "--workers", workers, "--store"]
        for path in (store, str(place / "new.db")):
            said = _threadwell(*serve, path, code=1)
            assert f"cannot open {path} for writing: Read-only file system" in said
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_also_where_only_the_folder_is_closed(tmp_path: Path) -> None:
    """SQLite keeps its log beside the file."""
    place = tmp_path / "closed"
    place.mkdir()
    store = str(place / "practice.db")
    _threadwell("client", "add", "x", "--store", store)
    plain = ["setpriv", "--inh-caps=-dac_override", "--bounding-set=-dac_override"]
    if os.geteuid() == 0 and subprocess.run([*plain, "true"], capture_output=True).returncode:
        pytest.skip("root writes everywhere, and setpriv cannot take that away here")
    place.chmod(0o555)
    try:
        command = [*(plain if os.geteuid() == 0 else []), *THREADWELL, "serve", "--port", "0"]
        command += ["--store", store]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    finally:
        place.chmod(0o755)
    assert done.returncode == 1
    assert "the file and its folder, where SQLite keeps its log, must be writable" in done.stderr
