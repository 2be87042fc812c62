"""The FHIR bases that a database's resources are known under.

They are kept in the database. A process takes over what others add when it opens the database or
adds one itself. So what is written meanwhile by one that does not know a base yet is found by the
URL that it wrote; it stands in a list of the base, and is put right by the next one to add it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from threadwell.fhir.json import decode, encode
from threadwell.fhir.search.catalogue import R4, Catalogue, Home

#: The setting that they are kept in; a database that nobody served has none.
SETTING = "bases"


class Bases:
    """Those that this process knows, shared by all that look at them; and which search parameters
    each project has, as far as it differs from R4.
    """

    __slots__ = ("_catalogues", "_homes", "_own")

    def __init__(self, own: Iterable[str] = ()) -> None:
        self._own: frozenset[str] = frozenset(own)
        self._catalogues: dict[str, tuple[Catalogue, int]] = {}
        self._homes: dict[str, Home] = {}

    @property
    def own(self) -> frozenset[str]:
        """The bases."""
        return self._own

    @own.setter
    def own(self, own: frozenset[str]) -> None:
        if own != self._own:
            self._own = own
            self._homes = {}

    def has(self, project: str, catalogue: Catalogue, turn: int) -> None:
        """From now on a project has these search parameters, which have changed so often."""
        if turn >= self.of(project).turn:
            self._catalogues[project] = catalogue, turn
            self._homes.pop(project, None)

    def of(self, project: str) -> Home:
        """The bases, with the search parameters of a project."""
        home = self._homes.get(project)
        if home is None:
            home = Home(self._own, *self._catalogues.get(project, (R4, 0)))
            self._homes[project] = home
        return home


class _Everywhere(Home):
    """Whatever there is: every base is in it."""

    def __contains__(self, _: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


@lru_cache(maxsize=256)
def everywhere(catalogue: Catalogue) -> Home:
    """As if all the world's resources were our own."""
    return _Everywhere((), catalogue)


@lru_cache(maxsize=256)
def nowhere(catalogue: Catalogue) -> Home:
    """As if none of them that has a URL were."""
    return Home((), catalogue)


def read_bases(setting: bytes | None) -> frozenset[str]:
    """What a setting says."""
    known: list[Any] = decode(setting) if setting else []
    return frozenset(known)


def write_bases(bases: Iterable[str]) -> bytes:
    """What a setting is to say."""
    return encode(sorted(bases))
