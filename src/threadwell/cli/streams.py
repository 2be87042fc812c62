"""Standard output and error while a command runs: nothing steers a terminal but we ourselves.

Whatever is printed, by whichever part, goes through ``Guarded``; the few codes of our own are
carried through it as marks that no text out of a store can hold.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from threadwell.shown import on_lines

#: Differs from run to run, so nobody can have written it into a message.
_KEY = os.urandom(8).hex()
_MARK = re.compile(f"\ue000{_KEY}([0-9]+|r)\ue001")


def colour_mark(code: str) -> str:
    """Stands for the terminal's code of a colour (``31``), ``0`` for its end."""
    return f"\ue000{_KEY}{code}\ue001"


#: Stands for a return to the beginning of the line.
RETURN = colour_mark("r")


class Guarded:
    """A text stream that lets through text alone, and our own marks as what they stand for."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text``, made harmless."""
        shown = _MARK.sub(_code, on_lines(text))
        self._stream.write(shown)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write each of ``lines``."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Guard standard output and error; those that the caller has closed lead to nowhere."""
    _open_closed_streams()
    before = sys.stdout, sys.stderr
    for stream in before:
        _encode_what_it_can(stream)
    # What is no terminal is guarded too: a pipe may end in one.
    sys.stdout, sys.stderr = (cast(TextIO, Guarded(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _open_closed_streams() -> None:
    """Let a standard stream that the caller has closed (``>&-``) lead to nowhere.

    The next file to be opened would take its number, and whatever is written to the stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - it stays open


def _encode_what_it_can(stream: TextIO) -> None:
    """A terminal that lacks a letter is shown its number, rather than nothing of the line."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _code(mark: re.Match[str]) -> str:
    return "\r" if mark[1] == "r" else f"\x1b[{mark[1]}m"
