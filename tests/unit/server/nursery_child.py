"""A process whose children are forked by another one, which has loaded what they need."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from threadwell.server.nursery import Nursery, adopts

FOLDER = Path(sys.argv[2])


def _load() -> None:
    if sys.argv[1] == "fails":
        raise RuntimeError
    (FOLDER / "loaded").write_text(str(os.getpid()))


def _be(number: int) -> int:
    os.close(goes)
    (FOLDER / "part").write_text(str(os.getppid()))
    (FOLDER / "part").rename(FOLDER / f"child {number}")
    os.read(waits, 1)
    return 40 + number


def _forked(nursery: Nursery, number: int) -> int:
    """A child that has begun, by its process id."""
    child = nursery.fork(number)
    while child and not (FOLDER / f"child {number}").exists():
        time.sleep(0.02)
    return child


if __name__ == "__main__":
    waits, goes = os.pipe()
    forked: list[int] = []
    print(adopts(is_on=True))
    nursery = Nursery(_load, _be, forked.append)
    children = [_forked(nursery, number) for number in (1, 2)]
    nursery.close()
    adopts(is_on=False)
    os.close(goes)
    # They are ours, and tell us how they end.
    print([child and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
    print(forked, [one.name for one in sorted(FOLDER.iterdir())])
    if (FOLDER / "loaded").exists():
        loaded = (FOLDER / "loaded").read_text()
        print({(FOLDER / f"child {at}").read_text() for at in (1, 2)} == {loaded})
        print(loaded != str(os.getpid()))
