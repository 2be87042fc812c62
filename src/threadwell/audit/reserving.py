"""File systems on which room that was set aside for a file is there when it is written to.

Who writes to a file by way of memory hears of a full disk by a signal that ends the process, if the
room is not there by then. Where a file system writes each block to a new place, or is on another
machine, it may not be.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
#: Those of Linux that keep their word.
_RESERVING = frozenset({"ext4", "xfs", "tmpfs"})


def reserves(folder: Path) -> bool:
    """Whether the file system of a folder does so."""
    if not sys.platform.startswith("linux"):
        return False
    device = folder.stat().st_dev
    return _reserves(os.major(device), os.minor(device))


@lru_cache(maxsize=16)
def _reserves(major: int, minor: int) -> bool:
    try:
        mounts = _MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return False
    types = types_of(mounts, f"{major}:{minor}")
    return bool(types) and types <= _RESERVING


def types_of(mounts: list[str], device: str) -> frozenset[str]:
    """The types of what is mounted of a device, ``major:minor``, by lines of ``mountinfo``: their
    third field is the device, and the type follows a lone hyphen (proc(5)).
    """
    found = set()
    for line in mounts:
        fields = line.split(" ")
        if fields[2:3] == [device] and "-" in fields:
            found.add(fields[fields.index("-", 6) + 1])
    return frozenset(found)
