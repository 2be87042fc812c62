"""What processes have cost: CPU seconds, and memory that is theirs. On Linux alone."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

_PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """A process and all that descend from it, as far as they run."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for one in _PROC.iterdir():
        if one.name.isdigit() and (fields := _fields(int(one.name))):
            children[int(fields[1])].append(int(one.name))
    found = [pid]
    for one in found:
        found += children[one]
    return found


def cpu_seconds(pids: list[int]) -> float:
    """What they have spent, with those of their children that have ended."""
    ticks = 0
    for pid in pids:
        if fields := _fields(pid):
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def cpu_ns(pid: int) -> int:
    """Nanoseconds that the threads of a process have spent: for what takes less than a tick."""
    threads = (_PROC / str(pid) / "task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads)


def proportional_mib(pids: list[int]) -> float:
    """Their memory, of what several share each its part (PSS)."""
    total = 0
    for pid in pids:
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def _fields(pid: int) -> list[str]:
    """Those of ``stat`` behind the name of the program, the state first; none if it has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
