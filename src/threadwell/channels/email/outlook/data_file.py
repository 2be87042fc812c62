"""Data files of Outlook (``.pst``, ``.ost``), taken apart by a program where one is installed.

No library with a free licence reads them from Python. ``readpst`` of libpst does, and many systems
have it: it makes a mailbox file of each folder, and these are read like any other.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

MAGIC = b"!BDN"
PROGRAM = "readpst"
NO_PROGRAM = (
    f"is a data file of Outlook, which {PROGRAM} takes apart: install it (Debian and Ubuntu: "
    "pst-utils; Fedora: libpst; macOS: brew install libpst) and import the file again"
)
FAILED = f"is a data file of Outlook that {PROGRAM} could not take apart"
IN_PART = f"is a data file of Outlook that {PROGRAM} took apart in part only; what it found is read"

_LEFT_OUT = re.compile(rb"(?<!\d)(\d{1,12}) items skipped")


class NotTakenApart(ValueError):
    """A data file could not be opened; the message says what is missing."""


class TakenApart(NamedTuple):
    """What became of a data file.

    ``mailboxes`` are its folders as mailbox files. ``whole`` says that nothing was complained of;
    ``left_out`` counts the items that are none of these: contacts, appointments, settings.
    """

    mailboxes: Sequence[Path]
    whole: bool
    left_out: int


@contextmanager
def taken_apart(path: Path) -> Iterator[TakenApart]:
    """A data file, taken apart for as long as that is needed.

    Only mails are asked for. Raises ``NotTakenApart`` where there is nothing to read.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise NotTakenApart(NO_PROGRAM)
    with tempfile.TemporaryDirectory(prefix="threadwell-pst-") as folder:
        command = [program, "-r", "-D", "-t", "e", "-o", folder, str(path.absolute())]
        done = subprocess.run(  # noqa: S603 - a fixed program, without a shell
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        found = sorted(one for one in Path(folder).rglob("*") if one.is_file())
        if done.returncode and not found:
            raise NotTakenApart(FAILED)
        left_out = sum(int(number) for number in _LEFT_OUT.findall(done.stdout))
        yield TakenApart(found, not done.returncode, left_out)
