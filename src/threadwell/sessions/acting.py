"""What the acts of people make of the sessions of a policy.

Acts stand among the messages in the order of time, so that the same messages and acts give the
same sessions, whichever came first. docs/adr/0010-acts.md tells what a clinic may expect of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from threadwell.sessions.session import Act, Kind, Policy, PolicyOptions, Sent, Session, Turn

ARRIVED, OPEN, FINISHED = "arrived", "in-progress", "finished"


@runtime_checkable
class ActingPolicy(Protocol):
    """A policy that decides by itself what acts make of its sessions."""

    def __call__(self, messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
        """The sessions where nobody has acted."""
        ...

    def with_acts(
        self, messages: Sequence[Sent], acts: Sequence[Act], options: PolicyOptions
    ) -> list[Session]:
        """The sessions of messages and acts, both in the order of time."""
        ...


def assign(
    policy: Policy, messages: Sequence[Sent], acts: Sequence[Act], options: PolicyOptions
) -> list[Session]:
    """The sessions of messages and acts of one thread, or of all threads of a patient.

    Without acts they are the policy's own.
    """
    if not acts:
        return policy(messages, options)
    if isinstance(policy, ActingPolicy):
        return policy.with_acts(messages, sorted(acts), options)
    return _by_unit(policy, messages, sorted(acts), options)


def bind(
    policy: Policy, messages: Sequence[Sent], acts: Sequence[Act], options: PolicyOptions
) -> Mapping[str, str]:
    """The threads, by the ids of openings, of those that the next message finds open.

    ``messages`` are those of all threads in the order of time. An opening without a thread waits
    for the first message; where that comes too late to join it, it stays by itself.
    """
    found: dict[str, str] = {}
    for act in acts:
        if act.kind is not Kind.OPEN or act.thread:
            continue
        first = next((one for one in messages if one.at >= act.at), None)
        if first is None:
            continue
        mine = [act._replace(thread=first.thread), *(one for one in acts if one.of == act.id)]
        sessions = assign(policy, [first], mine, options)
        if any(one.mark == act.id and one.messages for one in sessions):
            found[act.id] = first.thread
    return found


def is_closed(session: Session) -> bool:
    """Whether an act has ended it, however a sender's clock may have been ahead of ours."""
    return bool(session.turns) and session.turns[-1].status == FINISHED


def order(entry: Sent | Act) -> tuple[int, int, str]:
    """The place of a message or an act: who opens comes before a message of that instant."""
    rank = 1 if isinstance(entry, Sent) else 0 if entry.kind is Kind.OPEN else 2
    return entry.at, rank, entry.id


def in_order(sessions: Iterable[Session]) -> list[Session]:
    """The sessions in the order of their first messages; those without, of their opening."""
    return sorted(sessions, key=lambda one: one.messages[0].at if one.messages else one.turns[0].at)


@dataclass(slots=True)
class Stages:
    """The states that a session goes through."""

    turns: list[Turn] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it has begun, and has not ended since."""
        return bool(self.turns) and self.turns[-1].status != FINISHED

    def turn(self, at: int, status: str) -> None:
        """From then on it has that status; an instant has the last one of it."""
        if self.turns and self.turns[-1].status == status:
            return
        self.turns.append(Turn(at, status))

    def told(self) -> tuple[Turn, ...]:
        """What a session tells of it: nothing, where nobody has acted."""
        return tuple(self.turns) if self.acts else ()


def _by_unit(
    policy: Policy, messages: Sequence[Sent], acts: Sequence[Act], options: PolicyOptions
) -> list[Session]:
    """Where days, threads or the like are what makes a session, each stays one session.

    An opening is put before the policy as if it were a message. What is written in a unit after
    its session was closed opens that again.
    """
    openings = {one.id: one for one in acts if one.kind is Kind.OPEN}
    entries: list[Sent | Act] = sorted((*messages, *openings.values()), key=order)
    as_sent = [_as_message(one) if isinstance(one, Act) else one for one in entries]
    of: dict[str, list[Act]] = {}
    for act in acts:
        if act.id not in openings:
            of.setdefault(act.of, []).append(act)
    return in_order(_acted(one, openings, of, options) for one in policy(as_sent, options))


def _as_message(act: Act) -> Sent:
    return Sent(act.at, act.id, act.thread, inbound=True, opens=True)


def _acted(
    session: Session,
    openings: Mapping[str, Act],
    of: Mapping[str, Sequence[Act]],
    options: PolicyOptions,
) -> Session:
    ids = [one.id for one in session.messages]
    closing = [act for id_ in ids for act in of.get(id_, ())]
    if not closing and openings.keys().isdisjoint(ids):
        return session
    entries = sorted(
        (*(openings.get(one.id, one) for one in session.messages), *closing), key=order
    )
    stages = Stages()
    end = session.closes
    written = False
    for entry in entries:
        if isinstance(entry, Sent):
            stages.turn(entry.at, OPEN)
            written = True
            continue
        stages.acts.append(entry.id)
        if stages.is_open and entry.at >= end:
            stages.turn(end, FINISHED)
        if entry.kind is Kind.CLOSE:
            stages.turn(entry.at, FINISHED)
        elif not stages.is_open:
            stages.turn(entry.at, OPEN if written else ARRIVED)
            if len(stages.turns) > 1:
                end = max(end, entry.at + options.gap_us)
    return Session(
        entries[0].id if ids[0] in openings else session.mark,
        tuple(one for one in session.messages if one.id not in openings),
        end if stages.is_open else stages.turns[-1].at,
        ids[0] in openings,
        stages.told(),
        tuple(stages.acts),
    )
