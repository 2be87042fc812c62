"""Links in a folder of exports: what they lead to is read where it is, or not at all.

An archive, or whoever fills a folder, decides what a link leads to. Nothing outside of what was
asked for is read because a link names it.
"""

from __future__ import annotations

import os
from pathlib import Path

LEADS_OUT = "a link that leads out of the folder: it was not followed"
LEADS_NOWHERE = "a link that leads nowhere"


def is_inside(path: Path, folder: Path) -> bool:
    """Whether what ``path`` is or leads to lies within ``folder``, wherever that lies itself."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def unfollowed(link: Path, folder: Path) -> str:
    """Why a link is not read; ``""`` if what it leads to is met within ``folder`` by itself."""
    if not is_inside(link, folder):
        return LEADS_OUT
    return "" if os.path.exists(link) else LEADS_NOWHERE  # noqa: PTH110 - no error for a loop
