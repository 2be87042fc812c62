"""A session becomes the resources that record it: the heart of the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

from threadwell.encounters import codes
from threadwell.encounters.encounter import Shape, Span, encounter, group
from threadwell.encounters.frame import Frame
from threadwell.encounters.header import HeaderPlace, header
from threadwell.encounters.identity import (
    Identity,
    group_identity,
    header_identity,
    medical_identity,
    opened_identity,
    review_identity,
    session_identity,
)
from threadwell.encounters.participants import Spoken
from threadwell.encounters.placed import Link, Placed
from threadwell.encounters.retracted import told
from threadwell.encounters.review import Asking, review
from threadwell.encounters.shares import is_open, opened_for, subjects
from threadwell.encounters.turned import Membership, Turned, is_closed, memberships
from threadwell.fhir.resource import Resource
from threadwell.sessions import Turn


@dataclass(slots=True)
class Projection:
    """What must be in the store for one session.

    ``resources`` are by (type, logical id) and carry no ``id`` and ``meta`` yet; ``links`` tell,
    by the messages' ids, what each child Communication owes to the session. ``headers`` are the
    logical ids of the headers, by thread.
    """

    resources: dict[tuple[str, str], Resource] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


_UNTURNED: Mapping[str, tuple[Turned, ...]] = MappingProxyType({})


class Drawn(msgspec.Struct, frozen=True):
    """A session that is to be projected.

    ``messages`` are in the order of time, at least one if it was not ``opened`` by an act. That is
    then the ``mark``, and ``chosen`` are the patients whom it was opened for. ``turns`` are what
    acts have made of its status, ``closes`` is when it is over. ``former`` has the logical id of
    the header before, for every thread that has one. ``replies`` has, for the messages that answer
    one that is here, the logical id of the answered child. ``turned`` is what people have done to
    its threads, in the order of time.
    """

    mark: str
    messages: Sequence[Placed]
    finished: bool
    former: Mapping[str, str]
    replies: Mapping[str, str]
    opened: bool = False
    chosen: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    closes: int = 0
    turned: Mapping[str, tuple[Turned, ...]] = _UNTURNED

    @property
    def told(self) -> Sequence[Placed]:
        """The messages that count; all of them where each was taken back."""
        return told(self.messages)

    @property
    def void(self) -> bool:
        """Whether there were messages, and each was taken back."""
        return bool(self.messages) and all(one.retracted for one in self.messages)


def session_of(drawn: Drawn, frame: Frame) -> Identity:
    """The identity of the session."""
    if drawn.opened:
        return opened_identity(frame.policy, drawn.mark)
    return session_identity(frame.policy, frame.scope, drawn.mark)


def project(drawn: Drawn, frame: Frame) -> Projection:
    """Session encounter, thread headers, medical encounters, Group and review Task of a session."""
    identity = session_of(drawn, frame)
    counted = drawn.told
    about = _About(counted, frame, drawn.chosen, review_identity(identity))
    whom = about.subjects
    subject = next(iter(whom), "")
    if len(whom) > 1:
        together = group_identity(identity)
        subject = f"Group/{together.id}"
    session_id = identity.id
    out = Projection()
    _link_threads(out, drawn, identity, about, subject, frame, session_id)
    links = out.links
    spoken = [
        Spoken(one.sent.at, (link := links[one.sent.id]).sender, link.recipients) for one in counted
    ]
    own = Shape(identity, codes.SESSION_TAG, subject, _clinical(drawn, frame))
    span = Span(drawn.finished, drawn.turns, drawn.closes, drawn.void)
    joined = _joined(drawn)
    out.resources["Encounter", session_id] = encounter(own, spoken, span, frame, joined)
    if len(whom) > 1:
        out.resources["Group", together.id] = group(together, whom, frame)
        for patient in whom:
            _add_medical(out, drawn, identity, patient, about, frame)
    if not subject or about.open:
        since = drawn.messages[0].sent.at if drawn.messages else drawn.turns[0].at
        suggested = frozenset[str]().union(*(one.suggests for one in counted))
        asked = Asking(session_id, since, suggested, bool(subject))
        out.resources["Task", about.task.id] = review(about.task, asked, frame)
    return out


def project_outside(drawn: Drawn, frame: Frame) -> Projection:
    """The header and children of messages that no session holds: no encounter at all."""
    out = Projection()
    identity = session_of(drawn, frame)
    about = _About(drawn.told, frame, (), review_identity(identity))
    subject = about.subjects[0] if len(about.subjects) == 1 else ""
    _link_threads(out, drawn, identity, about, subject, frame, "")
    return out


_NOBODY = frozenset[str]()


class _About:
    """Whom the messages of a session are about, each and all together.

    ``chosen`` are those whom it was opened for. ``task`` is the question about it; ``open`` are the
    messages of which nobody can tell, where others do and nobody has answered.
    """

    def __init__(
        self, messages: Sequence[Placed], frame: Frame, chosen: tuple[str, ...], task: Identity
    ) -> None:
        self.task = task
        self.subjects: tuple[str, ...] = frame.patients
        several = len(frame.patients) > 1
        self._chosen = frozenset(chosen) if several else _NOBODY
        self.open = _NOBODY
        if several or any(one.reasons for one in messages):
            self.subjects = subjects(map(self.of, messages)) if messages else chosen
        if not (several and self.subjects):
            return
        if _answers(f"Task/{task.id}", messages):
            return
        self.open = frozenset(
            one.sent.id
            for one in messages
            if is_open(one, frame.parties.get(one.sender), self.of(one))
        )

    def of(self, message: Placed) -> frozenset[str]:
        """Whom a message is about by itself, or by whom its session was opened for."""
        return opened_for(message.about, message.reasons, self._chosen)

    def subject(self, message: Placed, subject: str) -> str:
        """A message that is about one patient is so within a session about several, too."""
        if message.sent.id in self.open:
            return ""
        own = self.of(message)
        return next(iter(own)) if len(own) == 1 else subject


def _answers(task: str, messages: Sequence[Placed]) -> bool:
    """Whether a person has answered that Task, by which messages are about whom they are about."""
    return any(why.source == task for one in messages for why in one.reasons)


def _link_threads(
    out: Projection,
    drawn: Drawn,
    session: Identity,
    about: _About,
    subject: str,
    frame: Frame,
    encounter_id: str,
) -> None:
    threads: dict[str, list[Placed]] = {}
    for message in drawn.messages:
        threads.setdefault(message.sent.thread, []).append(message)
    voices = frame.voices(about.subjects)
    for thread, messages in threads.items():
        identity = header_identity(session, frame.scope, thread)
        header_id = out.headers[thread] = identity.id
        links: list[Link] = []
        # Most messages of a thread go one of two ways, and say nothing else: they share a link.
        shared: dict[tuple[str, tuple[str, ...], frozenset[str]], Link] = {}
        for one in messages:
            id_ = one.sent.id
            plain = not (one.reasons or id_ in drawn.replies or id_ in about.open)
            way = one.sender, one.recipients, one.about
            link = shared.get(way) if plain else None
            if link is None:
                link = Link(
                    header_id,
                    about.subject(one, subject),
                    *voices.of(one),
                    drawn.replies.get(id_, ""),
                    one.reasons,
                    voices.said(one),
                )
                if plain:
                    shared[way] = link
            links.append(link)
            out.links[id_] = link
        former = drawn.former.get(thread, "")
        acts = drawn.turned.get(thread, ())
        members = memberships(acts, messages) if acts else {}
        finished = drawn.finished or (bool(acts) and is_closed(acts, messages))
        place = HeaderPlace(identity, encounter_id, former, subject, finished, members)
        out.resources["Communication", header_id] = header(place, messages, links, frame)


def _add_medical(
    out: Projection,
    drawn: Drawn,
    session: Identity,
    patient: str,
    about: _About,
    frame: Frame,
) -> None:
    identity = medical_identity(session, patient)
    # What is about nobody in particular, such as a question back, belongs to every patient's care.
    spoken = [
        _as_family_of(patient, one, out.links, frame)
        for one in drawn.told
        if patient in about.of(one) or not about.of(one)
    ]
    shape = Shape(
        identity, codes.MEDICAL_TAG, patient, _clinical(drawn, frame), f"Encounter/{session.id}"
    )
    span = Span(drawn.finished, drawn.turns, drawn.closes, drawn.void)
    joined = [one for one in _joined(drawn) if not one.who.startswith("RelatedPerson/")]
    out.resources["Encounter", identity.id] = encounter(shape, spoken, span, frame, joined)


def _joined(drawn: Drawn) -> list[Membership]:
    """Who has joined or left the threads of a session; what of several threads counts first."""
    if not drawn.turned:
        return []
    threads: dict[str, list[Placed]] = {}
    for message in drawn.messages:
        threads.setdefault(message.sent.thread, []).append(message)
    out: dict[str, Membership] = {}
    for thread, messages in threads.items():
        for who, one in memberships(drawn.turned.get(thread, ()), messages).items():
            there = out.get(who)
            # Whoever was taken out of one thread may still take part in another one.
            if there is None or (there.until and not one.until):
                out[who] = one
    return list(out.values())


def _clinical(drawn: Drawn, frame: Frame) -> Mapping[str, Any]:
    return frame.clinical_type(dict.fromkeys(one.channel for one in drawn.messages))


def _as_family_of(patient: str, message: Placed, links: Mapping[str, Link], frame: Frame) -> Spoken:
    """The message with its family members as RelatedPersons of this patient, or left out."""
    link = links[message.sent.id]

    def voice(who: str, key: str) -> str:
        return frame.parties[key].voice_for(patient) if who.startswith("RelatedPerson/") else who

    return Spoken(
        message.sent.at,
        voice(link.sender, message.sender),
        tuple(map(voice, link.recipients, message.recipients)),
    )
