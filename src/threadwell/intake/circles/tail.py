"""The tail of a long circle: from when on its sessions may still differ, and what was before.

A circle of years is not read again for each message. With whatever is written of a long one goes
what leads to its last sessions: their resources, the moment from which on there are no others, and
the little of the earlier part that they go on from. It holds as long as nobody has changed the
circle since, by its marker, and as long as it would be written by the same rules and of the same
people. Pure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec

from threadwell.encounters.people import Party
from threadwell.encounters.placed import Placed
from threadwell.encounters.replacing import in_their_places, taken_back
from threadwell.encounters.todo import last_episode
from threadwell.fhir.json import decode
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.plan import Sents
from threadwell.intake.circles.rules import Rules
from threadwell.intake.circles.seen import OUTSIDE, Before, Seen
from threadwell.intake.links import as_key, target
from threadwell.intake.people.route import address_key
from threadwell.intake.settings import Settings
from threadwell.sessions import BEGINNING, NEVER, Sent
from threadwell.stores.contract import Key

#: To be raised when another release writes sessions otherwise: then all of a circle counts again.
_SHAPE = 1
#: Messages of a circle that is short: it is read whole.
SHORT = 200
#: Sessions and messages of a tail at least, and messages at most before another one is chosen.
FEW, SOME, MANY = 3, 24, 96
#: Addresses and threads of which a tail tells at most.
_ADDRESSES, _THREADS = 64, 48
#: Beginnings of sessions that are tried for one at which nothing reaches over.
_TRIES = 24


class Tail(msgspec.Struct, frozen=True, array_like=True):
    """As the store keeps it.

    ``mark`` is the circle's marker of then, ``basis`` a digest of the rules. From ``since``
    (microseconds since 1970 UTC) on there are the ``resources`` (``Type/id``) and no others.
    ``former`` are the headers, by logical id, that threads had last before; there are ``more``
    threads where it does not tell all. ``people`` are behind the addresses of the whole circle.
    """

    mark: str
    basis: str
    since: int
    resources: list[str]
    former: dict[str, str]
    more: bool
    people: list[Party]


def basis_of(how: Settings, practice: str, names: str) -> str:
    """What the sessions of a circle depend on beside its messages, and who has which address.

    ``names`` are what its patients are called, where that counts.
    """
    zone = how.options.zone
    parts = (
        *(_SHAPE, how.policy, how.scope, how.options, zone.key, how.opening, how.closing),
        *(how.clinical, how.clinical_of, how.labels, how.country, how.owner, how.tracking),
        *(practice, names),
    )
    return sha256(repr(parts).encode()).hexdigest()[:32]


def tail_of(circle: Circle, rules: Rules, mark: str) -> Tail | None:
    """The tail of a circle that was just planned; ``None`` where it has none, or is short.

    Its ``basis`` is not told yet.
    """
    if not _may_have(circle):
        return None
    before: Before | None = circle.before
    if circle.planned < circle.before.since or circle.before.since == BEGINNING:
        before = _chosen(circle, rules)
    elif _is_long(list(_since(circle, circle.before.since))):
        # It still holds where no other one is found.
        before = _chosen(circle, rules) or circle.before
    if before is None:
        circle.before = Before()
        return None
    circle.before, circle.planned = before, before.since
    sessions = list(_since(circle, before.since))
    people = _people(circle)
    if people is None or not _are_told(circle, before, rules):
        return None
    keys = {key for one in sessions for key in one.keys} | before.fixed
    threads = {thread for one in sessions for thread, _ in one.headers}
    # A reply may be written in a thread of a session that was billed, too.
    threads |= {
        one.sent.thread
        for scope in circle.frozen
        for one in circle.in_order(scope)[1]
        if one.sent.at >= before.since
    }
    keys.update(key for key, thread in circle.todos.items() if thread in threads)
    resources = sorted(f"{key.type}/{key.id}" for key in keys)
    return Tail(mark, "", before.since, resources, dict(before.former), before.more, people)


def parties_of(tail: Tail, now: Mapping[str, Party]) -> dict[str, Party] | None:
    """The people of a circle by their keys; ``None`` where others have its addresses ``now``."""
    out: dict[str, Party] = {}
    for then in tail.people:
        key = address_key(then.address)
        party = now[key]
        if party.known and party != then:
            return None
        if not party.known and then.circle:
            return None
        out[key] = then
    return out


def encode(tail: Tail, basis: str) -> bytes:
    """A tail as the store keeps it, with its basis."""
    return msgspec.msgpack.encode(msgspec.structs.replace(tail, basis=basis))


def decoded(value: bytes) -> Tail | None:
    """A tail that the store has; ``None`` where another build has written it otherwise."""
    try:
        return msgspec.msgpack.decode(value, type=Tail)
    except msgspec.DecodeError:
        return None


def _may_have(circle: Circle) -> bool:
    if not circle.projected or circle.dirty or circle.acts or circle.turned:
        return False
    return not circle.is_whole or len(circle.messages) > SHORT


def _since(circle: Circle, since: int) -> Iterator[Seen]:
    """The sessions from a moment on, as they were projected last."""
    for seen in circle.seen.values():
        for one in reversed(seen.values()):
            if one.messages[0].at < since:
                break
            yield one


def _is_long(sessions: Sequence[Seen]) -> bool:
    """Whether a later beginning would leave enough."""
    return len(sessions) >= 2 * FEW and sum(len(one.messages) for one in sessions) > MANY


def _chosen(circle: Circle, rules: Rules) -> Before | None:
    """What is before a moment at which no session reaches over, late enough for a few to follow.

    Sessions that are not over yet follow all of them.
    """
    if len(circle.messages) < circle.untold:
        return None
    every = [one for seen in circle.seen.values() for one in seen.values()]
    found = None
    if not any(OUTSIDE in seen for seen in circle.seen.values()):
        every.sort(key=lambda one: one.messages[0], reverse=True)
        latest = min((one.messages[0].at for one in every if not one.finished), default=NEVER)
        count = tried = 0
        for number, one in enumerate(every, 1):
            count += len(one.messages)
            at = one.messages[0].at
            if number < FEW or count < SOME or at > latest:
                continue
            tried += 1
            if tried > _TRIES:
                break
            since = _settled(circle, rules, at)
            if since is None or since <= circle.start.since:
                break
            if (found := _before(circle, since)) is not None:
                break
    # To look in vain takes as long as the circle is: not for each message.
    circle.untold = 0 if found else len(circle.messages) + len(circle.messages) // 8 + 1
    return found


def _settled(circle: Circle, rules: Rules, at: int) -> int | None:
    """A moment not after ``at``, before which nothing changes when messages come from it on."""
    for _ in range(8):
        before = at
        for scope in {*circle.scopes, *circle.frozen}:
            messages, frozen = circle.in_order(scope)
            every = sorted((*messages, *frozen), key=_sent) if frozen else messages
            at = min(at, rules.horizon(Sents(every), (), at)) if every else at
        if at == BEGINNING:
            return None
        if at == before:
            return at
    return None


def _before(circle: Circle, since: int) -> Before | None:
    """What of a circle is before a moment; ``None`` where anything reaches over it."""
    last: dict[str, tuple[Sent | None, str]] = {
        thread: (None, header) for thread, header in circle.start.former.items()
    }
    for seen in circle.seen.values():
        for one in seen.values():
            if one.messages[0].at >= since:
                break
            if one.messages[-1].at >= since or not one.finished:
                return None
            last.update((thread, (one.messages[0], header)) for thread, header in one.headers)
    early: set[str] = set()
    late: set[str] = set()
    for scope in circle.frozen:
        for passed in circle.in_order(scope)[1]:
            header = passed.link.header if passed.link else ""
            (early if passed.sent.at < since else late).add(header)
            began = last.get(passed.sent.thread, (None, ""))[0]
            if passed.sent.at < since and (began is None or passed.sent >= began):
                last[passed.sent.thread] = began, header
    if early & late:
        return None
    former = {thread: header for thread, (_, header) in last.items()}
    some = dict(list(former.items())[-_THREADS:])
    more = circle.start.more or len(some) < len(former)
    return Before(since, some, more, _fixed(circle, late))


def _fixed(circle: Circle, headers: Iterable[str]) -> frozenset[Key]:
    """The resources of the locked sessions that have those headers."""
    out = {Key("Communication", one) for one in headers}
    sessions = {as_key(_link(circle, key, "encounter")) for key in out}
    parts = {
        key
        for key in circle.locked
        if key in circle.stored and as_key(_link(circle, key, "partOf")) in sessions
    }
    out |= {key for key in (*sessions, *parts) if key in circle.stored}
    subjects = {as_key(_link(circle, key, "subject")) for key in out}
    return frozenset(out | {key for key in subjects if key in circle.stored})


def _link(circle: Circle, key: Key, element: str) -> str:
    stored = circle.stored.get(key)
    return target(decode(stored.body), element) if stored is not None else ""


def _people(circle: Circle) -> list[Party] | None:
    """Who is behind the addresses of a circle; ``None`` where people have said who uses one."""
    out: list[Party] = []
    for key, party in circle.parties.items():
        if party.said:
            return None
        # Whoever of the practice writes here is the same whoever has that address.
        if key == address_key(party.address):
            out.append(party._replace(address=party.address._replace(display="")))
    return out if len(out) <= _ADDRESSES else None


def _are_told(circle: Circle, before: Before, rules: Rules) -> bool:
    """Whether it shows from a moment on which messages of each thread wait for an answer."""
    tracking = rules.settings.tracking
    if tracking is None or tracking.since >= before.since:
        return True
    threads: dict[str, list[Placed]] = {}
    for scope in {*circle.scopes, *circle.frozen}:
        both = circle.in_order(scope)
        some = [one for those in both for one in those[bisect_left(those, before.since, key=_at) :]]
        for one in sorted(some, key=_sent):
            threads.setdefault(one.sent.thread, []).append(one)
    wrong = taken_back(circle.messages.values())
    for thread, messages in threads.items():
        those = in_their_places(messages, wrong)
        if those and those[0].sent.at < before.since:
            # What is answered by it was written before.
            return False
        if before.more or thread in before.former:
            episode = last_episode(those, tracking.since)
            if episode is None or episode.after < before.since:
                return False
    return True


def _sent(placed: Placed) -> Sent:
    return placed.sent


def _at(placed: Placed) -> int:
    return placed.sent.at
