"""An older release of the zone data, beside the one that is installed: found or brought."""

from __future__ import annotations

from pathlib import Path

import toolbox

LOCK = toolbox.ROOT / "locks" / "zone-data.txt"
_TARGET = toolbox.ROOT / ".cache" / "zone-data-2025b"


def find() -> Path | None:
    """The folder of its zones, ``None`` where it was not brought."""
    folder = _TARGET / "tzdata" / "zoneinfo"
    return folder if (folder / "tzdata.zi").is_file() else None


def install() -> bool:
    """The pinned wheel, into a folder that no program looks at by itself."""
    return toolbox.pip_install(
        "--no-deps", "--require-hashes", "--target", str(_TARGET), "-r", str(LOCK)
    )
