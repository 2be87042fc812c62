"""All that is known of one circle: its messages in their threads, and what is stored of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from threadwell.encounters.acts import Done
from threadwell.encounters.attribution import chosen, is_chosen
from threadwell.encounters.corrected import Correction
from threadwell.encounters.people import Party
from threadwell.encounters.placed import Link, Placed
from threadwell.encounters.turned import Turned
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.details import Details
from threadwell.intake.circles.inherited import Inherited
from threadwell.intake.circles.seen import NOTHING_BEFORE, Before, Seen
from threadwell.intake.circles.worded import (
    answered_identity,
    is_wording,
    original_identity,
    original_of_placed,
    standing,
    worded,
)
from threadwell.sessions import BEGINNING, NEVER, Act, Sent
from threadwell.stores.contract import Key, Stored


@dataclass(slots=True)
class Circle:
    """A circle that a run works on.

    ``stored`` are its headers, Encounters, Groups and review Tasks, live or not; ``live`` names
    those that count. ``messages`` are by identity, and ``scopes`` the same ones by what a policy
    runs over, not in order; ``dirty`` scopes have to be projected anew. ``locked`` are keys that
    must not change, ``frozen`` the messages of locked sessions by scope. ``answered`` are the
    review Tasks whose answer was put on the messages since, with its patients; ``dismissed`` those
    that somebody has closed without an answer, by the Encounter they are about. ``waiting`` has
    the messages that answer one that is not here yet, by the identity of that one. ``corrections``
    are what people have said of messages that was not written yet. It is ``resettled`` where
    messages have come or gone, as somebody else writes at a shared address. ``acts`` are what
    people have done to its sessions, by the logical ids of the Tasks of that, ``turned``
    what they have done to its threads, and ``tasks`` those of both that are not written yet;
    ``details`` is what a person has said of the care of a patient
    within a session, by both; it is ``merged`` where patients have been, and then ``inherits`` what
    others had added to the sessions of another circle; ``acting`` are the acts by scope as they
    counted last, and ``turning`` what was done to threads, by thread. ``came`` has what is stored
    as another circle's and is of this one from now on, as it is here. ``todos`` are the Tasks of
    threads in which messages wait for an answer, or waited, with the keys of the threads; ``left``
    those of another circle that was merged with it. ``gone`` is what was recorded of messages that
    were given up since. It is ``projected`` where ``seen`` has its
    sessions, by scope and mark in time's order; ``ends`` tells when those are over that are not
    yet. ``start`` is from when on it was loaded, with what counts of what was before; ``earlier``
    are logical ids of messages from before, by their identities, which others answer. It might be
    loaded from ``before.since`` on, and was ``planned`` from that moment on since that was found;
    where none was found, nobody looks for one until it has ``untold`` messages.
    """

    key: str
    patients: tuple[str, ...]
    parties: dict[str, Party] = field(default_factory=dict)
    messages: dict[str, Placed] = field(default_factory=dict)
    scopes: dict[str, list[Placed]] = field(default_factory=dict)
    disordered: set[str] = field(default_factory=set)
    dirty: dict[str, int] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    threaded: bool = True
    stored: dict[Key, Stored] = field(default_factory=dict)
    live: set[Key] = field(default_factory=set)
    locked: set[Key] = field(default_factory=set)
    frozen: dict[str, list[Placed]] = field(default_factory=dict)
    answered: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    dismissed: dict[Key, Key] = field(default_factory=dict)
    waiting: dict[str, list[Placed]] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)
    resettled: bool = False
    details: dict[tuple[str, str], Details] = field(default_factory=dict)
    acts: dict[str, Done] = field(default_factory=dict)
    tasks: dict[str, Resource] = field(default_factory=dict)
    turned: dict[str, Turned] = field(default_factory=dict)
    merged: bool = False
    inherits: list[Inherited] = field(default_factory=list)
    came: dict[Key, Resource] = field(default_factory=dict)
    acting: dict[str, tuple[Act, ...]] = field(default_factory=dict)
    turning: dict[str, tuple[Turned, ...]] = field(default_factory=dict)
    seen: dict[str, dict[str, Seen]] = field(default_factory=dict)
    ends: dict[str, dict[str, int]] = field(default_factory=dict)
    todos: dict[Key, str] = field(default_factory=dict)
    left: list[Resource] = field(default_factory=list)
    gone: list[Link] = field(default_factory=list)
    projected: bool = False
    start: Before = NOTHING_BEFORE
    earlier: dict[str, str] = field(default_factory=dict)
    before: Before = NOTHING_BEFORE
    planned: int = BEGINNING
    untold: int = 0
    _by_channel: dict[str, list[Placed]] = field(default_factory=dict)
    _is_by_channel: bool = False
    #: The channels and sources of all that has been here since it is by channel.
    _came: set[tuple[str, str]] = field(default_factory=set)
    _worded: dict[str, list[Placed]] = field(default_factory=dict)
    _named: dict[str, list[Placed]] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of its messages are at hand."""
        return self.start.since == BEGINNING

    def scope_of(self, placed: Placed, by_patient: bool) -> str:
        """What a policy runs over for this message: its thread, or the whole circle."""
        return self.key if by_patient else placed.sent.thread

    def child_of(self, identity: str) -> str:
        """The logical id of the message of that identity, ``""`` where it is not here."""
        placed = (
            self.messages.get(identity) or self.earlier.get(identity) or self._worded_so(identity)
        )
        return placed if isinstance(placed, str) else placed.child

    def next_end(self) -> int | None:
        """When the first of its sessions is over that is not yet, in microseconds since 1970 UTC.

        ``None`` where there is none, or only an act ends it. It has to be projected.
        """
        ends = (end for sessions in self.ends.values() for end in sessions.values())
        return min((end for end in ends if end < NEVER), default=None)

    def let_time_pass(self) -> None:
        """Project anew whatever has a session that was not over."""
        for scope in self.ends:
            self.soil(scope, NEVER)

    def soil(self, scope: str, at: int) -> None:
        """Have a scope projected anew from that moment on, and whatever of it is over by now."""
        self.dirty[scope] = min(at, self.dirty.get(scope, at))

    def in_order(self, scope: str) -> tuple[list[Placed], list[Placed]]:
        """The messages of a scope in the order of time, and those of its locked sessions."""
        both = self.scopes.get(scope, []), self.frozen.get(scope, [])
        if scope in self.disordered:
            for messages in both:
                messages.sort(key=_sent)
            self.disordered.discard(scope)
        return both

    def of_others(self, channel: str, source: str, at: int, within: int) -> Iterator[Placed]:
        """The messages that came another way, sent so shortly before or after a moment.

        Another way is another channel, or another source of that one.
        """
        # Nearly every circle has one way, which all of its messages have come.
        if not self.has_others(channel, source):
            return
        for other, those in self._channels().items():
            for one in _between(those, at - within, at + within):
                if other != channel or one.source != source:
                    yield one

    def has_others(self, channel: str, source: str) -> bool:
        """Whether any message came another way than that."""
        if not self._is_by_channel:
            self._channels()
        came = self._came
        return len(came) > 1 or (len(came) == 1 and (channel, source) not in came)

    def of_channel(self, channel: str, first: int, last: int) -> Sequence[Placed]:
        """The messages of a channel that were sent from one moment to another."""
        return _between(self._channels().get(channel, ()), first, last)

    @property
    def is_reworded(self) -> bool:
        """Whether any message may have been worded anew, or taken back."""
        return bool(self._worded)

    def wordings_of(self, placed: Placed) -> list[Placed]:
        """All wordings of a message that are here, the first one before later ones.

        There is only that one where its sender has neither worded it anew nor deleted it. Wordings
        have one sender and thread; and one time, where the source of each tells that and none has
        the id of the message itself.
        """
        if not self._worded:
            return [placed]
        identity = original_of_placed(placed)
        there = self._worded.get(identity)
        if not there:
            return [placed]
        plain = self.messages.get(identity)
        found = {one.child: one for one in (*there, *([plain] if plain else ()))}
        for time in {one.sent.at for one in there}:
            for one in _between(self._channels().get(placed.channel, ()), time, time):
                if original_of_placed(one) == identity:
                    found[one.child] = one
        return sorted((one for one in found.values() if is_wording(one, placed, plain)), key=worded)

    def reworded(self) -> Iterator[list[Placed]]:
        """Each message of which there are several wordings, as those."""
        for there in self._worded.values():
            if there:
                yield self.wordings_of(there[0])

    def add(self, placed: Placed, by_patient: bool) -> None:
        """Take in a message that is not here yet."""
        identity = placed.sent.id
        self._have(placed)
        frozen = placed.link is not None and Key("Communication", placed.link.header) in self.locked
        scope = self.scope_of(placed, by_patient)
        self._put(self.frozen if frozen else self.scopes, scope, placed)
        self.soil(scope, placed.sent.at)
        if placed.by_references:
            self.threaded = False
        if placed.answers:
            self.waiting.setdefault(answered_identity(placed), []).append(placed)
        for answer in self.waiting.get(identity, ()):
            self._touch(answer, by_patient)

    def answer_question(
        self, task: Key, headers: Collection[str], patients: tuple[str, ...]
    ) -> None:
        """Let the answer to a Task count for the messages of those headers that name nobody."""
        reasons = chosen(patients, f"{task.type}/{task.id}")
        for placed in self.messages.values():
            here = placed.link is not None and placed.link.header in headers
            if here and (is_chosen(placed.reasons) or not placed.about):
                placed.reasons, placed.about = reasons, frozenset(patients)
        self.answered[task] = patients

    def correct(
        self, messages: Sequence[Placed], patients: Collection[str], how: Correction, basis: str
    ) -> None:
        """Let count what a person has said: whom messages are about, whatever they name."""
        reasons = chosen(patients, f"Provenance/{how.id}", basis)
        for placed in messages:
            placed.reasons, placed.about = reasons, frozenset(patients)
            self.moved.add(placed.sent.id)
        self.corrections.append(how)

    def act(self, done: Done, task: Resource) -> None:
        """Let count what a person has done to a session, and have its Task written."""
        self.acts[done.id] = done
        self.tasks[done.id] = task

    def turn(self, turned: Turned, task: Resource) -> None:
        """Let count what a person has done to a thread, and have its Task written."""
        self.turned[turned.id] = turned
        self.tasks[turned.id] = task

    def rethread(self, placed: Placed, thread_id: str, thread: str, by_patient: bool) -> None:
        """Put a message into another thread."""
        old = self.scope_of(placed, by_patient)
        placed.sent = placed.sent._replace(thread=thread)
        placed.thread_id = thread_id
        new = self.scope_of(placed, by_patient)
        for scopes in (self.scopes, self.frozen):
            if old != new and any(one is placed for one in scopes.get(old, ())):
                scopes[old] = [one for one in scopes[old] if one is not placed]
                self._put(scopes, new, placed)
        self.soil(old, placed.sent.at)
        self.soil(new, placed.sent.at)

    def answer(self, placed: Placed, answers: str, by_patient: bool) -> None:
        """Note that a message answers another one than it seemed to."""
        if placed.answers:
            self.waiting[answered_identity(placed)].remove(placed)
        placed.answers = answers
        if answers:
            self.waiting.setdefault(answered_identity(placed), []).append(placed)
        self._touch(placed, by_patient)

    def let_go(self, placed: Placed, by_patient: bool) -> None:
        """Give up a message that is recorded elsewhere, or otherwise, from now on."""
        scope = self.scope_of(placed, by_patient)
        self._have_not(placed)
        if placed.link is not None:
            self.gone.append(placed.link)
        for scopes in (self.scopes, self.frozen):
            if scope in scopes:
                scopes[scope] = [other for other in scopes[scope] if other is not placed]
        self.soil(scope, placed.sent.at)
        if placed.by_references:
            self.threaded = False
        if placed.answers:
            self.waiting[answered_identity(placed)].remove(placed)
        for answer in self.waiting.get(placed.sent.id, ()):
            self._touch(answer, by_patient)

    def take_back(self, placed: Placed, by_patient: bool) -> None:
        """Take in a message that is stored already, and is to be recorded anew."""
        self.add(placed, by_patient)
        self.moved.add(placed.sent.id)
        self.link_wordings(self.wordings_of(placed), by_patient)

    def link_wordings(self, wordings: Sequence[Placed], by_patient: bool) -> None:
        """Let each of those wordings of a message answer the one before."""
        for before, after in pairwise(wordings):
            if after.edited and after.answers != before.external_id and not after.by_references:
                self.answer(after, before.external_id, by_patient)

    def remove(self, placed: Iterable[Placed], by_patient: bool) -> None:
        """Give back messages that cannot be taken in after all."""
        for one in placed:
            self._have_not(one)
            scope = self.scope_of(one, by_patient)
            self.scopes[scope] = [other for other in self.scopes[scope] if other is not one]
            if one.answers:
                self.waiting[answered_identity(one)].remove(one)

    def _channels(self) -> dict[str, list[Placed]]:
        """The messages by their channel, in the order of time."""
        if not self._is_by_channel:
            for one in self.messages.values():
                self._by_channel.setdefault(one.channel, []).append(one)
                self._came.add((one.channel, one.source))
            # They stay in that order: each that comes later is put in its place.
            for those in self._by_channel.values():
                those.sort(key=_at)
            self._is_by_channel = True
        return self._by_channel

    def _worded_so(self, identity: str) -> Placed | str:
        """The wording that counts of a message that is here, for one that is none; or ``""``."""
        original = original_identity(identity)
        if original == identity:
            return ""
        if self._named is None:
            self._named = {}
            for one in self.messages.values():
                self._named.setdefault(original_of_placed(one), []).append(one)
        return standing(self._named.get(original, ())) or ""

    def _have(self, placed: Placed) -> None:
        self.messages[placed.sent.id] = placed
        if placed.edited or placed.retracted:
            self._worded.setdefault(original_of_placed(placed), []).append(placed)
        if self._named is not None:
            self._named.setdefault(original_of_placed(placed), []).append(placed)
        if self._is_by_channel:
            self._came.add((placed.channel, placed.source))
            those = self._by_channel.setdefault(placed.channel, [])
            if those and placed.sent.at < those[-1].sent.at:
                insort(those, placed, key=_at)
            else:
                those.append(placed)

    def _have_not(self, placed: Placed) -> None:
        del self.messages[placed.sent.id]
        original = original_of_placed(placed) if self._worded or self._named else ""
        if (there := self._worded.get(original)) is not None:
            there[:] = [one for one in there if one is not placed]
        if self._named is not None:
            named = self._named[original]
            named[:] = [one for one in named if one is not placed]
        if self._is_by_channel:
            those = self._by_channel[placed.channel]
            at = bisect_left(those, placed.sent.at, key=_at)
            while those[at] is not placed:
                at += 1
            del those[at]

    def _put(self, scopes: dict[str, list[Placed]], scope: str, placed: Placed) -> None:
        there = scopes.setdefault(scope, [])
        if there and placed.sent < there[-1].sent:
            self.disordered.add(scope)
        there.append(placed)

    def _touch(self, placed: Placed, by_patient: bool) -> None:
        self.soil(self.scope_of(placed, by_patient), placed.sent.at)
        self.moved.add(placed.sent.id)


def _sent(placed: Placed) -> Sent:
    return placed.sent


def _at(placed: Placed) -> int:
    return placed.sent.at


def _between(those: Sequence[Placed], first: int, last: int) -> Sequence[Placed]:
    """Those of messages in the order of time that were sent from one moment to another."""
    begin = bisect_left(those, first, key=_at)
    return those[begin : bisect_right(those, last, lo=begin, key=_at)]
