"""What to watch, and what came of one round of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from threadwell.facade.importing import ImportJob
from threadwell.intake import Report

#: What the folders are called that files go to.
DONE, UNREAD = "done", "unread"


@dataclass(frozen=True, slots=True)
class Watching:
    """A folder and how to import what arrives there; ``job`` is an import without paths.

    What has not changed for ``settle`` seconds is whole. The folder is looked at every ``pause``
    seconds. With ``leave`` files stay where they are, and otherwise go to ``done`` or ``unread``
    in the folder. With ``once`` it ends as soon as all that is whole is taken in.
    """

    folder: Path
    job: ImportJob
    settle: float = 10.0
    pause: float = 2.0
    leave: bool = False
    once: bool = False


@dataclass(slots=True)
class Round:
    """What one look at the folder has brought.

    ``taken`` counts files and folders that were imported, and ``unread`` those of which nothing
    could be read. ``busy`` are those that still change, at the end of a watch that is done once.
    ``trouble`` is what is in the way, in words: the files wait, and are tried again.
    """

    report: Report = field(default_factory=Report)
    taken: int = 0
    unread: int = 0
    busy: int = 0
    trouble: str = ""

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.taken or self.unread or self.busy or self.trouble)
