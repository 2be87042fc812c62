"""What CPU the processes use that come of this one, by which of its children they come."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path


class Used:
    """Looks now and then (Linux), as some processes end without anybody who knows what they used.

    What they had used before it began does not count.
    """

    def __enter__(self) -> Used:
        self._done = threading.Event()
        self._seen: dict[str, tuple[str, float]] = {}
        self._look()
        self._before = {process: used for process, (_, used) in self._seen.items()}
        self._thread = threading.Thread(target=self._every, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._look()

    def by_child(self) -> dict[str, float]:
        """Seconds, by the number and the command of the child."""
        found: dict[str, float] = {}
        for process, (child, used) in self._seen.items():
            found[child] = found.get(child, 0) + used - self._before.get(process, 0)
        return found

    def _every(self) -> None:
        while not self._done.wait(0.1):
            self._look()

    def _look(self) -> None:
        for child in _children("self"):
            with suppress(OSError):
                name = f"{child} {Path('/proc', child, 'cmdline').read_text().replace(chr(0), ' ')}"
                self._look_at(child, name)

    def _look_at(self, process: str, name: str) -> None:
        with suppress(OSError):
            told = Path("/proc", process, "stat").read_text().rpartition(")")[2].split()
            used = (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
            self._seen[process] = (name, used)
            for child in _children(process):
                self._look_at(child, name)


def _children(process: str) -> list[str]:
    found: list[str] = []
    for children in Path("/proc", process).glob("task/*/children"):
        with suppress(OSError):
            found += children.read_text().split()
    return found
