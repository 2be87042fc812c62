"""A person closes a thread or opens it again, and lets others join it or leave.

What is done to the only open thread of a session is done to the session, and its policy tells what
a later message does. Everything else is recorded as a Task of the thread (``encounters/turned.py``)
and outlives late messages, other imports, recut and replay. Of a thread that somebody has made over
FHIR, and no import, the header itself is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from threadwell.encounters.acts import act_id
from threadwell.encounters.codes import EXT_REMOVED
from threadwell.encounters.merge import is_live
from threadwell.encounters.people import reference
from threadwell.encounters.placed import Placed
from threadwell.encounters.turned import (
    Membership,
    Turned,
    Turning,
    as_removed,
    left,
    turned_task,
)
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import MissingFilter, Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.fhir.stamp import Clock, new_id
from threadwell.intake.acts import BadAct, close_session, reopen_session
from threadwell.intake.circles.altered import recipients
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.due import patients_of
from threadwell.intake.circles.rules import Rules
from threadwell.intake.commits.batch import Batch
from threadwell.intake.importing import revise
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.paging import search_all
from threadwell.intake.patience import Contended, Patience
from threadwell.intake.replies.asked import parent_of
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.intake.thread_names import NoThread, thread_named
from threadwell.stores.contract import ChangeSet, Conflict, Key, Stored

#: Who may join a thread.
MEMBERS = ("Practitioner", "PractitionerRole", "RelatedPerson", "CareTeam", "Patient")
_OPEN, _CLOSED = "in-progress", "completed"
_OVER = ("finished", "cancelled")


@dataclass(frozen=True, slots=True)
class ThreadActed:
    """What has become of it: ``thread`` is the header (``Communication/…``) with its ``status``.

    ``participants`` are those who take part. ``act`` is the Task that records it, ``""`` where
    nothing had to be done, or no import has made the thread.
    """

    thread: str
    status: str
    participants: tuple[str, ...]
    act: str = ""


async def close_thread(seat: Seat, thread: str, *, why: str = "") -> ThreadActed:
    """Close the thread of a header, or of a message (``Communication/…``).

    Its session is closed with it, unless another thread of that is open. Raises ``BadAct``, and
    ``Contended`` if others keep writing.
    """
    return await _Asked(seat, why).close(thread)


async def reopen_thread(seat: Seat, thread: str, *, why: str = "") -> ThreadActed:
    """Open a closed thread again, and its session where that is closed; raises as above."""
    return await _Asked(seat, why).reopen(thread)


async def add_participant(seat: Seat, thread: str, who: str, *, why: str = "") -> ThreadActed:
    """Let somebody (``Practitioner/…``) join a thread, from now on; raises as above."""
    asked = _Asked(seat, why)
    await asked.check_member(who)
    return await asked.turn(thread, Turning.ADD, who)


async def remove_participant(seat: Seat, thread: str, who: str, *, why: str = "") -> ThreadActed:
    """Take somebody out of a thread: no reply goes to them any more; raises as above."""
    return await _Asked(seat, why).turn(thread, Turning.REMOVE, who)


@dataclass(slots=True)
class _Asked:
    """What a person wants done to a thread."""

    seat: Seat
    why: str
    act: str = field(default="", init=False)

    async def close(self, thread: str) -> ThreadActed:
        """Close it, with its session if nothing else of that is open."""
        header = await self._header(thread)
        if header["status"] == _CLOSED:
            return self._told(header)
        if not circle_of(header):
            return await self._by_hand(header, lambda body: {**body, "status": _CLOSED})
        session = target(header, "encounter")
        if not session or await self._others_are_open(header, session):
            return await self._turned(header, Turning.CLOSE)
        done = await close_session(self.seat, session, why=self.why)
        self.act = done.act
        return self._told(await self._read(header["id"]))

    async def reopen(self, thread: str) -> ThreadActed:
        """Open it, and its session."""
        header = await self._header(thread)
        if header["status"] == _OPEN:
            return self._told(header)
        if not circle_of(header):
            return await self._by_hand(header, lambda body: {**body, "status": _OPEN})
        session = target(header, "encounter")
        if session and await self._is_over(session):
            done = await reopen_session(self.seat, session, why=self.why)
            self.act = done.act
            header = await self._read(header["id"])
            if header["status"] == _OPEN:
                return self._told(header)
        return await self._turned(header, Turning.REOPEN)

    async def turn(self, thread: str, kind: Turning, who: str) -> ThreadActed:
        """Let somebody join it, or take them out."""
        header = await self._header(thread)
        there = who in recipients(header)
        if there == (kind is Turning.ADD):
            return self._told(header)
        if kind is Turning.REMOVE and target(header, "subject") == who:
            raise BadAct(f"the thread is about {who}: it is theirs")
        if circle_of(header):
            return await self._turned(header, kind, who)
        change = _added(who) if kind is Turning.ADD else _removed(who, self.seat.clock)
        return await self._by_hand(header, change)

    async def check_member(self, who: str) -> None:
        """Raise ``BadAct`` where nobody of that name can take part."""
        key = as_key(who)
        stored = (
            await self.seat.store.read(self.seat.project, *key) if key.type in MEMBERS else None
        )
        if stored is None or stored.deleted:
            raise BadAct(f"there is no {who} who could take part")

    async def _turned(self, header: Resource, kind: Turning, who: str = "") -> ThreadActed:
        circle, name = circle_of(header), new_id(self.seat.clock())

        def record(circle: Circle, rules: Rules) -> None:
            key = Key("Communication", header["id"])
            if key not in circle.live:
                raise BadAct(f"{_name(header)} is superseded: its messages are in another thread")
            if key in circle.locked:
                raise BadAct(f"{_name(header)} has been billed: it stays as it was billed")
            last = _last(circle, header["id"])
            at = max(rules.now, last.sent.at + 1, *(one.at + 1 for one in circle.turned.values()))
            turned = Turned(
                act_id(name), kind, at, self.seat.by, header["id"], last.child, who, self.why
            )
            circle.turn(turned, turned_task(turned, name, circle.key))

        async def make(run: Run) -> Batch:
            patients = await patients_of(run.people, circle, header["id"])
            if not patients:
                raise BadAct(f"{_name(header)} belongs to patients who cannot be told any more")
            return await run.revise(circle, patients, record)

        await revise(self.seat, make)
        self.act = f"Task/{act_id(name)}"
        return self._told(await self._read(header["id"]))

    async def _by_hand(
        self, header: Resource, change: Callable[[Resource], Resource]
    ) -> ThreadActed:
        patience = Patience()
        while await patience.turn():
            stored = await self._stored(header["id"])
            batch = Batch(updated=self.seat.clock(), author=self.seat.by.author)
            body = change(decode(stored.body))
            batch.write(Key("Communication", stored.id), body, stored)
            try:
                await self.seat.store.commit(
                    self.seat.project, ChangeSet(tuple(batch.writes.values()))
                )
            except Conflict:
                continue
            return self._told(body)
        raise Contended("others keep writing to the same thread; try again when they are done")

    async def _others_are_open(self, header: Resource, session: str) -> bool:
        linked = ReferenceFilter(
            "encounter", (ReferenceMatch("Encounter", as_key(session).id, ""),)
        )
        query = Query("Communication", (linked, MissingFilter("part-of", missing=True)))
        found = [
            decode(one.body) async for one in search_all(self.seat.store, self.seat.project, query)
        ]
        return any(one["id"] != header["id"] and one["status"] == _OPEN for one in found)

    async def _is_over(self, session: str) -> bool:
        stored = await self.seat.store.read(self.seat.project, *as_key(session))
        return (
            stored is not None
            and not stored.deleted
            and (decode(stored.body).get("status") in _OVER)
        )

    async def _header(self, name: str) -> Resource:
        """The thread header of that name, of that message, or of that session of one thread."""
        name = name if "/" in name else f"Communication/{name}"
        try:
            key = as_key(await thread_named(self.seat.store, self.seat.project, name))
        except NoThread as error:
            raise BadAct(str(error)) from None
        if key.type != "Communication":
            raise BadAct(f"{name} is no Communication/…")
        body = await self._read(key.id)
        if parent := parent_of(body):
            body = await self._read(as_key(parent).id)
        if not is_live(body):
            raise BadAct(f"{name} is superseded: say it of what has its messages now")
        return body

    async def _read(self, id_: str) -> Resource:
        body: Resource = decode((await self._stored(id_)).body)
        return body

    async def _stored(self, id_: str) -> Stored:
        stored = await self.seat.store.read(self.seat.project, "Communication", id_)
        if stored is None or stored.deleted:
            raise BadAct(f"there is no Communication/{id_}")
        return stored

    def _told(self, header: Resource) -> ThreadActed:
        return ThreadActed(
            _name(header), str(header["status"]), tuple(recipients(header)), self.act
        )


def _last(circle: Circle, header: str) -> Placed:
    mine = [one for one in circle.messages.values() if one.link and one.link.header == header]
    if not mine:
        raise BadAct(f"Communication/{header} has no messages of an import")
    return max(mine, key=lambda one: one.sent)


def _added(who: str) -> Callable[[Resource], Resource]:
    def change(header: Resource) -> Resource:
        out = {**header, "recipient": [*(header.get("recipient") or ()), reference(who)]}
        return _with_removed(out, [one for one in left(header) if one.who != who])

    return change


def _removed(who: str, clock: Clock) -> Callable[[Resource], Resource]:
    def change(header: Resource) -> Resource:
        rest = [one for one in header.get("recipient") or () if one.get("reference") != who]
        out = {name: value for name, value in header.items() if name != "recipient"}
        if rest:
            out["recipient"] = rest
        return _with_removed(out, [*left(header), Membership(who, 0, clock() * 1000)])

    return change


def _with_removed(header: Resource, gone: list[Membership]) -> Resource:
    out = {name: value for name, value in header.items() if name != "extension"}
    others = [one for one in header.get("extension") or () if one.get("url") != EXT_REMOVED]
    extensions: list[Any] = [*others, *as_removed(gone)]
    return out | ({"extension": extensions} if extensions else {})


def _name(header: Resource) -> str:
    return f"Communication/{header['id']}"
