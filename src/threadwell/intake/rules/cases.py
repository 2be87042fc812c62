"""What a rule has to know of an event: the message, its thread and the Task of that, as stored."""

from __future__ import annotations

from dataclasses import dataclass

from threadwell.encounters import codes
from threadwell.encounters.child_ids import own_of
from threadwell.encounters.said import new_text_of
from threadwell.encounters.todo import is_open, todo_identity
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter, Sort, TokenFilter
from threadwell.fhir.search.sought import ReferenceMatch, TokenMatch
from threadwell.intake.commits.batch import Batch
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.rulebook.events import What
from threadwell.intake.rulebook.ruleset import Event
from threadwell.intake.rules.judging import Facts
from threadwell.stores.contract import Key, Store, Stored

#: Who of the patient's side may be told to have written.
_FAMILY = ("Patient/", "RelatedPerson/")
_FIRST = 50


@dataclass(slots=True)
class Case:
    """An event, and what it is about. ``task`` and ``header`` are as they are to be.

    ``message`` is ``Communication/…``, ``""`` for none. ``opens`` tells whether it is the first of
    its thread.
    """

    what: What
    facts: Facts
    message: str
    header: Resource | None
    task: Resource | None
    stored_header: Stored | None
    stored_task: Stored | None
    opens: bool = False

    @property
    def still_waits(self) -> bool:
        """Whether the message for which a timer was set waits still."""
        task = self.task or {}
        return is_open(task) and task.get("authoredOn") == self.what.since

    @property
    def about(self) -> list[str]:
        """References to what it concerns, the nearest first."""
        session = f"Encounter/{self.what.session}" if self.what.session else ""
        header = f"Communication/{self.header['id']}" if self.header else ""
        task = f"Task/{self.stored_task.id}" if self.stored_task else ""
        return [one for one in (self.message, session, header, task) if one]

    def write(self, batch: Batch) -> None:
        """Add what has become of the Task and the header."""
        for stored, body in (
            (self.stored_task, self.task),
            (self.stored_header, self.header),
        ):
            if stored is not None and body is not None and body != decode(stored.body):
                batch.write(Key(stored.type, stored.id), body, stored)


async def load_case(store: Store, project: str, what: What) -> Case | None:
    """What there is of an event; ``None`` where the message, or the session, is gone."""
    task = await _current(store, project, Key("Task", what.task)) if what.task else None
    if what.event is Event.CLOSED:
        return await _of_session(store, project, what)
    message = await _current(store, project, Key("Communication", what.message))
    if message is None:
        return None
    child: Resource = decode(message.body)
    parent = str((child.get("partOf") or [{}])[0].get("reference", ""))
    header = await _current(store, project, as_key(parent)) if parent else None
    if child.get("status") == "entered-in-error" or header is None:
        return None
    body: Resource = decode(header.body)
    if what.thread:
        key = Key("Task", todo_identity(what.thread).id)
        task = await _current(store, project, key)
    first, opens = await _firsts(store, project, body, what.message)
    own = own_of(child)
    facts = _facts(what.at, own.channel if own else "", new_text_of(child), body, task, new=first)
    return _case(what, facts, f"Communication/{what.message}", header, task, opens=opens)


async def _of_session(store: Store, project: str, what: What) -> Case | None:
    if await _current(store, project, Key("Encounter", what.session)) is None:
        return None
    whole = ReferenceFilter("encounter", (ReferenceMatch("Encounter", what.session, ""),))
    page = await store.search(project, Query("Communication", (whole,), count=1))
    header = page.matches[0] if page.matches else None
    body: Resource = decode(header.body) if header else {}
    facts = _facts(what.at, channel_in(body), "", body, None, new=False)
    return _case(what, facts, "", header, None)


def _case(
    what: What,
    facts: Facts,
    message: str,
    header: Stored | None,
    task: Stored | None,
    *,
    opens: bool = False,
) -> Case:
    return Case(
        what,
        facts,
        message,
        decode(header.body) if header else None,
        decode(task.body) if task else None,
        header,
        task,
        opens,
    )


def _facts(
    at: int, channel: str, text: str, header: Resource, task: Stored | None, *, new: bool
) -> Facts:
    tags = (header.get("meta") or {}).get("tag") or ()
    named = frozenset(str(one.get("code")) for one in tags if one.get("system") == codes.TAG)
    claimed = task is not None and bool(target(decode(task.body), "owner"))
    return Facts(at, channel, text, named, new, claimed)


async def _firsts(store: Store, project: str, header: Resource, message: str) -> tuple[bool, bool]:
    """Whether a message is the first of the patient's side, and the first of its thread."""
    circle = circle_of(header)
    if not circle:
        return False, False
    mine = TokenFilter("identifier", (TokenMatch(codes.CIRCLE, circle),))
    page = await store.search(project, Query("Communication", (mine,), count=1000))
    bodies = [decode(one.body) for one in page.matches]
    live = [one for one in bodies if one.get("status") != "entered-in-error"]
    thread = thread_in(header)
    in_thread = [str(one["id"]) for one in live if thread_in(one) == thread]
    firsts = await _earliest(store, project, [str(one["id"]) for one in live])
    family = [one for one in firsts if str(target(one, "sender") or "Patient/").startswith(_FAMILY)]
    new = bool(family) and family[0]["id"] == message
    opening = await _earliest(store, project, in_thread)
    return new, bool(opening) and opening[0]["id"] == message


async def _earliest(store: Store, project: str, headers: list[str]) -> list[Resource]:
    if not headers:
        return []
    matches = tuple(ReferenceMatch("Communication", one, "") for one in headers)
    query = Query(
        "Communication",
        (ReferenceFilter("part-of", matches),),
        sort=(Sort("sent"),),
        count=_FIRST,
    )
    bodies = [decode(one.body) for one in (await store.search(project, query)).matches]
    return [one for one in bodies if one.get("status") != "entered-in-error"]


def channel_in(header: Resource) -> str:
    """The channel of a thread header, ``""`` where it has none of ours."""
    return thread_in(header)[0]


def thread_in(header: Resource) -> tuple[str, str]:
    """The channel of a header, and the channel's own thread."""
    for one in header.get("identifier") or ():
        system = str(one.get("system", ""))
        if system.startswith(codes.THREAD):
            return system.removeprefix(codes.THREAD), str(one.get("value", ""))
    return "", ""


async def _current(store: Store, project: str, key: Key) -> Stored | None:
    stored = await store.read(project, *key)
    return None if stored is None or stored.deleted else stored
