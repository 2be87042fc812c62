"""Whom a session is about, and each of its messages within it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from threadwell.encounters.attribution import SESSION, Reason


class Told(NamedTuple):
    """What a message tells by itself, or what a person has said of it."""

    thread: str
    about: frozenset[str]
    reasons: tuple[Reason, ...]


def shares(told: Sequence[Told], circle: tuple[str, ...]) -> list[frozenset[str]]:
    """The patients whom each message of a session is about, none where it does not tell.

    In the circle of one patient every message is about that one, unless a person has said
    otherwise: of the message itself, or of all that the session had of its thread then. What has
    joined that thread since goes where the rest went.
    """
    if len(circle) > 1:
        return [one.about for one in told]
    led = {one.thread for one in told if any(why.basis == SESSION for why in one.reasons)}
    return [frozenset() if not one.reasons and one.thread in led else one.about for one in told]


def subjects(shared: Iterable[frozenset[str]]) -> tuple[str, ...]:
    """The patients whom a session is about, in order, by the shares of its messages."""
    return tuple(sorted(frozenset[str]().union(*shared)))
