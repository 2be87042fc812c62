"""A message gets its place in a circle: out of a ``Message``, or out of a stored Communication."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.attribution import (
    NAMED,
    SENDER,
    Reason,
    is_chosen,
    patients_of,
    reasons_of,
)
from threadwell.encounters.child import edited_at
from threadwell.encounters.child_ids import own_of, sent_as, source_of
from threadwell.encounters.identity import message_identity
from threadwell.encounters.mentions import Names
from threadwell.encounters.people import Party, addresses_of, said_of
from threadwell.encounters.placed import Link, Placed
from threadwell.encounters.retracted import REPEATED, RETRACTED, is_repeat
from threadwell.encounters.said import clean, named_ids, new_text_of, topic_of
from threadwell.encounters.times import microseconds, parse_fhir_time
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.fold import fold
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.quiet import is_quiet
from threadwell.intake.circles.worded import identity_of
from threadwell.intake.people.route import Route
from threadwell.intake.settings import Settings
from threadwell.messages import Message
from threadwell.messages.automatic import AUTOMATIC_REPLY
from threadwell.sessions import Sent
from threadwell.threads import thread_key

#: How mail programs mark the subject of a reply, or of what was forwarded.
_REPLY = re.compile(
    r"(?:re|aw|sv|vs|antw|wg|fwd?|tr|rv|res|enc|rif|odp|ynt|ilt|r|i|回复|答复|转发)(?:\[\d+\])?\s*[:：]",
    re.IGNORECASE,
)


class Keywords:
    """The words that open and close explicit sessions: what a message begins with."""

    def __init__(self, settings: Settings) -> None:
        self._opening = _beginning_with(settings.opening)
        self._closing = _beginning_with(settings.closing)

    def of(self, text: str) -> tuple[bool, bool]:
        """Whether a message with that text opens a session, and whether it closes one."""
        if self._opening is None and self._closing is None:
            return False, False
        words = _words(text)
        opens = self._opening is not None and self._opening.match(words) is not None
        closes = self._closing is not None and self._closing.match(words) is not None
        return opens, closes


class ThreadOf(NamedTuple):
    """The thread of a stored header, and whether it follows from what its messages name."""

    id: str
    by_references: bool


def child_id(message: Message) -> str:
    """The logical id of the child Communication of a message, if it alone has its external id."""
    return message_identity(message.channel, message.external_id).id


class _Whom(NamedTuple):
    """Whom a message is about, why, and whom the practice has named in it."""

    about: frozenset[str]
    reasons: tuple[Reason, ...] = ()
    suggests: frozenset[str] = frozenset()


class Heard(NamedTuple):
    """What tells apart the patients of a circle of several: their names, and the sender's own."""

    names: Names
    own: tuple[str, ...] = ()

    def named(self, topic: str, text: str, *, replies: bool) -> tuple[Reason, ...]:
        """The patients named in a message; the subject of a reply is somebody else's words."""
        said = text if replies or _REPLY.match(topic) else f"{topic}\n{text}"
        found = self.names.mentioned(said, self.own)
        return tuple(sorted(Reason(one.patient, NAMED, clean(one.words)) for one in found))

    def whom(
        self,
        topic: str,
        text: str,
        sender: Party,
        circle: Sequence[str],
        *,
        replies: bool,
        inbound: bool,
    ) -> _Whom:
        """Whom a message of the circle is about.

        Those whom it names; if it names none, the one for whom ``sender`` can only be writing. A
        patient who names others and tells of an illness of their own writes for themselves, too.
        """
        named = self.named(topic, text, replies=replies)
        if not inbound:
            return _Whom(frozenset(), (), patients_of(named))
        own = sorted(sender.circle.intersection(circle))
        only = own[0] if len(own) == 1 else ""
        if only and not named:
            named = (Reason(only, SENDER),)
        elif only in sender.patients and only not in patients_of(named):
            themselves = self.names.speaks_of_writer(text)
            named = tuple(sorted((*named, Reason(only, SENDER)))) if themselves else named
        return _Whom(patients_of(named), named)


# All messages of a circle of one patient are about the same.
@lru_cache(maxsize=4096)
def _everybody(patients: tuple[str, ...]) -> _Whom:
    return _Whom(frozenset(patients))


def place(
    message: Message, id_: str, at: int, way: Route, heard: Heard | None, keywords: Keywords
) -> Placed:
    """The place of a new message, whose child has that id, in the circle of its route.

    It was sent ``at`` that time, in microseconds since 1970 UTC. ``heard`` is there for a circle of
    several.
    """
    text = text_of(message)
    whom = _everybody(way.patients)
    if heard is not None:
        replies = bool(message.references or message.in_reply_to)
        whom = heard.whom(
            topic_of(message),
            text,
            way.parties[0],
            way.patients,
            replies=replies,
            inbound=way.inbound,
        )
    by_references = not message.thread_hint
    external_id = name_of(message.external_id, message.apart)
    return Placed(
        sent_of(message, at, way, external_id, keywords.of(text)),
        id_,
        message.channel,
        external_id,
        message.thread_hint or message.external_id,
        way.keys[0],
        way.keys[1:],
        whom.about,
        message.medium,
        topic_of(message),
        "" if by_references else message.in_reply_to,
        named_ids(message),
        message.in_reply_to,
        by_references,
        message.taken_back,
        reasons=whom.reasons,
        suggests=whom.suggests,
        shared=message.external_id if message.apart else "",
        message=message,
        quiet=is_quiet(text, message.notes, message.medium, files=bool(message.attachments)),
        edited=microseconds(message.edited) if message.edited else 0,
        source=message.source,
    )


