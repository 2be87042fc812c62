"""The command as a process: quick to start, honest when killed, polite to pipes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import httpx
import pytest

import stem

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample"
THREADWELL = [sys.executable, "-m", "threadwell"]
IMPORT = [
    *(*THREADWELL, "import", str(SAMPLE), "--people", str(SAMPLE / "people.csv")),
    *("--zone", "America/New_York", "--format", "json"),
]
#: What a command that only prints help has no use for.
HEAVY = {"asyncio", "apsw", "jinja2", "jsonschema_rs", "msgspec", "phonenumbers", "starlette"}


def _run(*command: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **more)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    "code", ["import threadwell", "from threadwell.cli import main; main(['--help'])"]
)
def test_nothing_heavy_is_loaded_before_it_is_needed(code: str) -> None:
    shown = _run(sys.executable, "-c", f"{code}; import sys; print(*sys.modules, sep='\\n')")
    assert HEAVY.isdisjoint(shown.stdout.split())


def test_the_sample_is_imported_once(tmp_path: Path) -> None:
    command = [*IMPORT, "--store", str(tmp_path / "sample.db")]
    first, again = (json.loads(stem.run(command)) for _ in range(2))
    for counts in (first, again):
        assert counts["read"] == counts["new"] + counts["known"] + counts["quarantined"]
    assert (again["new"], again["known"]) == (0, first["new"])
    assert (again["sessions"], again["superseded"]) == (0, 0)
    assert again["quarantined"] == first["quarantined"]


def test_long_work_tells_how_far_it_is(tmp_path: Path) -> None:
    rows = "".join(
        f"2025-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z,+12075550111,+12075550100,x\n"
        for n in range(4000)
    )
    (tmp_path / "many.csv").write_text("sent,from,to,text\n" + rows)
    (tmp_path / "people.csv").write_text("kind,id,family,phone\npatient,a,Prado,+12075550111\n")
    script = (
        "import sys; from threadwell.cli import main, progress; progress._LOG = 0.0; "
        "sys.exit(main(sys.argv[1:]))"
    )
    command = ["import", "many.csv", "--people", "people.csv", "--unknown", "patient"]
    shown = stem.ran([sys.executable, "-c", script, *command], cwd=tmp_path)
    assert re.search(r"^2,000 read: 2,000 new, 0 known, 0 quarantined", shown.stderr, re.M)
    assert "4,000 messages read = 4,000 new + 0 known + 0 quarantined" in shown.stdout


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    store = str(tmp_path / "sample.db")
    stem.run([*IMPORT, "--store", store])
    with subprocess.Popen(
        [*THREADWELL, "get", "Communication?_count=1000", "--store", store],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        complaints = process.stderr.read()
    assert complaints == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_when_told(tmp_path: Path, number: signal.Signals) -> None:
    command = [*THREADWELL, "serve", "--store", str(tmp_path / "x.db"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        printed = "".join(takewhile(lambda line: "Ctrl-C" not in line, lines))
        link = re.search(r"(http\S+)/sign-in/", printed)
        assert link
        # The port is whichever was free: the command knows it from the server.
        sign_in = [*THREADWELL, "sign-in", "--store", str(tmp_path / "x.db")]
        other = stem.ran(sign_in)
        assert other.stdout.startswith(f"{link[1]}/sign-in/")
        assert other.stderr == ""
        assert _stopped(process, number) == 0
    assert "no server seems to run" in stem.ran(sign_in).stderr


def test_the_sample_run_shows_proof_and_keeps_its_client(tmp_path: Path) -> None:
    seen = [_sample_run(tmp_path), _sample_run(tmp_path, "--no-live")]
    assert "0 known" in seen[0]
    assert "0 new +" in seen[1]
    for out in seen:
        assert "America/New_York" in out
        assert "✗" not in out
        assert out.count("✓") == 3
    assert ["Robin Pretend" in out.split("Serving on")[1] for out in seen] == [True, False]
    clients = [re.search(r"client secret +(\S+)", out) for out in seen]
    assert clients[0]
    assert clients[1]
    assert clients[0][1] == clients[1][1]
    (kept,) = tmp_path.glob("*.client.json")
    assert kept.stat().st_mode & 0o077 == 0


def _sample_run(folder: Path, *more: str) -> str:
    """What a run prints; while it serves its ``curl`` line is tried, and the patient answered."""
    command = [sys.executable, str(ROOT / "scripts" / "run_sample.py"), "--port", "0", *more]
    command += ["--every", "0.5"]
    environment = {**os.environ, "THREADWELL_STORE": "sample.db"}
    out = ""
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout
        for line in iter(process.stdout.readline, ""):
            out += line
            if "Ctrl-C" in line:
                break
        curl = re.search(r"^curl .*\\\n.*$", out, re.M)
        assert curl
        answer = subprocess.run(curl[0] + " -sS", shell=True, capture_output=True, check=True)
        if "--no-live" not in more:
            _answer_the_patient(out)
        assert _stopped(process, signal.SIGINT) == 0
    assert json.loads(answer.stdout)["entry"]
    return out


def _answer_the_patient(out: str) -> None:
    """Do what the last lines of a run say, and see the simulated patient answer."""
    link = re.search(r"(http\S+)(/sign-in/\S+)", out)
    assert link
    with httpx.Client(base_url=link[1], follow_redirects=True, timeout=20) as browser:
        browser.post(link[2])
        session = _until(lambda: _row(browser, "Robin Pretend"))
        page = browser.get(session[1]).text
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page)
        said = {**dict(hidden), "act": "reply", "text": "Are you allergic to anything?"}
        assert "allergic to anything?" in browser.post(session[1], data=said).text
        _until(lambda: re.search("Only to penicillin", browser.get(session[1]).text))
        _until(lambda: re.search("· delivered", browser.get(session[1]).text))


def _row(browser: httpx.Client, name: str) -> re.Match[str] | None:
    """The way to the session at the top of the list, if it has that name."""
    row = browser.get("/").text.partition('<ul class="rows">')[2].partition("</li>")[0]
    return re.search(r'href="(/sessions/\S+)"', row) if name in row else None


def _until(look: Callable[[], re.Match[str] | None]) -> re.Match[str]:
    until = time.monotonic() + 60
    while (found := look()) is None:
        assert time.monotonic() < until, "it does not show"
        time.sleep(0.1)
    return found


def _stopped(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """The exit code after the signal; a process that will not end is killed."""
    process.send_signal(number)
    try:
        return process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
