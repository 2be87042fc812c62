"""What has to change in a circle: policy over messages, projection over sessions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from threadwell.encounters.frame import Frame
from threadwell.encounters.placed import Link, Placed
from threadwell.encounters.project import Drawn, Projection, project, project_outside
from threadwell.encounters.shares import follow
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.acting import acts_by_scope, sessions_in
from threadwell.intake.circles.circle import Circle, Seen, answered_identity
from threadwell.intake.circles.rules import Rules
from threadwell.sessions import Act, Sent, Session, is_closed
from threadwell.stores.contract import Key
from threadwell.threads import thread_key
from threadwell.threads.references import Mail, parents, thread_keys

_OUTSIDE = "outside"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Plan:
    """The changes of one circle.

    ``resources`` are to be written where they differ from what is stored; ``links`` have the
    messages whose child is new or points elsewhere now; ``withdrawn`` are no longer so. ``late``
    messages fall into a locked session: they were taken out of the circle again.
    """

    resources: dict[Key, Resource] = field(default_factory=dict)
    links: list[tuple[Placed, Link]] = field(default_factory=list)
    withdrawn: list[Key] = field(default_factory=list)
    late: list[Placed] = field(default_factory=list)


def plan(circle: Circle, rules: Rules) -> Plan:
    """The changes that bring the circle's resources up to its messages."""
    if not circle.threaded:
        _thread_by_references(circle, rules)
    acting = acts_by_scope(circle, rules)
    moved = {*acting, *circle.acting}
    circle.dirty |= {one for one in moved if acting.get(one) != circle.acting.get(one)}
    circle.acting = acting
    out = Plan()
    for scope in sorted(circle.dirty):
        _plan_scope(out, circle, scope, rules)
    wanted = {
        key for sessions in circle.seen.values() for one in sessions.values() for key in one.keys
    }
    out.withdrawn = sorted(circle.live - wanted - circle.locked - circle.answered.keys())
    circle.dirty.clear()
    circle.moved.clear()
    circle.projected = True
    return out


def _thread_by_references(circle: Circle, rules: Rules) -> None:
    by_channel: dict[str, list[Placed]] = {}
    for placed in circle.messages.values():
        if placed.by_references:
            by_channel.setdefault(placed.channel, []).append(placed)
    for channel, those in by_channel.items():
        mails = [_mail(placed) for placed in those]
        roots, answered = thread_keys(_with_shared(mails, those)), parents(mails)
        for placed, key, answers in zip(those, roots, answered, strict=True):
            thread = thread_key(channel, key.root, circle.key)
            if placed.sent.thread != thread:
                circle.rethread(placed, key.root, thread, rules.by_patient)
            if placed.answers != answers:
                circle.answer(placed, answers, rules.by_patient)
    circle.threaded = True


def _mail(placed: Placed) -> Mail[str]:
    sent = _EPOCH + timedelta(microseconds=placed.sent.at)
    return Mail(placed.external_id, placed.references, placed.in_reply_to, sent, "")


def _with_shared(mails: list[Mail[str]], those: Sequence[Placed]) -> list[Mail[str]]:
    """The mails, where those that have one id follow it as if it were a mail: so do answers."""
    return [
        mail._replace(references=(*mail.references, placed.shared)) if placed.shared else mail
        for mail, placed in zip(mails, those, strict=True)
    ]


