"""Where sessions stand in the order of their last messages, and the cursors that lead there."""

from __future__ import annotations

import re
from typing import NamedTuple

from threadwell.inbox.turning import LAST

_CURSOR = re.compile(r"([ab])(-?\d{1,19})-([A-Za-z0-9.-]{0,64})", re.ASCII)


class Spot(NamedTuple):
    """Where a session stands: by its last message, in microseconds since 1970 UTC, then its id.

    One without an id is how far a walk has come, whether or not it has met a session on its way.
    """

    at: int
    id: str


def is_cursor(text: str) -> bool:
    """Whether a text is where a walk from the newest on goes on."""
    found = _CURSOR.fullmatch(text)
    return found is not None and found[1] == "a"


def read_spot(cursor: str) -> tuple[bool, Spot | None]:
    """Whether it goes back, and from where; 404 for what is no cursor."""
    if not cursor or cursor == LAST:
        return cursor == LAST, None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        from starlette.exceptions import HTTPException  # commands walk, too

        raise HTTPException(404)
    return found[1] == "b", Spot(int(found[2]), found[3])


def write_spot(way: str, spot: Spot) -> str:
    """The cursor that goes on (``a``) or back (``b``) from there."""
    return f"{way}{spot.at}-{spot.id}"
