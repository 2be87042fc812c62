"""Whom a session is about, and what has joined it since a person has said so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threadwell.encounters.attribution import CHOSEN, Reason, is_chosen, patients_of
from threadwell.encounters.people import Party
from threadwell.encounters.placed import Placed


def subjects(about: Iterable[frozenset[str]]) -> tuple[str, ...]:
    """The patients whom a session is about, in order, by those of its messages."""
    return tuple(sorted(frozenset[str]().union(*about)))


def opened_for(
    about: frozenset[str], reasons: Iterable[Reason], chosen: frozenset[str]
) -> frozenset[str]:
    """Whom a message is about; ``chosen`` are those whom its session was opened for.

    What tells nothing by itself is about them, unless a person has said that it is about nobody.
    """
    return about if about or not chosen or is_chosen(reasons) else chosen


def is_open(message: Placed, sender: Party | None, about: frozenset[str]) -> bool:
    """Whether nobody can tell whom a message is about, though others of its session tell.

    Several people use the phone that it came from, and it names nobody: what one of them wrote says
    nothing of what the other one did.
    """
    joint = sender is not None and sender.joint and message.sent.inbound
    return joint and not about and not is_chosen(message.reasons)


def follow(messages: Sequence[Placed]) -> None:
    """Let the new messages of a session, in the order of time, go where their thread has gone.

    That is for the circle of one patient. Where a person has said of all that the session had of a
    thread whom it is about, a message that joins it takes that over from the one before it, or
    else from the one after. What was said of single messages is not passed on.
    """
    if not any(one.reasons for one in messages):
        return
    new = {one.sent.id for one in messages if one.link is None and not one.reasons}
    for way in (messages, messages[::-1]):
        led: dict[str, tuple[Reason, ...]] = {}
        for one in way:
            thread = one.sent.thread
            if one.sent.id in new:
                if thread not in led:
                    continue
                new.discard(one.sent.id)
                if reasons := led[thread]:
                    one.reasons, one.about = reasons, patients_of(reasons)
            if all(why.basis != CHOSEN for why in one.reasons):
                led[thread] = one.reasons
