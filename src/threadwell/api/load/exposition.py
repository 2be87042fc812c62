"""The counts of all workers in Prometheus' text format, version 0.0.4."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from threadwell.api.load.families import FAMILIES, PROCESS, Family, cell
from threadwell.api.load.meter import Board
from threadwell.api.version import VERSION
from threadwell.duties.standing import Standing

#: What is told of each duty: the metric, its kind, what it says, and where that stands.
_OF_DUTIES: tuple[tuple[str, str, str, Callable[[Standing], float]], ...] = (
    ("threadwell_duty_held", "gauge", "Whether a process has the duty.", lambda one: one.held),
    (
        "threadwell_duty_rounds_total",
        "counter",
        "Rounds of the duty, by whichever process.",
        lambda one: one.record.runs,
    ),
    (
        "threadwell_duty_failures_total",
        "counter",
        "Rounds that failed.",
        lambda one: one.record.failures,
    ),
    (
        "threadwell_duty_seconds_total",
        "counter",
        "Time of all rounds.",
        lambda one: round(one.record.seconds, 3),
    ),
    (
        "threadwell_duty_last_success_time_seconds",
        "gauge",
        "When a round ended well, since 1970; 0 for never.",
        lambda one: round(one.record.last_success, 3),
    ),
)
_STUCK = "threadwell_stuck_deliveries"


def exposition(board: Board) -> str:
    """Every family of every worker of ``board``."""
    lines = [line for family in FAMILIES for line in _told(family, board)]
    build = f'version="{VERSION}",python="{platform.python_version()}"'
    lines += _head("threadwell_build_info", "gauge", "What is running.")
    lines.append(f"threadwell_build_info{{{build}}} 1")
    lines += _head("process_resident_memory_bytes", "gauge", "Memory of each worker.")
    lines += [
        f'process_resident_memory_bytes{{worker="{worker}"}} {resident}'
        for worker in range(board.workers)
        if (resident := _resident(int(board.of(worker)[cell(PROCESS)])))
    ]
    return "\n".join(lines) + "\n"


def of_duties(standings: Sequence[Standing], stuck: int) -> str:
    """What there is to tell of a store's duties, and of ``stuck`` deliveries."""
    lines: list[str] = []
    for name, kind, about, value in _OF_DUTIES if standings else ():
        lines += _head(name, kind, about)
        lines += [f'{name}{{duty="{one.name}"}} {_number(value(one))}' for one in standings]
    lines += _head(_STUCK, "gauge", "Deliveries that could not be taken in, and wait for a person.")
    lines.append(f"{_STUCK} {stuck}")
    return "\n".join(lines) + "\n"


def _told(family: Family, board: Board) -> Iterator[str]:
    yield from _head(family.name, family.kind, family.help)
    if family.each:
        for worker in range(board.workers):
            value = board.of(worker)[cell(family)]
            yield f'{family.name}{{worker="{worker}"}} {_number(value)}'
        return
    everyone = board.everyone()
    for position, labels in enumerate(family.series):
        at = cell(family, position)
        values = [sum(cells[at + n] for cells in everyone) for n in range(family.width)]
        if family.bounds:
            yield from _histogram(family, labels, values)
        elif values[0] or len(family.series) == 1:
            yield f"{family.name}{_in_braces(labels)} {_number(values[0])}"


def _histogram(family: Family, labels: str, values: list[float]) -> Iterator[str]:
    *buckets, total = values
    below = list(accumulate(buckets))
    if labels and not below[-1]:
        return
    for bound, count in zip([*map(_number, family.bounds), "+Inf"], below, strict=True):
        named = ",".join(filter(None, (labels, f'le="{bound}"')))
        yield f"{family.name}_bucket{{{named}}} {_number(count)}"
    yield f"{family.name}_sum{_in_braces(labels)} {_number(total)}"
    yield f"{family.name}_count{_in_braces(labels)} {_number(below[-1])}"


def _head(name: str, kind: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]


def _in_braces(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _resident(process: int) -> int:
    """Bytes in memory, 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    kib = next((line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")), "0")
    return int(kib) * 1024