def _plan_scope(out: Plan, circle: Circle, scope: str, rules: Rules) -> None:
    messages = sorted(circle.scopes.get(scope, ()), key=_order)
    frozen = sorted(circle.frozen.get(scope, ()), key=_order)
    acts = circle.acting.get(scope, ())
    if frozen and (late := _late(messages, frozen, acts, rules)):
        out.late.extend(late)
        circle.remove(late, rules.by_patient)
        messages = sorted(circle.scopes[scope], key=_order)
    before = circle.seen.get(scope, {})
    seen: dict[str, Seen] = {}
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
    headers = _Chain(frozen)
    inside: set[str] = set()
    for session in sessions_in(circle, scope, acts, rules):
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
            seen[session.mark] = was._replace(session=session, ends=session.closes)
            headers.after(was.headers)
            continue
        placed_here = [circle.messages[id_] for id_ in ids]
        if len(circle.patients) == 1:
            follow(placed_here)
        drawn = _drawn(circle, session.mark, placed_here, finished, former, session)
        made = project(drawn, frame)
        seen[session.mark] = _take(out, session.messages, drawn, made, session.closes, session)
        headers.after(seen[session.mark].headers)
    outside = [placed for placed in messages if placed.sent.id not in inside]
    if outside:
        if len(circle.patients) == 1:
            follow(outside)
        quiet = outside[-1].sent.at + rules.settings.options.gap_us
        drawn = _drawn(circle, _OUTSIDE, outside, rules.now >= quiet, ())
        made = project_outside(drawn, frame)
        sents = tuple(placed.sent for placed in outside)
        seen[_OUTSIDE] = _take(out, sents, drawn, made, quiet)
    if seen:
        circle.seen[scope] = seen
    else:
        circle.seen.pop(scope, None)


def _order(placed: Placed) -> Sent:
    return placed.sent


def is_kept_out(circle: Circle, placed: Placed, rules: Rules) -> bool:
    """Whether a message that is not in the circle would change a locked session of it."""
    scope = circle.scope_of(placed, rules.by_patient)
    frozen = circle.frozen.get(scope, ())
    coming = replace(placed, link=None)
    acts = circle.acting.get(scope, ())
    return bool(frozen) and bool(
        _late([coming], sorted(frozen, key=_order), acts, rules)
        or _late([*circle.scopes.get(scope, ()), coming], sorted(frozen, key=_order), acts, rules)
    )


def _late(
    messages: Sequence[Placed], frozen: Sequence[Placed], acts: tuple[Act, ...], rules: Rules
) -> list[Placed]:
    """The new messages that would change a locked session."""
    new = {placed.sent.id: placed for placed in messages if placed.link is None}
    if not new:
        return []
    fixed = {placed.sent.id for placed in frozen}
    every = sorted((*messages, *frozen), key=_order)
    return [
        new[sent.id]
        for session in rules.sessions([placed.sent for placed in every], acts)
        if any(sent.id in fixed for sent in session.messages)
        for sent in session.messages
        if sent.id in new
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
        placed.sent.id: circle.messages[answered].child
        for placed in messages
        if placed.answers
        and (answered := answered_identity(placed)) in circle.messages
        and answered != placed.sent.id
    }
    drawn = Drawn(mark, messages, finished, dict(former), replies)
    if session is None or not session.turns:
        return drawn
    return replace(
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
    for placed in drawn.messages:
        link = made.links[placed.sent.id]
        if placed.link != link:
            out.links.append((placed, link))
    headers = {placed.sent.thread: made.links[placed.sent.id].header for placed in drawn.messages}
    former = tuple(drawn.former.items())
    return Seen(
        session, sents, drawn.finished, former, frozenset(keys), tuple(headers.items()), ends
    )


class _Chain:
    """The header before, thread by thread, as sessions follow each other in time."""

    def __init__(self, frozen: Iterable[Placed]) -> None:
        self._last: dict[str, str] = {}
        self._frozen = [
            (placed.sent, placed.link.header) for placed in frozen if placed.link is not None
        ]
        self._at = 0

    def before(self, session: Session) -> tuple[tuple[str, str], ...]:
        """The thread and former header of each thread of the session that has one."""
        if not session.messages:
            return ()
        while self._at < len(self._frozen) and self._frozen[self._at][0] < session.messages[0]:
            sent, header = self._frozen[self._at]
            self._last[sent.thread] = header
            self._at += 1
        threads = dict.fromkeys(sent.thread for sent in session.messages)
        return tuple((thread, self._last[thread]) for thread in threads if thread in self._last)

    def after(self, headers: Iterable[tuple[str, str]]) -> None:
        """Remember the headers of a session for the one that follows."""
        self._last.update(headers)
