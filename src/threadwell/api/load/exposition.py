"""The counts of all workers in Prometheus' text format, version 0.0.4."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from threadwell.api.load.families import FAMILIES, PROCESS, Family, cell
from threadwell.api.load.meter import Board
from threadwell.api.readiness import Waits
from threadwell.api.version import VERSION
from threadwell.duties.standing import Standing
from threadwell.intake.replies.depth import OutboxDepth

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
_OF_OUTBOX: tuple[tuple[str, str, Callable[[OutboxDepth, float], float]], ...] = (
    (
        "threadwell_outbox_messages",
        "Messages that are to be sent.",
        lambda one, _: one.waiting,
    ),
    (
        "threadwell_outbox_oldest_seconds",
        "For how long the oldest of these waits.",
        lambda one, now: _age(one.oldest, now),
    ),
    (
        "threadwell_outbox_dead_messages",
        "Messages that were not sent, and wait for a person.",
        lambda one, _: one.dead,
    ),
)


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


def of_duties(standings: Sequence[Standing]) -> str:
    """What there is to tell of a store's duties; ``""`` where it has none."""
    lines: list[str] = []
    for name, kind, about, value in _OF_DUTIES if standings else ():
        lines += _head(name, kind, about)
        lines += [f'{name}{{duty="{one.name}"}} {_number(value(one))}' for one in standings]
    return "".join(f"{line}\n" for line in lines)


def of_waits(waits: Waits) -> str:
    """What waits in a store, and for how long by now."""
    now, journal = time.time(), waits.journal
    lines: list[str] = []
    for name, about, value in (
        ("stuck_deliveries", "Those not taken in that wait for a person.", float(waits.stuck)),
        ("journal_deliveries", "Those not taken in yet, as far as counted.", float(journal.count)),
        ("journal_oldest_seconds", "For how long the oldest waits.", _age(journal.oldest, now)),
    ):
        lines += _head(f"threadwell_{name}", "gauge", about)
        lines.append(f"threadwell_{name} {_number(value)}")
    for name, about, value_of in _OF_OUTBOX if waits.outbox else ():
        lines += _head(name, "gauge", about)
        lines += [
            f'{name}{{account="{_label(one.account)}"}} {_number(value_of(one, now))}'
            for one in waits.outbox
        ]
    return "".join(f"{line}\n" for line in lines)


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


def _age(since: float, now: float) -> float:
    """Whole seconds, 0 where it is since never."""
    return float(int(max(0.0, now - since))) if since else 0.0


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


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
