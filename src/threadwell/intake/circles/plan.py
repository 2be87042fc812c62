"""What has to change in a circle: policy over messages, projection over sessions. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from msgspec import structs

from threadwell.encounters.frame import Frame
from threadwell.encounters.placed import Link, Placed
from threadwell.encounters.project import Drawn, Projection, project, project_outside
from threadwell.encounters.shares import follow
from threadwell.encounters.turned import reopened
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.acting import acts_by_scope, sessions_in
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.rules import Rules
from threadwell.intake.circles.seen import OUTSIDE, Seen
from threadwell.intake.circles.threading import thread_by_references, turn_threads
from threadwell.intake.circles.todos import todos
from threadwell.intake.circles.worded import answered_identity
from threadwell.sessions import BEGINNING, NEVER, Act, Sent, Session, is_closed
from threadwell.stores.contract import Key


@dataclass(slots=True)
class Plan:
    """The changes of one circle.

    ``resources`` are to be written where they differ from what is stored; ``links`` have the
    messages whose child is new or points elsewhere now; ``withdrawn`` are no longer so. ``late``
    messages fall into a locked session: they were taken out of the circle again. ``todos`` are the
    Tasks of threads in which messages wait for an answer, or waited.
    """

    resources: dict[Key, Resource] = field(default_factory=dict)
    links: list[tuple[Placed, Link]] = field(default_factory=list)
    withdrawn: list[Key] = field(default_factory=list)
    late: list[Placed] = field(default_factory=list)
    todos: dict[Key, Resource] = field(default_factory=dict)


def plan(circle: Circle, rules: Rules) -> Plan:
    """The changes that bring the circle's resources up to its messages."""
    if not circle.threaded:
        thread_by_references(circle, rules)
    acting = acts_by_scope(circle, rules)
    for scope in {*acting, *circle.acting}:
        if acting.get(scope) != circle.acting.get(scope):
            circle.soil(scope, BEGINNING)
    circle.acting = acting
    if circle.turned:
        turn_threads(circle, rules)
    out = Plan()
    gone: set[Key] = set()
    kept: set[Key] = set()
    for scope in sorted(circle.dirty):
        before, now = _plan_scope(out, circle, scope, rules)
        gone.update(key for one in before for key in one.keys)
        kept.update(key for one in now for key in one.keys)
    # What was withdrawn once is not live, and what no plan has looked at stays as it is.
    possible = circle.live & (gone | circle.came.keys()) if circle.projected else circle.live
    out.withdrawn = sorted(possible - kept - circle.locked - circle.answered.keys())
    if rules.settings.tracking is not None or circle.todos:
        links = {placed.sent.id: link for placed, link in out.links}
        out.todos = todos(
            circle, circle.dirty, links, rules.settings.tracking, by_patient=rules.by_patient
        )
    circle.dirty.clear()
    circle.moved.clear()
    circle.projected = True
    return out


