"""The FHIR bases that a database's resources are known under.

They are kept in the database. A process takes over what others add when it opens the database or
adds one itself. So what is written meanwhile by one that does not know a base yet is found by the
URL that it wrote; it stands in a list of the base, and is put right by the next one to add it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from threadwell.fhir.json import decode, encode

#: The setting that they are kept in; a database that nobody served has none.
SETTING = "bases"


class Bases:
    """Those that this process knows, shared by all that look at them."""

    __slots__ = ("own",)

    def __init__(self, own: Iterable[str] = ()) -> None:
        self.own: frozenset[str] = frozenset(own)


class _Everywhere(frozenset[str]):
    """Whatever there is: every base is in it."""

    def __contains__(self, _: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


#: As if all the world's resources were our own, and as if none of them that has a URL were.
EVERYWHERE: frozenset[str] = _Everywhere()
NOWHERE: frozenset[str] = frozenset()


def read_bases(setting: bytes | None) -> frozenset[str]:
    """What a setting says."""
    known: list[Any] = decode(setting) if setting else []
    return frozenset(known)


def write_bases(bases: Iterable[str]) -> bytes:
    """What a setting is to say."""
    return encode(sorted(bases))
