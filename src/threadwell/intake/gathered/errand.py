"""What is said between an import and those of its processes that decide."""

from __future__ import annotations

from typing import Any, NamedTuple

from threadwell.intake.commits.counts import Counts, Report
from threadwell.intake.gathered.spool import Packed
from threadwell.intake.settings import Settings
from threadwell.messages import Address
from threadwell.stores.parameters import Parameters
from threadwell.stores.sql.keys import Form


class Begin(NamedTuple):
    """How to decide. ``keys`` work out what goes into the index, where the store has one: its
    secret, the bases that are ours, the form in which it takes sheets, and the project's search
    parameters.

    ``now`` is the time, in milliseconds since 1970 UTC, and ``ours`` are addresses that are the
    practice's by what messages say.
    """

    project: str
    settings: Settings
    now: int
    ours: frozenset[Address]
    keys: tuple[bytes, frozenset[str], Form | None, Parameters] | None


class Work(NamedTuple):
    """A part of what was gathered (``spool.unpacked``)."""

    pieces: list[Packed]


class End(NamedTuple):
    """There is nothing more to do."""


class Ask(NamedTuple):
    """A question to the store, and what it is answered under."""

    number: int
    method: str
    positional: tuple[Any, ...]
    named: dict[str, Any]


class Commit(NamedTuple):
    """A change set (``changes.with_worked``) to be committed."""

    number: int
    project: str
    packed: tuple[Any, ...]


class Answer(NamedTuple):
    """What came of a question or commit: a value, or what was raised."""

    number: int
    value: Any
    error: Exception | None


class Ready(NamedTuple):
    """It has nothing to do."""


class SoFar(NamedTuple):
    """What it has counted since it began."""

    counts: Counts


class Done(NamedTuple):
    """It is at its end; what it did, or what it raised."""

    report: Report
    error: Exception | None
