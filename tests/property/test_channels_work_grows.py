"""The work and the memory of a reader grow with the size of a file, and no faster.

Work is counted in lines of Python that a reader runs, memory in bytes that it holds at once, by a
process that does nothing else (``growing_files``); a clock would tell more about the machine than
about us. What a regular expression does within one line is not seen here: see
``test_patterns_work_grows``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.property.growing_files import FILES

SMALL, TIMES = 80, 4
#: Four times as large may take this many times as much, for what every file costs.
MOST = TIMES * 1.5
#: Below these a file's fixed costs are most of it.
FEW_LINES, FEW_BYTES = 2_000, 200_000
CASES = [(channel, case) for channel, cases in FILES.items() for case in cases]

Costs = Callable[..., list[int]]


@pytest.fixture(scope="module")
def costs() -> Iterator[Costs]:
    """What files of a channel cost, by the case and their sizes: lines and bytes of each."""
    program = [sys.executable, str(Path(__file__).with_name("growing_files.py"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(program, text=True, **pipes) as process:
        asked, told = process.stdin, process.stdout
        assert asked is not None
        assert told is not None

        def ask(*case: object) -> list[int]:
            print(*case, sep="\t", file=asked, flush=True)
            return list(map(int, told.readline().split()))

        yield ask
        asked.close()


@pytest.mark.parametrize(("channel", "case"), CASES, ids=[f"{c}: {case}" for c, case in CASES])
def test_four_times_as_large_takes_no_more_than_that(channel: str, case: str, costs: Costs) -> None:
    small_lines, small_bytes, lines, held = costs(channel, case, SMALL, SMALL * TIMES)
    assert lines <= MOST * max(small_lines, FEW_LINES), "lines of Python"
    assert held <= MOST * max(small_bytes, FEW_BYTES), "bytes held at once"
