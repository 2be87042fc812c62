"""What people have changed of a circle's subjects through the API: a correction, which is kept.

Every message bears why it is about whom it is about. From that follows which subject was written
on it, on its header and on its Encounters; where another one is stored now, somebody has put it
there. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.attribution import CHOSEN, SESSION, patients_of
from threadwell.encounters.identity import opening_of
from threadwell.encounters.pattern import is_session
from threadwell.encounters.placed import Placed
from threadwell.encounters.retracted import told
from threadwell.encounters.shares import is_open, opened_for, subjects
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.circle import Circle
from threadwell.intake.links import target
from threadwell.stores.contract import Key

_SUBJECT = re.compile(r"(?:^|/)((?:Patient|Group)/[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?$")


class SubjectChange(NamedTuple):
    """The resource whose subject somebody has changed, and what it says of which messages.

    ``basis`` tells whether it is said of the messages one by one, or of their session.
    """

    key: Key
    messages: list[Placed]
    patients: frozenset[str]
    basis: str


def subject_of(body: Resource) -> str:
    """The subject of a resource (``Patient/…``, ``Group/…``), however it is written."""
    found = _SUBJECT.search(target(body, "subject"))
    return found[1] if found else ""


def changes(
    circle: Circle, bodies: Mapping[Key, Resource], groups: Mapping[str, Resource]
) -> Iterator[SubjectChange]:
    """What people have changed, the whole before its parts.

    ``bodies`` are the stored resources of the circle, ``groups`` the Groups that they refer to.
    """
    headers: dict[str, list[Placed]] = {}
    for placed in circle.messages.values():
        if placed.link is not None:
            headers.setdefault(placed.link.header, []).append(placed)
    sessions: dict[str, list[str]] = {}
    for id_ in headers:
        key = Key("Communication", id_)
        if key in circle.live and key not in circle.locked:
            sessions.setdefault(target(bodies[key], "encounter"), []).append(id_)
    parts: dict[str, list[Key]] = {}
    for key in sorted(circle.live):
        if key.type == "Encounter" and (whole := target(bodies[key], "partOf")):
            parts.setdefault(whole, []).append(key)
    for name, ids in sessions.items():
        outside = [bodies[Key("Communication", id_)] for id_ in ids] if not name else []
        for scope in [ids] if all(map(_spans_circle, outside)) else [[id_] for id_ in ids]:
            mine = {id_: headers[id_] for id_ in scope}
            yield from _Session(circle, bodies, groups, name, mine, parts.get(name, ())).changes()


def _spans_circle(header: Resource) -> bool:
    """Whether the policy that made a header ran over all threads of its circle."""
    values = {one.get("system"): str(one.get("value", "")) for one in header["identifier"]}
    _, _, scope = values.get(codes.HEADER, "").partition("|")
    return scope.startswith(f"{values.get(codes.CIRCLE)}|")


class _Session:
    """One session as it is stored, or the thread of messages outside of any."""

    def __init__(
        self,
        circle: Circle,
        bodies: Mapping[Key, Resource],
        groups: Mapping[str, Resource],
        name: str,
        headers: Mapping[str, list[Placed]],
        parts: Sequence[Key],
    ) -> None:
        self._circle = circle
        self._bodies = bodies
        self._groups = groups
        self._key = Key("Encounter", name.partition("/")[2])
        self._headers = headers
        self._parts = parts
        self._messages = [one for messages in headers.values() for one in messages]
        chosen = _chosen(circle, bodies.get(self._key))
        self._shares = {
            one.sent.id: _recorded(one, circle.patients, chosen) for one in self._messages
        }
        self._written = self._as_written()

    def _as_written(self) -> frozenset[str]:
        """Whom it is about by its messages.

        What was taken back counts for it until that is written, and not any more then.
        """
        every = frozenset(subjects(self._shares.values()))
        counts = frozenset(subjects(self._shares[one.sent.id] for one in told(self._messages)))
        if counts == every:
            return every
        headers = (self._bodies[Key("Communication", id_)] for id_ in self._headers)
        found = self._patients(self._bodies.get(self._key) or next(headers))
        return found if found is not None and counts <= found <= every else counts

    def changes(self) -> Iterator[SubjectChange]:
        """The changes of the Encounters, the headers and the messages."""
        encounter = self._bodies.get(self._key)
        if self._key.id and (
            encounter is None or not is_session(encounter) or self._key not in self._circle.live
        ):
            return
        several = len(self._circle.patients) > 1
        if several and not self._written and encounter is not None and subject_of(encounter):
            # The answer to the question that is open, or written before there were reasons.
            return
        whole = self._written
        if encounter is not None and (self._written or not several):
            found = self._patients(encounter)
            if found is not None and found != self._written:
                whole = found
                yield SubjectChange(self._key, self._messages, found, SESSION)
        yield from self._medical(whole)
        for id_, messages in self._headers.items():
            header = self._bodies[Key("Communication", id_)]
            yield from self._of_thread(id_, header, messages, whole, outside=encounter is None)

    def _of_thread(
        self,
        id_: str,
        header: Resource,
        messages: list[Placed],
        whole: frozenset[str],
        *,
        outside: bool,
    ) -> Iterator[SubjectChange]:
        there = self._patients(header)
        written = self._written
        if outside and len(written) != 1:
            written = whole = frozenset()
        if there is not None and there not in (written, whole):
            whole = there
            yield SubjectChange(Key("Communication", id_), messages, there, SESSION)
        for one in messages:
            share = self._shares[one.sent.id]
            was = share if len(share) == 1 else written
            now = self._of(one.link.subject if one.link else "")
            if not now and not share and self._is_open(one):
                continue  # Nobody can tell whom it is about.
            if now is not None and now != was and now != whole:
                yield SubjectChange(Key("Communication", one.child), [one], now, CHOSEN)

    def _is_open(self, one: Placed) -> bool:
        """Whether nobody can tell whom a message is about, or could when it was written.

        Several people used its sender's address by what was said then, if it names the Task in
        which that was said, and none of them. By now it may have been said to be one person's.
        """
        link = one.link
        if link is not None and any(link.said[:1]) and not link.sender and not link.reasons:
            return True
        return is_open(one, self._circle.parties.get(one.sender), frozenset())

    def _medical(self, whole: frozenset[str]) -> Iterator[SubjectChange]:
        """One patient's care that was given to another one."""
        for key in self._parts:
            body = self._bodies[key]
            before = _medical_patient(body)
            found = self._patients(body)
            if not before or found is None or found == {before} or whole != self._written:
                continue
            for one in self._messages:
                share = self._shares[one.sent.id]
                if before in share:
                    yield SubjectChange(key, [one], (share - {before}) | found, CHOSEN)

    def _patients(self, body: Resource) -> frozenset[str] | None:
        """Whom a resource is about; ``None`` where that is nobody whom we could tell."""
        if not target(body, "subject"):
            return None if "subject" in body else frozenset()
        return self._of(subject_of(body) or "?")

    def _of(self, subject: str) -> frozenset[str] | None:
        if not subject:
            return frozenset()
        found = _SUBJECT.search(subject)
        if found is None:
            return None
        if found[1].startswith("Patient/"):
            return frozenset((found[1],))
        members = self._groups.get(found[1], {}).get("member") or ()
        out = [target(one, "entity") for one in members]
        patients = frozenset(one for one in out if one.startswith("Patient/"))
        return patients or None


def _recorded(placed: Placed, circle: Sequence[str], chosen: frozenset[str]) -> frozenset[str]:
    """Whom a message is about by what is stored of it."""
    reasons = placed.link.reasons if placed.link else ()
    if len(circle) == 1 and not reasons:
        return frozenset(circle)
    return opened_for(patients_of(reasons), reasons, chosen)


def _chosen(circle: Circle, encounter: Resource | None) -> frozenset[str]:
    """Whom a session was opened for, where an act has opened it and there are several."""
    if encounter is None or len(circle.patients) == 1:
        return frozenset()
    done = circle.acts.get(opening_of(encounter))
    return frozenset(done.chosen) if done else frozenset()


def _medical_patient(body: Resource) -> str:
    for one in body.get("identifier") or ():
        if one.get("system") == codes.MEDICAL:
            return str(one.get("value", "")).rpartition("|")[2]
    return ""
