"""A process that the stem has forked ends for everybody who waits for it, once."""

from __future__ import annotations

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
            assert [one.result(30) for one in waiting] == [-9] * 3


def test_nothing_stays_open() -> None:
    def run() -> int:
        stem.run([sys.executable, "-c", "1"])
        return len(list(FILES.iterdir())) if FILES.exists() else 0

    before = run()
    assert max(run() for _ in range(5)) <= before
