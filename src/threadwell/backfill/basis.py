"""What every process that works on a backfill has to know, as values that reach any process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple

from threadwell.channels.channel import Span
from threadwell.fhir.stamp import Clock
from threadwell.intake.settings import Settings
from threadwell.intake.whole import Item
from threadwell.stores.contract import Store


class Torn(Exception):
    """A span is not what it was thought to be: its file has to be read in stripes."""


class Unit(NamedTuple):
    """A part of what is read: a file or folder, and which ``stripe`` of so many of its rows.

    Or which ``span`` of it. A stripe beyond the last one is empty.
    It is ``trusted`` to be of the channel that was named, as a file that somebody has named is.
    Where it is what is ``broken``, only that is meant: what in a folder cannot be read at all.
    ``size`` is how many bytes there are to read, 0 where nobody has looked.
    """

    path: str
    trusted: bool = False
    stripe: int = 0
    stripes: int = 1
    broken: bool = False
    size: int = 0
    span: Span | None = None

    @property
    def is_shared(self) -> bool:
        """Whether other units have the rest of its file, so that several processes may read it."""
        return self.stripes > 1 or self.span is not None


@dataclass(frozen=True, slots=True)
class Basis:
    """How a process opens the people, reads a unit, and has sessions cut.

    It is for a ``store`` where what is made goes into the one that has the people, and else for
    files. Its functions are those of modules, or partial ones of these, so that they can be sent.
    What ``read`` returns raises ``Torn`` at its end.
    """

    project: str
    open: Callable[[], AbstractAsyncContextManager[Store]]
    settings: Callable[[Store, str], Awaitable[Settings]]
    read: Callable[[Unit, Settings], Iterator[Item]]
    clock: Clock
    store: bool = False