def sent_of(message: Message, at: int, way: Route, name: str, said: tuple[bool, bool]) -> Sent:
    """What a session policy sees of a message, as long as no other one joins threads.

    It was sent ``at`` that time, in microseconds since 1970 UTC, is called ``name`` (``name_of``),
    and opens or closes a session as ``said`` (``Keywords.of``).
    """
    return Sent(
        at,
        identity_of(message.channel, name),
        thread_key(message.channel, message.thread_hint or message.external_id, way.circle),
        way.inbound,
        *said,
        AUTOMATIC_REPLY in message.notes,
    )


def text_of(message: Message) -> str:
    """The text by which a message is placed: what is new in it, where that is told."""
    return clean(message.new_text if message.new_text.strip() else message.text)


def place_again(
    stored: Resource,
    thread: ThreadOf,
    circle: Circle,
    heard: Heard | None,
    keywords: Keywords,
    keys: Sequence[str],
) -> Placed | None:
    """The place of a stored child under ``thread``; ``None`` if it is not one of Threadwell's.

    ``keys`` are those of the circle's parties, by the addresses of the child in their order.
    """
    own = own_of(stored)
    writer = stored.get("sender") or {}
    to = [(one, addresses_of(one)) for one in stored.get("recipient") or ()]
    from_ = len(addresses_of(writer))
    if own is None or own.old or not addresses_of(writer) or not all(some for _, some in to):
        return None
    if "sent" not in stored:
        return None
    channel, external_id = own.channel, name_of(own.external_id, own.apart)
    sender, recipients = keys[0], keys[from_:]
    new_text = new_text_of(stored)
    topic = (stored.get("topic") or {}).get("text", "")
    party = circle.parties[sender]
    inbound = not party.circle.isdisjoint(circle.patients)
    named = [i for i in _identifiers(stored) if i["system"].startswith(codes.REFERENCE)]
    kept = reasons_of(stored)
    whom = _everybody(circle.patients)
    if heard is not None:
        replied = bool(named)
        whom = heard.whom(topic, new_text, party, circle.patients, replies=replied, inbound=inbound)
    if is_chosen(kept):
        whom = _Whom(patients_of(kept), kept)
    opens, closes = keywords.of(new_text)
    tasks = (*said_of(writer)[:1], *(one for each, _ in to for one in said_of(each)))
    medium = ((stored.get("medium") or [{}])[0].get("coding") or [{}])[0].get("code", "")
    answered = (i["value"] for i in named if codes.has_role(i, codes.ANSWERED))
    in_reply_to = next(answered, "")
    notes = [one["text"] for one in stored.get("note") or () if one.keys() == {"text"}]
    reply = _id_of((stored.get("inResponseTo") or [{}])[0])
    return Placed(
        Sent(
            parse_fhir_time(stored["sent"]),
            identity_of(channel, external_id),
            thread_key(channel, thread.id, circle.key),
            inbound,
            opens,
            closes,
            AUTOMATIC_REPLY in notes,
        ),
        stored["id"],
        channel,
        external_id,
        thread.id,
        sender,
        tuple(recipients),
        whom.about,
        medium,
        topic,
        "" if thread.by_references else in_reply_to,
        tuple([i["value"] for i in named]),
        in_reply_to,
        thread.by_references,
        stored.get("status") == RETRACTED,
        whom.reasons,
        whom.suggests,
        own.external_id if own.apart else "",
        Link(
            _id_of(stored["partOf"][0]),
            (stored.get("subject") or {}).get("reference", ""),
            writer.get("reference", ""),
            tuple([one.get("reference", "") for one, some in to for _ in some]),
            reply,
            kept,
            tasks if any(tasks) else (),
        ),
        version=stored["meta"]["versionId"],
        quiet=is_quiet(
            new_text,
            notes,
            medium,
            files=any("contentAttachment" in one for one in stored.get("payload") or ()),
        ),
        also=tuple(sent_as(stored)),
        edited=edited_at(stored) if "extension" in stored else 0,
        source=source_of(stored, channel),
        undone=REPEATED if stored.get("status") == RETRACTED and is_repeat(stored) else "",
    )


def name_of(external_id: str, apart: str) -> str:
    """What threads and sessions call a message: its external id, if it alone has that."""
    return f"{external_id}~{apart}" if apart else external_id


def thread_of(header: Resource) -> ThreadOf | None:
    """The thread of a stored header; ``None`` if it is not one of Threadwell's."""
    for identifier in _identifiers(header):
        if identifier["system"].startswith(codes.THREAD):
            return ThreadOf(identifier["value"], codes.has_role(identifier, codes.ROOT))
    return None


def _identifiers(resource: Resource) -> Iterable[Mapping[str, Any]]:
    return [one for one in resource.get("identifier") or () if "system" in one and "value" in one]


def _id_of(reference: Mapping[str, Any]) -> str:
    return str(reference.get("reference", "")).partition("/")[2]


def _beginning_with(keywords: Iterable[str]) -> re.Pattern[str] | None:
    """Matches texts that begin with one of the keywords and do not go on within the word."""
    words = [re.escape(folded) for keyword in keywords if (folded := _words(keyword))]
    return re.compile(rf"(?:{'|'.join(words)})(?!\w)") if words else None


def _words(text: str) -> str:
    return " ".join(fold(text).split())
