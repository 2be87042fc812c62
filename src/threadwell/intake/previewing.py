"""What another policy would make of what is stored, beside what is there; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields

from threadwell.encounters.merge import is_locked
from threadwell.encounters.pattern import is_session
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.due import all_circles
from threadwell.intake.circles.load import load_circles
from threadwell.intake.circles.place import Keywords
from threadwell.intake.circles.plan import plan
from threadwell.intake.circles.rules import Rules
from threadwell.intake.circles.seen import Seen
from threadwell.intake.links import target
from threadwell.intake.paging import chunks
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.seat import Seat
from threadwell.stores.contract import Key

_OVER = frozenset({"finished", "cancelled"})


@dataclass(slots=True)
class Tally:
    """How many there are of each.

    Of the ``sessions``, some are ``open``, ``finished`` or ``billed``; ``to_review`` are those of
    which nobody knows whom they are about. ``encounters`` are their session and medical encounters.
    ``messages`` are in sessions, ``outside`` in none, and the ``largest`` session has so many.
    """

    sessions: int = 0
    open: int = 0
    finished: int = 0
    billed: int = 0
    to_review: int = 0
    encounters: int = 0
    messages: int = 0
    outside: int = 0
    largest: int = 0

    def add(self, other: Tally) -> None:
        """Count what another one has counted."""
        largest = max(self.largest, other.largest)
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        self.largest = largest


@dataclass(frozen=True, slots=True)
class Previewed:
    """A session as it would be; ``id`` is that of its session encounter.

    ``subject`` is the reference of its patient, or of a Group; ``""`` where nobody knows.
    ``start`` and ``end`` are its period. ``today`` are the logical ids of the session encounters
    that have its messages now: the same one, others, or none.
    """

    id: str
    status: str
    subject: str
    start: str
    end: str
    messages: int
    today: tuple[str, ...]


@dataclass(slots=True)
class Preview:
    """What is there ``today``, what there would be ``then``, and each session of that."""

    today: Tally = field(default_factory=Tally)
    then: Tally = field(default_factory=Tally)
    sessions: list[Previewed] = field(default_factory=list)


async def preview(seat: Seat) -> Preview:
    """What the policy of its settings would make of all that is stored.

    Only what an import has brought counts; sessions that were billed would stay. The newest
    stands first.
    """
    settings = seat.settings
    people = AddressBook(seat.store, seat.project, settings)
    await people.start()
    keywords = Keywords(settings)
    rules = Rules(settings, settings.assign, people.practice, seat.clock() * 1000)
    out = Preview()
    every = await all_circles(people)
    for some in chunks(every):
        wanted = {key: every[key] for key in some}
        circles = await load_circles(wanted, people, keywords, by_patient=rules.by_patient)
        for circle in circles.values():
            _look_at(out, circle, rules)
    out.sessions.sort(key=lambda one: (one.start, one.id), reverse=True)
    return out


def _look_at(out: Preview, circle: Circle, rules: Rules) -> None:
    there = {
        key: decode(circle.stored[key].body)
        for key in circle.live
        if key.type in ("Encounter", "Communication")
    }
    now = _Today(circle, there)
    out.today.add(now.tally())
    todo = plan(circle, rules)
    then = {key: body for key, body in todo.resources.items() if key.type == "Encounter"}
    sizes: Counter[str] = Counter()
    locked = {key: body for key, body in there.items() if key in circle.locked}
    for key, body in locked.items():
        if key.type == "Encounter" and is_session(body):
            ids = now.messages_of(key.id)
            sizes[key.id] = len(ids)
            out.sessions.append(_previewed(key, body, len(ids), (key.id,)))
    for key, body, seen in _planned(circle, then):
        ids = [one.id for one in seen.messages if one.id not in now.taken_back]
        sizes[key.id] = len(ids)
        out.sessions.append(_previewed(key, body, len(ids), now.sessions_of(ids)))
    bodies = [*then.values(), *(body for key, body in locked.items() if key.type == "Encounter")]
    out.then.add(_tally(bodies, sizes, now.all))


def _planned(circle: Circle, then: Mapping[Key, Resource]) -> Iterator[tuple[Key, Resource, Seen]]:
    """The session encounters that are planned, each with what it was made of."""
    for scope in circle.seen.values():
        for seen in scope.values():
            for key in seen.keys:
                if key in then and is_session(then[key]):
                    yield key, then[key], seen


class _Today:
    """The sessions of a circle as they are stored. What was taken back is in no count."""

    def __init__(self, circle: Circle, there: Mapping[Key, Resource]) -> None:
        self._there = there
        self.taken_back = {one.sent.id for one in circle.messages.values() if one.retracted}
        self.all = len(circle.messages) - len(self.taken_back)
        sessions = {
            key.id: target(body, "encounter").removeprefix("Encounter/")
            for key, body in there.items()
            if key.type == "Communication"
        }
        self._session = {
            one.sent.id: sessions.get(one.link.header, "")
            for one in circle.messages.values()
            if one.link is not None and not one.retracted
        }

    def sessions_of(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Which sessions those messages are in."""
        return tuple(filter(None, dict.fromkeys(self._session.get(one, "") for one in ids)))

    def messages_of(self, session: str) -> list[str]:
        """The messages of a session."""
        return [one for one, its in self._session.items() if its == session]

    def tally(self) -> Tally:
        sizes = Counter(filter(None, self._session.values()))
        bodies = [body for key, body in self._there.items() if key.type == "Encounter"]
        return _tally(bodies, sizes, self.all)


def _tally(encounters: Iterable[Resource], sizes: Counter[str], messages: int) -> Tally:
    out = Tally(messages=sizes.total(), largest=max(sizes.values(), default=0))
    out.outside = messages - out.messages
    for body in encounters:
        out.encounters += 1
        if is_session(body):
            over = body["status"] in _OVER
            out.sessions += 1
            out.open += not over
            out.finished += over
            out.billed += is_locked(body)
            out.to_review += "subject" not in body
    return out


def _previewed(key: Key, body: Resource, messages: int, today: tuple[str, ...]) -> Previewed:
    period = body.get("period") or {}
    return Previewed(
        key.id,
        str(body["status"]),
        target(body, "subject"),
        str(period.get("start", "")),
        str(period.get("end", "")),
        messages,
        today,
    )
