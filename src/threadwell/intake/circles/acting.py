"""Which acts of people count for which messages of a circle. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from threadwell.encounters.acts import Done
from threadwell.encounters.identity import message_identity, session_identity
from threadwell.encounters.placed import Placed
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.rules import Rules
from threadwell.sessions import BEGINNING, Act, Kind, Session, bind
from threadwell.stores.contract import Key
from threadwell.threads import thread_key


def acts_by_scope(circle: Circle, rules: Rules) -> dict[str, tuple[Act, ...]]:
    """The acts by what a policy runs over, in the order of time.

    Where that is a thread, and nobody has written yet in a session that was opened for no thread,
    its acts are with the key of the circle.
    """
    if not circle.acts:
        return {}
    named = _Named(circle)
    acts = sorted(filter(None, map(named.act, circle.acts.values())))
    if any(one.kind is Kind.OPEN and not one.thread for one in acts):
        every = sorted(one.sent for one in circle.messages.values())
        bound = bind(rules.assign, every, acts, rules.settings.options)
        acts = [one._replace(thread=bound.get(one.id, one.thread)) for one in acts]
    if rules.by_patient:
        return {circle.key: tuple(acts)}
    threads = {one.id: one.thread for one in acts if one.kind is Kind.OPEN}
    out: dict[str, list[Act]] = {}
    for act in acts:
        if act.of in circle.messages:
            scope = circle.messages[act.of].sent.thread
        else:
            scope = threads.get(act.of or act.id, "")
        out.setdefault(scope or circle.key, []).append(act)
    return {scope: tuple(some) for scope, some in out.items()}


def sessions_in(
    circle: Circle, scope: str, acts: tuple[Act, ...], rules: Rules, since: int = BEGINNING
) -> list[Session]:
    """The sessions of a scope but for the locked ones; ``acts`` are those of the scope.

    They are those from a horizon on.
    """
    every, _ = circle.in_order(scope)
    messages = [one.sent for one in every[bisect_left(every, since, key=_at) :]]
    found = rules.sessions(messages, _not_locked(circle, scope, acts, rules))
    if not circle.locked:
        return found
    return [_beside_locked(one, circle, scope, rules.settings.policy) for one in found]


def unlocked_acts(circle: Circle, rules: Rules) -> set[str]:
    """The ids of the acts but for those on locked sessions, and those of which nothing is left."""
    every = acts_by_scope(circle, rules)
    return {
        act.id for scope, acts in every.items() for act in _not_locked(circle, scope, acts, rules)
    }


def _beside_locked(session: Session, circle: Circle, scope: str, policy: str) -> Session:
    """The session under a mark of its own, where a locked one has the identity that it would have.

    So it is where the days of another zone, or a policy that was in force before, meet again.
    """
    identity = session_identity(policy, scope, session.mark)
    if session.opened or Key("Encounter", identity.id) not in circle.locked:
        return session
    return session._replace(mark=f"{session.mark}|{session.messages[0].id}")


def _not_locked(circle: Circle, scope: str, acts: tuple[Act, ...], rules: Rules) -> tuple[Act, ...]:
    """The acts of a scope but for those on locked sessions, of which nothing changes."""
    frozen = circle.frozen.get(scope, ())
    if not frozen or not acts:
        return acts
    fixed = {placed.sent.id for placed in frozen}
    every = sorted(one.sent for one in (*circle.scopes.get(scope, ()), *frozen))
    spent = {
        id_
        for session in rules.sessions(every, acts)
        if any(sent.id in fixed for sent in session.messages)
        for id_ in session.acts
    }
    return tuple(one for one in acts if one.id not in spent)


def _at(placed: Placed) -> int:
    return placed.sent.at


class _Named:
    """What acts name, as it is among the messages of the circle now."""

    def __init__(self, circle: Circle) -> None:
        self._circle = circle
        self._children = {one.child: one for one in circle.messages.values()}
        shared: dict[str, list[Placed]] = {}
        for one in circle.messages.values():
            if one.shared:
                # It may have been recorded under an id that it does not have by itself.
                shared.setdefault(message_identity(one.channel, one.shared).id, []).append(one)
        self._shared: Mapping[str, list[Placed]] = shared

    def act(self, done: Done) -> Act | None:
        """The act as a policy sees it; ``None`` where what it was about is gone."""
        if done.kind is Kind.OPEN:
            return Act(done.at, done.id, done.kind, "", self._thread(done))
        if done.opening in self._circle.acts:
            return Act(done.at, done.id, done.kind, done.opening)
        found = self._message(done)
        return Act(done.at, done.id, done.kind, found.sent.id) if found else None

    def _message(self, done: Done) -> Placed | None:
        if found := self._children.get(done.message):
            return found
        before = [one for one in self._shared.get(done.message, ()) if one.sent.at <= done.at]
        return max(before, key=lambda one: one.sent, default=None)

    def _thread(self, done: Done) -> str:
        """The thread that it names; one of mails may have got an earlier first message since."""
        if not done.thread_id:
            return ""
        key = thread_key(done.channel, done.thread_id, self._circle.key)
        mine = (one for one in self._of(done.channel) if one.external_id == done.thread_id)
        return next((one.sent.thread for one in mine), key)

    def _of(self, channel: str) -> Iterable[Placed]:
        return (one for one in self._circle.messages.values() if one.channel == channel)