def _plan_scope(
    out: Plan, circle: Circle, scope: str, rules: Rules
) -> tuple[Iterable[Seen], Iterable[Seen]]:
    """Plan a scope; its sessions that were projected before from the horizon on, and those now."""
    acts = circle.acting.get(scope, ())
    messages, frozen = circle.in_order(scope)
    if frozen and (
        late := _late(_new(messages, circle.dirty[scope]), messages, frozen, acts, rules)
    ):
        out.late.extend(late)
        circle.remove(late, rules.by_patient)
        messages, frozen = circle.in_order(scope)
    since = _horizon(circle, scope, messages, acts, rules)
    circle.planned = min(circle.planned, max(since, circle.start.since))
    seen = circle.seen.setdefault(scope, {})
    ends = circle.ends.setdefault(scope, {})
    before = _taken_from(seen, since)
    for mark in before:
        ends.pop(mark, None)
    now: dict[str, Seen] = {}
    frame = Frame(
        circle.key,
        circle.patients,
        circle.parties,
        rules.settings.policy,
        scope,
        rules.provider,
        rules.settings.clinical,
        rules.settings.clinical_of,
        rules.settings.labels,
    )
    headers = _Chain(seen, frozen, since, circle.start.former)
    turned = circle.turning
    inside: set[str] = set()
    for session in sessions_in(circle, scope, acts, rules, since):
        former = headers.before(session)
        finished = rules.now >= session.closes or is_closed(session)
        was = before.get(session.mark)
        ids = [one.id for one in session.messages]
        inside.update(ids)
        if (
            was is not None
            and was.session is not None
            and was.session.turns == session.turns
            and was.messages == session.messages
            and (was.finished, was.former) == (finished, former)
            and circle.moved.isdisjoint(ids)
        ):
            now[session.mark] = was._replace(session=session, ends=session.closes)
            headers.after(was.headers)
            continue
        placed_here = [circle.messages[id_] for id_ in ids]
        if len(circle.patients) == 1:
            follow(placed_here)
        drawn = _drawn(circle, session.mark, placed_here, finished, former, session)
        drawn = structs.replace(drawn, turned=turned) if turned else drawn
        made = project(drawn, frame)
        now[session.mark] = _take(out, session.messages, drawn, made, session.closes, session)
        headers.after(now[session.mark].headers)
    there = before[OUTSIDE].messages if OUTSIDE in before else ()
    outside = [circle.messages[one.id] for one in there if one.at < since]
    tail = messages[bisect_left(messages, since, key=_at) :]
    outside += [placed for placed in tail if placed.sent.id not in inside]
    if outside:
        if len(circle.patients) == 1:
            follow(outside)
        again = max((reopened(acts) for acts in turned.values()), default=0)
        quiet = max(outside[-1].sent.at, again) + rules.settings.options.gap_us
        drawn = _drawn(circle, OUTSIDE, outside, rules.now >= quiet, ())
        drawn = structs.replace(drawn, turned=turned) if turned else drawn
        made = project_outside(drawn, frame)
        sents = tuple(placed.sent for placed in outside)
        now[OUTSIDE] = _take(out, sents, drawn, made, quiet)
    seen.update(now)
    ends.update((mark, one.ends) for mark, one in now.items() if not one.finished)
    if not seen:
        del circle.seen[scope]
    if not ends:
        del circle.ends[scope]
    return before.values(), now.values()


def _horizon(
    circle: Circle, scope: str, messages: Sequence[Placed], acts: tuple[Act, ...], rules: Rules
) -> int:
    """From which moment on the sessions of a scope have to be cut and projected anew.

    So have those that are over by now.
    """
    seen = circle.seen.get(scope)
    since = circle.dirty[scope]
    if not seen or acts or since == BEGINNING:
        return BEGINNING
    for mark, end in circle.ends.get(scope, {}).items():
        if end <= rules.now and seen[mark].session is not None:
            since = min(since, seen[mark].messages[0].at)
    if since == NEVER:
        return NEVER
    return rules.horizon(Sents(messages), acts, since)


def _taken_from(seen: dict[str, Seen], since: int) -> dict[str, Seen]:
    """What was seen of sessions from a moment on, and outside of any: taken out."""
    out: dict[str, Seen] = {}
    while seen:
        mark, one = seen.popitem()
        if mark != OUTSIDE and since != BEGINNING and one.messages[0].at < since:
            seen[mark] = one
            break
        out[mark] = one
    return out


def _order(placed: Placed) -> Sent:
    return placed.sent


def _at(placed: Placed) -> int:
    return placed.sent.at


def _new(messages: Sequence[Placed], since: int) -> list[Placed]:
    """The messages from a moment on that are recorded nowhere yet."""
    some = messages[bisect_left(messages, since, key=_at) :]
    return [placed for placed in some if placed.link is None]


def is_kept_out(circle: Circle, placed: Placed, rules: Rules) -> bool:
    """Whether a message that is not in the circle would change a locked session of it."""
    scope = circle.scope_of(placed, rules.by_patient)
    messages, frozen = circle.in_order(scope)
    coming = structs.replace(placed, link=None)
    acts = circle.acting.get(scope, ())
    new = [*(one for one in messages if one.link is None), coming]
    return bool(frozen) and bool(
        _late([coming], [coming], frozen, acts, rules)
        or _late(new, [*messages, coming], frozen, acts, rules)
    )


