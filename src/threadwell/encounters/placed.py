"""A message in its place: as much of it as it takes to find sessions and project them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from threadwell.encounters.attribution import Reason
from threadwell.messages import Message
from threadwell.sessions import Sent


class Link(NamedTuple):
    """What a child Communication owes to its thread and session; the rest is its own.

    ``header`` and ``reply`` are logical ids (``reply`` ``""`` if it answers none that is here),
    ``subject``, ``sender`` and ``recipients`` references, ``""`` where nobody is known. ``reasons``
    tell why it is about whom it is about. ``said`` are the Tasks in which a person has said whose
    the addresses of sender and recipients are, ``""`` for the others; it is empty if all are.
    """

    header: str
    subject: str
    sender: str
    recipients: tuple[str, ...]
    reply: str
    reasons: tuple[Reason, ...] = ()
    said: tuple[str, ...] = ()


class Placed(msgspec.Struct):
    """A message that has a circle and a thread.

    ``child`` is its logical id. ``sender`` and ``recipients`` are keys of the circle's parties.
    ``about`` are the patients that it tells by itself to be about, or those of whom a person has
    said so; ``reasons`` tell why, where there are several to tell apart. Those whom the practice
    names in it are no more than what it ``suggests``. ``answers`` is the external id of the
    message that it answers. ``references`` and ``in_reply_to`` are as the message has them;
    ``by_references`` says that its thread follows from them. Several messages may have the
    external id ``shared``: each then has one of its own. One that was ``retracted`` keeps its
    place, and counts for nothing. ``link`` is what is stored; ``message`` is
    there until then, and ``version`` is the version of the child that was read. A ``quiet`` one
    neither needs an answer nor is one: a program has written it, or it only reacts to another.
    ``also`` are the ids under which others know what was written here. ``edited`` is when its
    sender gave it these words in the place of others, in microseconds since 1970 UTC, 0 where they
    are the first. It is ``undone`` with that reason where it is to be written as taken back, or is
    a wording that was because it repeats the one before. ``source`` is the account that has brought
    it, as ``Message`` has it.
    """

    sent: Sent
    child: str
    channel: str
    external_id: str
    thread_id: str
    sender: str
    recipients: tuple[str, ...]
    about: frozenset[str]
    medium: str
    topic: str
    answers: str = ""
    references: tuple[str, ...] = ()
    in_reply_to: str = ""
    by_references: bool = False
    retracted: bool = False
    reasons: tuple[Reason, ...] = ()
    suggests: frozenset[str] = frozenset()
    shared: str = ""
    link: Link | None = None
    message: Message | None = None
    version: str = ""
    quiet: bool = False
    also: tuple[str, ...] = ()
    edited: int = 0
    undone: str = ""
    source: str = ""
