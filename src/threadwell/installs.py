"""How what is missing here is installed: with the pip of this very Python."""

from __future__ import annotations

import shlex
import sys


def pip_install(*what: str) -> str:
    """The command that installs ``what`` (``pyarrow``, ``--upgrade tzdata``) for this Python.

    A plain ``pip`` may be that of another one, as outside of a virtual environment.
    """
    return shlex.join([sys.executable or "python3", "-m", "pip", "install", *what])