def _late(
    new: Sequence[Placed],
    messages: Sequence[Placed],
    frozen: Sequence[Placed],
    acts: tuple[Act, ...],
    rules: Rules,
) -> list[Placed]:
    """The ``new`` ones among the messages that would change a locked session."""
    if not new:
        return []
    coming = {placed.sent.id: placed for placed in new}
    fixed = {placed.sent.id for placed in frozen}
    every = sorted((*messages, *frozen), key=_order)
    since = rules.horizon(Sents(every), acts, min(map(_at, new)))
    some = every[bisect_left(every, since, key=_at) :]
    return [
        coming[sent.id]
        for session in rules.sessions([placed.sent for placed in some], acts)
        if any(sent.id in fixed for sent in session.messages)
        for sent in session.messages
        if sent.id in coming
    ]


def _drawn(
    circle: Circle,
    mark: str,
    messages: Sequence[Placed],
    finished: bool,
    former: tuple[tuple[str, str], ...],
    session: Session | None = None,
) -> Drawn:
    replies = {
        placed.sent.id: child
        for placed in messages
        if placed.answers
        and (answered := answered_identity(placed)) != placed.sent.id
        and (child := circle.child_of(answered))
        and child != placed.child
    }
    drawn = Drawn(mark, messages, finished, dict(former), replies)
    if session is None or not session.turns:
        return drawn
    return structs.replace(
        drawn,
        opened=session.opened,
        chosen=circle.acts[mark].chosen if session.opened else (),
        turns=session.turns,
        closes=session.closes,
    )


def _take(
    out: Plan,
    sents: tuple[Sent, ...],
    drawn: Drawn,
    made: Projection,
    ends: int,
    session: Session | None = None,
) -> Seen:
    keys = [Key(type_, id_) for type_, id_ in made.resources]
    out.resources.update(zip(keys, made.resources.values(), strict=True))
    links = made.links
    for placed in drawn.messages:
        link = links[placed.sent.id]
        if placed.link != link:
            out.links.append((placed, link))
    former, headers = tuple(drawn.former.items()), tuple(made.headers.items())
    return Seen(session, sents, drawn.finished, former, frozenset(keys), headers, ends)


class _Chain:
    """The header before, thread by thread, as sessions follow each other in time.

    ``seen`` are the sessions before the moment from which on there are new ones, and ``former``
    what threads had before all of them.
    """

    def __init__(
        self,
        seen: dict[str, Seen],
        frozen: Sequence[Placed],
        since: int,
        former: Mapping[str, str],
    ) -> None:
        self._seen = seen
        self._former = former
        self._last: dict[str, str] = {}
        self._frozen = frozen
        self._at = self._from = bisect_left(frozen, since, key=_at)

    def before(self, session: Session) -> tuple[tuple[str, str], ...]:
        """The thread and former header of each thread of the session that has one."""
        if not session.messages:
            return ()
        while self._at < len(self._frozen) and self._frozen[self._at].sent < session.messages[0]:
            passed = self._frozen[self._at]
            if passed.link is not None:
                self._last[passed.sent.thread] = passed.link.header
            self._at += 1
        threads = dict.fromkeys(sent.thread for sent in session.messages)
        return tuple((thread, last) for thread in threads if (last := self._of(thread)))

    def after(self, headers: Iterable[tuple[str, str]]) -> None:
        """Remember the headers of a session for the one that follows."""
        self._last.update(headers)

    def _of(self, thread: str) -> str:
        """The last header of a thread so far, ``""`` if it has none."""
        if thread not in self._last:
            self._last[thread] = self._earlier(thread)
        return self._last[thread]

    def _earlier(self, thread: str) -> str:
        """The last header that a thread had before the new sessions."""
        header, began = self._former.get(thread, ""), None
        for one in reversed(self._seen.values()):
            if found := next((id_ for name, id_ in one.headers if name == thread), ""):
                header, began = found, one.messages[0]
                break
        for at in range(self._from - 1, -1, -1):
            passed = self._frozen[at]
            if began is not None and passed.sent < began:
                break
            if passed.sent.thread == thread and passed.link is not None:
                return passed.link.header
        return header


class Sents(Sequence[Sent]):
    """Messages in the order of time, as a policy sees them: none is looked at before it is."""

    def __init__(self, messages: Sequence[Placed]) -> None:
        self._messages = messages

    @overload
    def __getitem__(self, at: int) -> Sent: ...

    @overload
    def __getitem__(self, at: slice) -> list[Sent]: ...

    def __getitem__(self, at: int | slice) -> Sent | list[Sent]:
        if isinstance(at, slice):
            return [one.sent for one in self._messages[at]]
        return self._messages[at].sent

    def __len__(self) -> int:
        return len(self._messages)
