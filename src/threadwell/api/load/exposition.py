"""The counts of all workers in Prometheus' text format, version 0.0.4."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from threadwell.api.load.families import FAMILIES, PROCESS, Family, cell
from threadwell.api.load.meter import Board
from threadwell.api.version import VERSION


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
