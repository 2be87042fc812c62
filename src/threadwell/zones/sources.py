"""Which zone data this process goes by: the newer one of the machine's and the package's.

Python's ``zoneinfo`` takes the machine's first, however old it is. An image built this spring does
not know what governments have decided since, and nobody would be told.
"""

from __future__ import annotations

import os
import zoneinfo
from functools import cache
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from threadwell.zones.data import LIST, ZoneData
from threadwell.zones.release import Release, parse_release

#: A folder to take instead, for whoever compiles the zone data for all their programs.
ZONE_DATA_VARIABLE = "THREADWELL_ZONE_DATA"

#: Files of a folder that name its release, in the order in which they are looked at.
_TELLING = (LIST, "+VERSION", "version")
_FIRST_LINE = 200


class NoZoneData(OSError):
    """There is no zone data, or none that tells its release; the message says where it is not."""


class Source(NamedTuple):
    """Zone data and where it lies: a folder, or ``tzdata`` for Python's package."""

    where: str
    data: ZoneData


def current() -> Source:
    """What this process goes by; raises ``NoZoneData``."""
    return _current(os.environ.get(ZONE_DATA_VARIABLE, ""))


@cache
def _current(chosen: str) -> Source:
    if chosen:
        found = _folder(Path(chosen))
        if found is None:
            raise NoZoneData(
                f"{ZONE_DATA_VARIABLE} is {chosen}: no zone data there tells its release"
            )
        return found
    there = [one for one in (package(), machine()) if one is not None]
    if not there:
        raise NoZoneData("there is no zone data: install the package tzdata")
    return max(there, key=lambda one: one.data.release)


@cache
def package() -> Source | None:
    """Python's package ``tzdata``, if it is installed."""
    try:
        release = parse_release(str(import_module("tzdata").IANA_VERSION))
        folder = files("tzdata") / "zoneinfo"
    except (ImportError, AttributeError):
        return None
    return Source("tzdata", ZoneData(folder, release)) if release else None


@cache
def machine() -> Source | None:
    """The machine's own data, where ``zoneinfo`` would look, if it tells its release."""
    return next(filter(None, map(_folder, map(Path, zoneinfo.TZPATH))), None)


def _folder(folder: Path) -> Source | None:
    release = _release_of(folder)
    return Source(str(folder), ZoneData(folder, release)) if release else None


def _release_of(folder: Traversable) -> Release | None:
    for name in _TELLING:
        try:
            with (folder / name).open("rb") as file:
                line = file.readline(_FIRST_LINE).decode("ascii", "replace")
        except OSError:
            continue
        if release := parse_release(line):
            return release
    return None
