"""How it is told which messages of a circle are wordings of one, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.encounters.placed import Placed
from threadwell.messages.wordings import original_of


def identity_of(channel: str, external_id: str) -> str:
    """The identity of a message, as ``Sent.id`` holds it."""
    return f"{channel}|{external_id}"


def original_identity(identity: str) -> str:
    """The identity of the message of which that one is a wording, or the same."""
    channel, _, external_id = identity.partition("|")
    return identity_of(channel, original_of(external_id))


def original_of_placed(placed: Placed) -> str:
    """The identity of the message that it is a wording of."""
    return identity_of(placed.channel, original_of(placed.shared or placed.external_id))


def worded(placed: Placed) -> tuple[int, str]:
    """The order in which a message has had its wordings."""
    return placed.edited, placed.external_id


def is_wording(one: Placed, other: Placed, plain: Placed | None) -> bool:
    """Whether two that have one original are wordings of one; ``plain`` has the id of it."""
    if one.sender != other.sender or one.thread_id != other.thread_id:
        return False
    named = plain is one or plain is other
    return named or one.sent.at == other.sent.at or _at_edit(one) or _at_edit(other)


def _at_edit(placed: Placed) -> bool:
    """Whether its source tells no other time than that of the edit."""
    return placed.edited == placed.sent.at


def standing(wordings: Iterable[Placed]) -> Placed | None:
    """The one of the wordings of one message that counts; ``None`` where they are of several."""
    there = sorted(wordings, key=worded)
    if not there or len({(one.sender, one.thread_id) for one in there}) > 1:
        return None
    return next((one for one in reversed(there) if not one.retracted), there[-1])


def answered_identity(placed: Placed) -> str:
    """The identity of the message that ``placed`` answers; it has to answer one."""
    return identity_of(placed.channel, placed.answers)
