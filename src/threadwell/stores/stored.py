"""What a store tells of what it has: versions of resources, their places, what has changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

#: The project of a server that serves one organisation.
DEFAULT_PROJECT = "0c8a1f8e-5d0b-4c53-9d0c-7b6f6f6a1b10"


class Key(NamedTuple):
    """Names one resource within a project."""

    type: str
    id: str


class Stored(NamedTuple):
    """One version of one resource, as it was committed.

    ``body`` is the JSON that was committed, byte for byte; ``b""`` where ``deleted``.
    ``updated`` is ``meta.lastUpdated`` in milliseconds since 1970 UTC. ``author`` is the reference
    of who wrote it (``ClientApplication/…``, and whom for: ``fhir.authors``), ``""`` if nobody was
    named.
    """

    type: str
    id: str
    version_id: str
    updated: int
    deleted: bool
    body: bytes
    author: str = ""


class Matches(list[Stored]):
    """Those of a page that a store may show again, for as long as it does: nobody changes them.

    ``worked`` is what was worked out of them, of no meaning to the store.
    """

    __slots__ = ("worked",)
    worked: object

    def __init__(self, matches: Iterable[Stored]) -> None:
        super().__init__(matches)
        self.worked = None


class Position(NamedTuple):
    """A version's place in all that a project has: by resource, then by version."""

    resource: int
    number: int


#: Before every version.
START = Position(-1, 0)


@dataclass(frozen=True, slots=True)
class Version:
    """One version with all that there is of it.

    ``position.number`` counts the versions of its resource from 1. ``content`` is what was
    committed as ``Write.content`` with it.
    """

    position: Position
    stored: Stored
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Change:
    """A version that was committed. ``position`` counts the versions of its project, from 1, in
    the order of their commits; those of one change set follow each other. ``place`` is that of
    the version in all that the project has.
    """

    position: int
    stored: Stored
    place: Position


class Span(NamedTuple):
    """Versions made at ``since`` or later and before ``high``, and not followed by another one at
    ``low`` or earlier; in microseconds since 1970.
    """

    since: int
    low: int
    high: int


#: Whenever they were made.
ALWAYS = Span(-(2**62), -(2**62), 2**62)
