"""A process that the stem has forked ends for everybody who waits for it, once."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import stem

FILES = Path("/proc/self/fd")


def test_several_wait_while_another_kills() -> None:
    with ThreadPoolExecutor(3) as pool:
        for _ in range(20):
            process = stem.start([sys.executable, "-c", "import time; time.sleep(60)"])
            waiting = [pool.submit(process.wait) for _ in range(3)]
            process.kill()
            process.poll()
            assert [one.result(60) for one in waiting] == [-9] * 3


def test_nothing_stays_open() -> None:
    def run() -> int:
        stem.run([sys.executable, "-c", "1"])
        return len(list(FILES.iterdir())) if FILES.exists() else 0

    before = run()
    assert max(run() for _ in range(5)) <= before


def test_a_script_has_it_on_its_path(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": stem.on_the_path(tmp_path)}

    def said(script: str) -> tuple[int, str, str]:
        how = {"capture_output": True, "text": True, "cwd": tmp_path, "env": environment}
        done = subprocess.run(["bash", "-c", script], **how)  # type: ignore[call-overload]
        return done.returncode, done.stdout, done.stderr

    code, out, err = said("threadwell client add x --store x.db; threadwell client list | cat; A=b")
    assert code == 0
    assert '"client_id"' in out
    assert "there is no store at threadwell.db" in err
    assert said("threadwell get 2> x; exit $?")[:2] == (2, "")
    assert "usage" in (tmp_path / "x").read_text().lower()
    # A signal to who waits is one to the fork, and its end is the end of both.
    script = "threadwell duties --store x.db & kill $!; wait $!; echo $?"
    assert said(script)[1].splitlines()[-1] in ("0", "143")
