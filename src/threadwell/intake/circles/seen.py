"""What a circle keeps of what it was: its sessions as they were projected, and its earlier part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from threadwell.sessions import BEGINNING, Sent, Session
from threadwell.stores.contract import Key

#: Among what was seen of a scope: the messages that no session has.
OUTSIDE = "outside"

_NO_HEADERS: Mapping[str, str] = {}


class Before(NamedTuple):
    """What counts of the earlier part of a circle, for its sessions from a moment on.

    ``since`` is that moment, in microseconds since 1970 UTC; ``BEGINNING`` where nothing is before.
    ``former`` are the headers, by logical id, that threads had last before it; there are ``more``
    threads where it does not tell all. ``fixed`` are resources of locked sessions that follow.
    """

    since: int = BEGINNING
    former: Mapping[str, str] = _NO_HEADERS
    more: bool = False
    fixed: frozenset[Key] = frozenset()


#: Where nothing was before.
NOTHING_BEFORE = Before()


class Seen(NamedTuple):
    """A session as it was projected last, to see whether anything has changed.

    ``former`` and ``headers`` pair threads with the logical ids of headers. There is no
    ``session`` of what lies outside of any. Where it is not ``finished``, it ``ends`` at that time
    unless somebody writes or acts, in microseconds since 1970 UTC.
    """

    session: Session | None
    messages: tuple[Sent, ...]
    finished: bool
    former: tuple[tuple[str, str], ...]
    keys: frozenset[Key]
    headers: tuple[tuple[str, str], ...]
    ends: int
