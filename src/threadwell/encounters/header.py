"""The thread header: the Communication without payload that a session's messages are part of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from threadwell.encounters import codes
from threadwell.encounters.encounter import identifiers
from threadwell.encounters.frame import Frame
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import actor, reference
from threadwell.encounters.placed import Link, Placed
from threadwell.encounters.retracted import told
from threadwell.encounters.times import fhir_time
from threadwell.encounters.turned import Membership, as_removed
from threadwell.fhir.resource import Resource

_NOBODY: Mapping[str, Membership] = MappingProxyType({})


class HeaderPlace(msgspec.Struct, frozen=True):
    """Where a header stands. ``encounter`` and ``former`` are logical ids, ``""`` if none.

    ``former`` is the header of the same rolling thread's session before. ``members`` have joined
    the thread, or left it.
    """

    identity: Identity
    encounter: str
    former: str
    subject: str
    finished: bool
    members: Mapping[str, Membership] = _NOBODY


def header(
    place: HeaderPlace, messages: Sequence[Placed], links: Sequence[Link], frame: Frame
) -> Resource:
    """The header of ``messages``, at least one, of one thread in one session, in time's order."""
    first = messages[0]
    counted = told(messages)
    opener = messages.index(counted[0])
    own = Identity(codes.THREAD + first.channel, first.thread_id).as_secondary()
    if first.by_references:
        own = {"extension": [codes.identifier_role(codes.ROOT)], **own}
    identity, circle = identifiers(place.identity, frame)
    out: Resource = {
        "resourceType": "Communication",
        "identifier": [identity, own, circle],
    }
    if place.former:
        out["inResponseTo"] = [reference(f"Communication/{place.former}")]
    out["status"] = "completed" if place.finished else "in-progress"
    if media := sorted({message.medium for message in counted if message.medium}):
        out["medium"] = [codes.medium(medium) for medium in media]
    if place.subject:
        out["subject"] = reference(place.subject)
    topics = (message.topic for message in counted if message.topic)
    out["topic"] = {"text": next(topics, "") or frame.label(first.channel)}
    if place.encounter:
        out["encounter"] = reference(f"Encounter/{place.encounter}")
    out["sent"] = fhir_time(counted[0].sent.at)
    actors = {who: _actor(who, key, frame) for who, key in _everybody(messages, links).items()}
    gone = {who for who, one in place.members.items() if one.until}
    to = [one for who, one in actors.items() if who not in gone]
    to += [
        reference(who)
        for who, one in sorted(place.members.items())
        if not one.until and who not in actors
    ]
    if to:
        out["recipient"] = to
    if left := [one for one in place.members.values() if one.until]:
        out["extension"] = as_removed(left)
    out["sender"] = actors[links[opener].sender or counted[0].sender]
    return out


def _everybody(messages: Sequence[Placed], links: Sequence[Link]) -> dict[str, str]:
    """Whoever sent or received, by reference (by address, where that is all there is)."""
    out: dict[str, str] = {}
    # Messages that go the same way share a link: what that says is looked at once.
    seen: set[int] = set()
    void = all(message.retracted for message in messages)
    for message, link in zip(messages, links, strict=True):
        if id(link) in seen or (message.retracted and not void):
            continue
        seen.add(id(link))
        out.setdefault(link.sender or message.sender, message.sender)
        for key, who in zip(message.recipients, link.recipients, strict=True):
            out.setdefault(who or key, key)
    return out


def _actor(who: str, key: str, frame: Frame) -> dict[str, Any]:
    # Names that came with an address differ from message to message; the header shows none.
    return (
        actor("", frame.parties[key].address._replace(display="")) if who == key else reference(who)
    )
