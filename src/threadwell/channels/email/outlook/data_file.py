"""Data files of Outlook (``.pst``, ``.ost``), taken apart by a program where one is installed.

No library with a free licence reads them from Python. ``readpst`` of libpst does, and many systems
have it: it makes a mailbox file of each folder, and these are read like any other.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAGIC = b"!BDN"
PROGRAM = "readpst"
NO_PROGRAM = (
    f"is a data file of Outlook, which {PROGRAM} takes apart: install it (Debian and Ubuntu: "
    "pst-utils; Fedora: libpst; macOS: brew install libpst) and import the file again"
)
FAILED = f"is a data file of Outlook that {PROGRAM} could not take apart"
IN_PART = f"is a data file of Outlook that {PROGRAM} took apart in part only; what it found is read"


class NotTakenApart(ValueError):
    """A data file could not be opened; the message says what is missing."""


@contextmanager
def mailboxes(path: Path) -> Iterator[tuple[list[Path], bool]]:
    """The mailbox files that a data file's folders become, for as long as they are needed.

    Only mails are asked for (no contacts, no calendar). With them comes whether the program had no
    complaint. Raises ``NotTakenApart`` where there are none.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise NotTakenApart(NO_PROGRAM)
    with tempfile.TemporaryDirectory(prefix="threadwell-pst-") as folder:
        command = [program, "-q", "-r", "-D", "-t", "e", "-o", folder, str(path.absolute())]
        done = subprocess.run(  # noqa: S603 - a fixed program, without a shell
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        found = sorted(one for one in Path(folder).rglob("*") if one.is_file())
        if done.returncode and not found:
            raise NotTakenApart(FAILED)
        yield found, not done.returncode
