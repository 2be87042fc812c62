"""What a circle's stored resources record, and what takes the place of one that is no longer so."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from threadwell.encounters.placed import Placed
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.inherited import Inherited
from threadwell.intake.circles.plan import Plan
from threadwell.intake.links import as_key, target
from threadwell.sessions import Sent
from threadwell.stores.contract import Key


def as_projected(encounter: Resource) -> set[str]:
    """Who takes part in an Encounter as a projection writes it: with a role, and since when."""
    return {
        str((one.get("individual") or {}).get("reference", ""))
        for one in encounter.get("participant") or ()
        if "period" in one and "type" in one
    }


class Former:
    """The circle as it is stored, before a plan for it is written; indexed only where needed."""

    def __init__(self, circle: Circle) -> None:
        self._circle = circle

    def messages(self, key: Key) -> list[Placed]:
        """The messages that a header, an Encounter or a review Task records, in time's order."""
        found = [one for id_ in self._headers(key) for one in self._by_header.get(id_, ())]
        return sorted(found, key=lambda one: one.sent)

    def spoke(self, key: Key) -> set[str]:
        """Everybody as whom the addresses of those messages have spoken, or may have.

        So have those of messages that it recorded until now and that are elsewhere from now on.
        What was withdrawn records no message by now: then it is everybody of the circle, and those
        whom it has as a projection would have written them. Whoever was let into a thread is among
        them: a projection puts them where they take part.
        """
        out = {one.who for one in self._circle.turned.values()}
        headers, messages = self._headers(key), self.messages(key)
        for link in self._circle.gone:
            if not messages or link.header in headers:
                out.update((link.sender, *link.recipients))
        if not messages:
            out.update((*self._circle.patients, *as_projected(self.body(key))))
        for placed in messages or self._circle.messages.values():
            if placed.link is not None:
                out.update((placed.link.sender, *placed.link.recipients))
            for name in (placed.sender, *placed.recipients):
                out.update(person for _, person in self._circle.parties[name].related)
        return out

    def body(self, key: Key) -> Resource:
        """A stored resource of the circle."""
        body: Resource = decode(self._circle.stored[key].body)
        return body

    def _headers(self, key: Key) -> list[str]:
        """The headers, by logical id, of a header, an Encounter or a review Task."""
        if key.type == "Communication":
            return [key.id]
        if key.type == "Group":
            return []
        session = target(self.body(key), "partOf" if key.type == "Encounter" else "focus")
        return self._by_session.get(session or f"{key.type}/{key.id}", [])

    @cached_property
    def _by_header(self) -> Mapping[str, list[Placed]]:
        out: dict[str, list[Placed]] = {}
        for placed in self._circle.messages.values():
            if placed.link is not None:
                out.setdefault(placed.link.header, []).append(placed)
        return out

    @cached_property
    def _by_session(self) -> Mapping[str, list[str]]:
        out: dict[str, list[str]] = {}
        for header in dict.fromkeys((*self._by_header, *(one.header for one in self._circle.gone))):
            key = Key("Communication", header)
            if key in self._circle.stored:
                out.setdefault(target(self.body(key), "encounter"), []).append(header)
        return out


def heirs(todo: Plan, former: Former) -> dict[Key, list[Key]]:
    """The resources of the plan that take the place of withdrawn ones: those, the earliest first.

    The heir is where the first message of a withdrawn resource is now. One patient's care goes on
    in an Encounter about that patient, if the session has one.
    """
    if not todo.withdrawn:
        return {}
    now = _Now(todo)
    found: dict[Key, list[tuple[Sent, Key]]] = {}
    for old in todo.withdrawn:
        if messages := former.messages(old):
            heir = now.heir(old, former.body(old), messages[0])
            if heir is not None and heir in todo.resources:
                found.setdefault(heir, []).append((messages[0].sent, old))
    return {heir: [old for _, old in sorted(olds)] for heir, olds in found.items()}


def inheritors(todo: Plan, circle: Circle) -> dict[Key, list[Inherited]]:
    """The resources of the plan that go on for those of another circle: what they inherit."""
    if not circle.inherits:
        return {}
    now = _Now(todo)
    found: dict[Key, list[Inherited]] = {}
    for one in circle.inherits:
        first = circle.messages.get(one.first)
        heir = now.heir(Key(one.stored.type, one.stored.id), one.body, first) if first else None
        if heir is not None and heir in todo.resources:
            found.setdefault(heir, []).append(one)
    return found


class _Now:
    """Where messages are once the plan is written."""

    def __init__(self, todo: Plan) -> None:
        self._todo = todo
        self._links = {placed.sent.id: link for placed, link in todo.links}
        #: By session, then by patient; and the review Task of a session.
        self._medical: dict[tuple[str, str], Key] = {}
        self._review: dict[str, Key] = {}
        for key, resource in todo.resources.items():
            if session := target(resource, "partOf"):
                self._medical[session, target(resource, "subject")] = key
            elif key.type == "Task":
                self._review[target(resource, "focus")] = key

    def heir(self, old: Key, body: Resource, first: Placed) -> Key | None:
        """What records that message now, of the kind of ``old``."""
        link = self._links.get(first.sent.id, first.link)
        if link is None:
            return None
        header = Key("Communication", link.header)
        if old.type == "Communication":
            return header
        session = target(self._todo.resources.get(header, {}), "encounter")
        if old.type == "Task":
            return self._review.get(session)
        subject = target(body, "subject")
        if (session, subject) in self._medical:
            return self._medical[session, subject]
        key = as_key(session)
        whole = "partOf" not in body
        return key if whole or self._subject(key) == subject else None

    def _subject(self, session: Key) -> str:
        return target(self._todo.resources.get(session, {}), "subject")
