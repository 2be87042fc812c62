"""What rules are about: kept in the commit in which it happens, and taken out with the run.

Each has a name of its own, made out of what it is about: told twice it is one. Timers are named by
when they go off, so that the first ones are found without a look at the others; one whose thread
has been answered meanwhile is dropped once its time has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from threadwell.encounters.placed import Placed
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.resource import Resource
from threadwell.intake.rulebook.ruleset import Event, RuleSet
from threadwell.stores.contract import Kept, Store

EVENTS, TIMERS = "rule-event", "rule-timer"


class What(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has happened. ``at`` is when, in microseconds since 1970 UTC.

    ``message`` is the logical id of a child Communication, ``task`` that of the Task of the thread,
    ``session`` that of a session encounter, as far as it is about one. ``rule`` is the one that a
    timer is for; ``since`` tells of the Task since when the message waited then.
    """

    event: Event
    at: int
    circle: str = ""
    thread: str = ""
    message: str = ""
    task: str = ""
    session: str = ""
    rule: str = ""
    since: str = ""

    @property
    def id(self) -> str:
        """What tells it from everything else that happens."""
        match self.event:
            case Event.MESSAGE:
                told = self.message
            case Event.THREAD:
                told = self.thread
            case Event.CLOSED:
                told = f"{self.session}|{self.at}"
            case _:
                told = f"{self.task}|{self.since}|{self.rule}"
        return f"{self.event}|{told}"


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as it stands in the store."""

    kind: str
    name: str
    value: bytes = field(repr=False)
    what: What

    @property
    def removed(self) -> Kept:
        """What takes it away; a ``Conflict`` where somebody else has done it."""
        return Kept(self.kind, self.name, None, before=self.value)


def told(project: str, what: What) -> Kept:
    """What keeps an event."""
    name = f"{project}/{what.at:020d}/{_digest(what)}"
    return Kept(EVENTS, name, msgspec.json.encode(what))


def of_message(project: str, placed: Placed, circle: str, rules: RuleSet) -> Iterator[Kept]:
    """The events that a new message makes, if any rule is about them."""
    at = placed.sent.at
    if not placed.sent.inbound or placed.quiet or at < rules.began:
        return
    for event in (Event.MESSAGE, Event.THREAD):
        if rules.of(event):
            thread = placed.sent.thread
            yield told(project, What(event, at, circle, thread, placed.child))


def of_todo(project: str, task: Resource, id_: str, circle: str, rules: RuleSet) -> Iterator[Kept]:
    """The timers of a Task whose message waits, one for each rule about that."""
    since = str(task.get("authoredOn", ""))
    for rule in rules.of(Event.UNANSWERED):
        at = rules.due(parse_fhir_time(since), rule.after_us)
        message = str((task.get("reasonReference") or {}).get("reference", "")).rpartition("/")[2]
        what = What(
            Event.UNANSWERED,
            at,
            circle,
            message=message,
            task=id_,
            rule=rule.name,
            since=since,
        )
        name = f"{project}/{max(at, 0):020d}/{_digest(what)}"
        yield Kept(TIMERS, name, msgspec.json.encode(what))


def of_session(
    project: str,
    id_: str,
    session: Resource,
    before: Resource | None,
    circle: str,
    rules: RuleSet,
) -> Iterator[Kept]:
    """The event of a session encounter that is over by now, if any rule is about that."""
    if session["status"] != "finished" or (before and before["status"] == "finished"):
        return
    end = str((session.get("period") or {}).get("end", ""))
    if end and rules.of(Event.CLOSED) and parse_fhir_time(end) >= rules.began:
        yield told(project, What(Event.CLOSED, parse_fhir_time(end), circle, session=id_))


async def happened(
    store: Store, project: str, kind: str, *, after: str = "", count: int = 100
) -> list[Happened]:
    """The first ``count`` of that kind, those whose name follows ``after``."""
    found = await store.list_private(kind, after=after or f"{project}/", count=count)
    return [
        Happened(kind, name, value, msgspec.json.decode(value, type=What))
        for name, value in found.items()
        if name.startswith(f"{project}/")
    ]


def _digest(what: What) -> str:
    return sha256(what.id.encode()).hexdigest()[:32]
