"""A person opens, closes or opens again a session, whatever its policy.

The act is recorded as a Task of the circle, and what becomes of the session follows from messages
and acts (docs/adr/0010-acts.md). So it outlives late messages, other imports, recut and replay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.acts import Done, act_id, act_task
from threadwell.encounters.corrected import Agent
from threadwell.encounters.identity import opened_identity, opening_of, session_identity
from threadwell.encounters.merge import is_live
from threadwell.encounters.pattern import is_session
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import new_id
from threadwell.intake.by_hand import Billed, act_by_hand
from threadwell.intake.circles.acting import acts_by_scope, sessions_in
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.due import patients_of
from threadwell.intake.circles.place import thread_of
from threadwell.intake.circles.rules import Rules
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.importing import revise
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.patience import Contended, Patience
from threadwell.intake.people.standing import who_stand
from threadwell.intake.people.whose import Unclear, circle_for
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings
from threadwell.sessions import Kind, Session, is_closed
from threadwell.stores.contract import Conflict, Key, Store


class BadAct(ValueError):
    """The act cannot be done; the message says why, without any content."""


@dataclass(frozen=True, slots=True)
class Acted:
    """What has become of an act.

    ``session`` is the session encounter (``Encounter/…``) with its ``status``. ``act`` is the Task
    that records the act, ``""`` where nothing had to be done: the session was so already.
    """

    report: Report
    session: str
    status: str
    act: str


def session_of(patient: str = "") -> Resource:
    """A session of a patient (``Patient/…``) as far as it is known before it is opened."""
    session: Resource = {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": codes.VIRTUAL,
    }
    return {**session, "subject": {"reference": patient}} if patient else session


async def open_session(
    seat: Seat, patients: Sequence[str], *, thread: str = "", why: str = ""
) -> Acted:
    """Open a session for those ``Patient/…``, or in the thread of a header (``Communication/…``).

    The next message of theirs joins it. Where a session is open, it is that one. Raises ``BadAct``
    where nobody can tell whose messages are meant, and ``Contended`` if others keep writing.
    """
    store, project = seat.store, seat.project
    chosen = tuple(sorted({f"Patient/{one.removeprefix('Patient/')}" for one in patients}))
    header = await _header(store, project, thread) if thread else None
    await _check_patients(store, project, chosen)
    chosen = tuple(sorted(await who_stand(store, project, chosen)))
    if not chosen and header is None:
        raise BadAct("name the patients or the thread that the session is for")
    name = new_id(seat.clock())
    asked = _Asked(Kind.OPEN, seat.by, why, name, chosen=chosen, header=header)

    async def make(run: Run) -> Batch:
        if header is not None:
            circle = circle_of(header)
            who = await patients_of(run.people, circle, header["id"])
        else:
            try:
                circle, who = await circle_for(run.people, chosen)
            except Unclear as error:
                raise BadAct(f"{error}: name the thread") from None
        if not who:
            raise BadAct(f"{thread} belongs to patients who cannot be told any more")
        if others := sorted(set(chosen) - set(who)):
            raise BadAct(f"{thread} is not of {' and '.join(others)}")
        return await run.revise(circle, who, asked.open)

    return asked.done(await revise(seat, make), seat.settings)


async def close_session(seat: Seat, session: str, *, why: str = "") -> Acted:
    """Close the session of that session encounter (``Encounter/…``), if it is not closed yet.

    Raises ``BadAct`` where there is no such session, and ``Contended`` if others keep writing.
    """
    return await _on(seat, session, _Asked(Kind.CLOSE, seat.by, why, ""))


async def reopen_session(seat: Seat, session: str, *, why: str = "") -> Acted:
    """Open the session of that session encounter (``Encounter/…``) again, if it is not open.

    It stays so until somebody closes it, or after a silence. Raises ``BadAct`` where it has been
    billed or there is no such session, and ``Contended`` if others keep writing.
    """
    return await _on(seat, session, _Asked(Kind.REOPEN, seat.by, why, ""))


async def _on(seat: Seat, session: str, asked: _Asked) -> Acted:
    body = await _session(seat.store, seat.project, session)
    circle = circle_of(body)
    if not circle:
        status = await _by_hand(seat, body["id"], asked)
        return Acted(Report(), session, status, "")
    asked.name, asked.session = new_id(seat.clock()), body["id"]

    async def make(run: Run) -> Batch:
        who = await patients_of(run.people, circle, "")
        if not who:
            raise BadAct(f"{session} belongs to patients who cannot be told any more")
        return await run.revise(circle, who, asked.act)

    return asked.done(await revise(seat, make), seat.settings)


class _There(NamedTuple):
    """A session as the policy has it now, and what it was run over."""

    scope: str
    session: Session


@dataclass(slots=True)
class _Asked:
    """What a person wants done. ``session`` is the logical id of the session encounter."""

    kind: Kind
    by: Agent
    why: str
    name: str
    session: str = ""
    chosen: tuple[str, ...] = ()
    header: Resource | None = None
    recorded: str = ""
    circle: Circle = field(init=False)

    def open(self, circle: Circle, rules: Rules) -> None:
        """Record an opening, unless a session is open."""
        self._begin(circle)
        there = _sessions(circle, rules)
        thread = thread_of(self.header) if self.header else None
        channel = _channel_of(self.header) if self.header else ""
        scope = ""
        if thread is not None and not rules.by_patient:
            scope = next(
                (
                    one.sent.thread
                    for one in circle.messages.values()
                    if one.link is not None and one.link.header == (self.header or {}).get("id")
                ),
                "",
            )
        mine = [one for one in there if not scope or one.scope == scope]
        for one in reversed(mine):
            if _is_open(one.session, rules):
                self.session = _encounter(one, rules)
                return
        turns = [one.session.turns[-1].at + 1 for one in mine if one.session.turns]
        done = Done(
            act_id(self.name),
            self.kind,
            max(rules.now, *turns) if turns else rules.now,
            circle.patients,
            self.by,
            opened_identity(rules.settings.policy, act_id(self.name)).id,
            channel=channel,
            thread_id=thread.id if thread else "",
            chosen=self.chosen,
            why=self.why,
        )
        self._record(circle, done)

    def act(self, circle: Circle, rules: Rules) -> None:
        """Record a closing or reopening of the session, unless it is so already."""
        self._begin(circle)
        name = f"Encounter/{self.session}"
        key = as_key(name)
        if key not in circle.live:
            raise BadAct(f"{name} is superseded: say it of what has its messages now")
        if key in circle.locked:
            raise BadAct(f"{name} has been billed: it stays as it was billed")
        opening, ids = self._having(circle, key)
        there = [
            one
            for one in _sessions(circle, rules)
            if (opening and opening in one.session.acts)
            or any(message.id in ids for message in one.session.messages)
        ]
        if not there:
            raise BadAct(f"{name} was made by another session policy: recut the sessions")
        session = there[-1].session
        if _is_open(session, rules) == (self.kind is Kind.REOPEN):
            return
        last = session.messages[-1] if session.messages else None
        times = [last.at if last else 0, session.turns[-1].at if session.turns else 0]
        done = Done(
            act_id(self.name),
            self.kind,
            max(rules.now, *(at + 1 for at in times)),
            circle.patients,
            self.by,
            self.session,
            message=circle.messages[last.id].child if last else "",
            opening="" if last else session.mark,
            why=self.why,
        )
        self._record(circle, done)

    def done(self, report: Report, settings: Settings) -> Acted:
        """What has become of it, once it is written."""
        if self.recorded:
            for scope, sessions in self.circle.seen.items():
                for seen in sessions.values():
                    if seen.session is not None and self.recorded in seen.session.acts:
                        there = _There(scope, seen.session)
                        self.session = _encounter_by(there, settings.policy)
        stored = self.circle.stored.get(Key("Encounter", self.session))
        status = str(decode(stored.body)["status"]) if stored else ""
        act = f"Task/{self.recorded}" if self.recorded else ""
        return Acted(report, f"Encounter/{self.session}", status, act)

    def _begin(self, circle: Circle) -> None:
        """Whatever was decided before is decided anew."""
        self.circle, self.recorded = circle, ""

    def _record(self, circle: Circle, done: Done) -> None:
        circle.act(done, act_task(done, self.name, circle.key))
        self.recorded = done.id

    def _having(self, circle: Circle, key: Key) -> tuple[str, set[str]]:
        """The act that has opened the session, and the messages that it has by what is stored."""
        encounter: Resource = decode(circle.stored[key].body)
        headers = {
            one.id
            for one in circle.live
            if one.type == "Communication"
            and target(decode(circle.stored[one].body), "encounter") == f"Encounter/{key.id}"
        }
        ids = {
            one.sent.id
            for one in circle.messages.values()
            if one.link is not None and one.link.header in headers
        }
        return opening_of(encounter), ids


def _sessions(circle: Circle, rules: Rules) -> Iterator[_There]:
    """The sessions of a circle but for the locked ones, scope by scope in the order of time."""
    acts = acts_by_scope(circle, rules)
    for scope in sorted({*circle.scopes, *acts}):
        for session in sessions_in(circle, scope, acts.get(scope, ()), rules):
            yield _There(scope, session)


def _is_open(session: Session, rules: Rules) -> bool:
    return not is_closed(session) and rules.now < session.closes


def _encounter(there: _There, rules: Rules) -> str:
    return _encounter_by(there, rules.settings.policy)


def _encounter_by(there: _There, policy: str) -> str:
    """The logical id of the session encounter."""
    if there.session.opened:
        return opened_identity(policy, there.session.mark).id
    return session_identity(policy, there.scope, there.session.mark).id


def _channel_of(header: Resource) -> str:
    systems = (str(one.get("system", "")) for one in header.get("identifier") or ())
    return next((one.removeprefix(codes.THREAD) for one in systems if codes.THREAD in one), "")


async def _check_patients(store: Store, project: str, patients: Sequence[str]) -> None:
    keys = [as_key(one) for one in patients]
    found = await store.read_many(project, keys) if keys else {}
    for key in keys:
        if key not in found or found[key].deleted:
            raise BadAct(f"there is no {key.type}/{key.id}")


async def _header(store: Store, project: str, name: str) -> Resource:
    """The thread header of that name, or of the message of that name."""
    body = await _read(store, project, name, "Communication")
    if parents := body.get("partOf"):
        body = await _read(store, project, str(parents[0].get("reference", "")), "Communication")
    if not circle_of(body) or thread_of(body) is None:
        raise BadAct(f"{name} is not of an import: link it to an Encounter")
    return body


async def _session(store: Store, project: str, name: str) -> Resource:
    """The live session encounter of that name."""
    body = await _read(store, project, name, "Encounter")
    if whole := target(body, "partOf"):
        raise BadAct(f"{name} is one patient's part of a session: say it of {whole}")
    if not is_live(body):
        raise BadAct(f"{name} is superseded: say it of what has its messages now")
    if not is_session(body):
        raise BadAct(f"{name} is no session")
    return body


async def _by_hand(seat: Seat, id_: str, asked: _Asked) -> str:
    """Act on a session that somebody has made over FHIR; its status then."""
    patience = Patience()
    while await patience.turn():
        batch = Batch(updated=seat.clock(), author=asked.by.author)
        try:
            return await act_by_hand(seat.store, seat.project, id_, asked.kind, batch)
        except Billed:
            raise BadAct(f"Encounter/{id_} has been billed: it stays as it was billed") from None
        except Conflict:
            continue
    raise Contended("others keep writing to the same session; try again when they are done")


async def _read(store: Store, project: str, name: str, type_: str) -> Resource:
    key = as_key(name)
    if key.type != type_:
        raise BadAct(f"{name} is no {type_}/…")
    stored = await store.read(project, *key)
    if stored is None or stored.deleted:
        raise BadAct(f"there is no {name}")
    body: Resource = decode(stored.body)
    return body
