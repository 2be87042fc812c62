"""What a dry run shows: the sessions that it would make, change and supersede, and the held."""

from __future__ import annotations

from dataclasses import dataclass

from threadwell.intake.explained import Why
from threadwell.messages import Address


@dataclass(frozen=True, slots=True)
class TriedSession:
    """One session as it would be. ``messages`` are those that would be written for it, new ones
    and ones that come from another session; ``ways`` are the channels, each with the service that a
    thread goes by there (``twilio:whatsapp``); ``to_review`` says that a question would be open.
    ``why`` tells by which of all its messages it would be about its patients; it is not asked of a
    session that would be superseded.
    """

    id: str
    status: str
    patients: tuple[str, ...]
    names: tuple[str, ...]
    topic: str
    channels: tuple[str, ...]
    ways: tuple[str, ...]
    start: str
    end: str
    messages: int
    to_review: bool
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class TriedHeld:
    """One message that would be held: why, in a code and in words, and whose it is.

    ``way`` is its channel, with the service within that (``twilio:whatsapp``).
    ``addresses`` are those that nobody has, or that several share; else from whom it goes to whom.
    """

    reason: str
    text: str
    channel: str
    way: str
    sent: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would come of it. Sessions are in the order of time.

    ``unchanged`` sessions would stay as they are, and of these ``billed`` because they were billed.
    """

    made: tuple[TriedSession, ...]
    changed: tuple[TriedSession, ...]
    superseded: tuple[TriedSession, ...]
    unchanged: int
    billed: int
    held: tuple[TriedHeld, ...]
