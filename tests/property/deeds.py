"""What people do to a record between two messages: the same to two records of one past.

Everybody acts over the functions of ``intake`` or over FHIR, on something that is chosen by a
``Random``. What cannot be done (it was billed, it is not there) is left undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.property.test_intake import STRANGERS, add
from threadwell.app import live_channels
from threadwell.encounters import codes
from threadwell.encounters.merge import is_locked
from threadwell.encounters.pattern import is_session
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import derived_id, new_id, stamp
from threadwell.intake import (
    BadAct,
    BadCorrection,
    BadReply,
    BadRetraction,
    Part,
    Seat,
    Settings,
    add_participant,
    answer_review,
    close_session,
    close_thread,
    correct_attribution,
    correct_message,
    open_session,
    reopen_session,
    reopen_thread,
    reply,
    retract,
    split_by_patient,
)
from threadwell.intake.circles.answers import candidates
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Conflict, Stored, Write
from threadwell.stores.memory import MemoryStore

CHANNELS = live_channels()
FAMILIES = [["Patient/ana"], ["Patient/lea"], ["Patient/ben", "Patient/lea"]]
CHILDREN = ["Patient/ben", "Patient/lea"]
ALICE = "Practitioner/alice"
#: Whoever acts is told why it cannot be done.
REFUSED = (BadAct, BadCorrection, BadReply, BadRetraction)


def told_name(ms: int) -> str:
    """The name of an act at a time, in the place of one that nobody can foretell."""
    return derived_id("act", str(ms))


@dataclass(frozen=True)
class People:
    """Those who act on a store, at the time of ``clock``."""

    store: MemoryStore
    how: Settings
    random: Random
    clock: Callable[[], int]

    async def do(self, deed: str) -> None:
        """Do the deed of that name, if it can be done."""
        with suppress(*REFUSED):
            await getattr(self, deed)()

    async def bill(self) -> None:
        """A session that is over is billed."""
        over = [one for one in await self._sessions() if one["status"] == "finished"]
        if session := self._one(over):
            await self._put({**session, "meta": {"tag": [codes.BILLED]}})

    async def open(self) -> None:
        whom = self.random.choice(FAMILIES)
        await open_session(self._seat, whom)

    async def open_thread(self) -> None:
        """A session is opened in a thread, for whoever that belongs to."""
        if header := self._one(await self._threads()):
            at = f"Communication/{header['id']}"
            await open_session(self._seat, (), thread=at)

    async def close(self) -> None:
        await self._on_session(close_session)

    async def reopen(self) -> None:
        await self._on_session(reopen_session)

    async def shut(self) -> None:
        """A thread is closed, and its session perhaps."""
        await self._on_thread(close_thread)

    async def unshut(self) -> None:
        await self._on_thread(reopen_thread)

    async def join(self) -> None:
        await self._on_thread(add_participant, ALICE)

    async def split(self) -> None:
        """A session of the children is split between them: a message each, or all for one."""
        session = self._one(await self._sessions())
        if session is None:
            return
        messages = await self._messages(session["id"])
        picked = self.random.sample(messages, min(len(messages), self.random.randint(0, 2)))
        whom = self.random.sample(CHILDREN, self.random.randint(1, 2))
        parts = [
            Part(who, tuple(_name(one) for one in picked[number : number + 1]))
            for number, who in enumerate(whom)
        ]
        at = _name(session)
        await split_by_patient(self._seat, at, parts)

    async def about(self) -> None:
        """A message, a thread or a session is about others, or about nobody who is known."""
        kinds = (self._sessions, self._threads, self._said)
        subject = self._one(await self.random.choice(kinds)())
        whom = self.random.sample(CHILDREN, self.random.randint(0, 2))
        if subject is not None:
            await correct_attribution(self._seat, _name(subject), whom)

    async def retract(self) -> None:
        if message := self._one(await self._said()):
            await retract(self._seat, _name(message))

    async def withdraw(self) -> None:
        """A client of FHIR says that a message was a mistake."""
        if message := self._one(await self._said()):
            await self._put({**message, "status": "entered-in-error"})

    async def reword(self) -> None:
        """The practice corrects what it wrote."""
        if message := self._one([one for one in await self._said() if _is_ours(one)]):
            await correct_message(
                Seat(self.store, DEFAULT_PROJECT, self.how, clock=self.clock),
                _name(message),
                "rather so",
                CHANNELS,
                sender=ALICE,
                key=str(self.clock()),
            )

    async def reply(self) -> None:
        """The practice answers in a thread, or answers a message."""
        kinds = (self._threads, self._said)
        if to := self._one(await self.random.choice(kinds)()):
            await reply(
                Seat(self.store, DEFAULT_PROJECT, self.how, clock=self.clock),
                _name(to),
                "we answer",
                CHANNELS,
                sender=ALICE,
                key=str(self.clock()),
            )

    async def answer(self) -> None:
        """Somebody says whom a session is about."""
        for task in await self._every("Task"):
            possible = [one.removeprefix("Patient/") for one in candidates(task)]
            if possible and task["status"] == "requested":
                whom = self.random.sample(possible, self.random.randint(1, len(possible)))
                await answer_review(self._seat, task["id"], whom)
                return

    async def subject(self) -> None:
        """Somebody says over FHIR that a session was about another one of the patients."""
        sessions = [one for one in await self._sessions() if not is_locked(one)]
        there = [one for one in sessions if _about(one) in CHILDREN]
        if session := self._one(there):
            who = self.random.choice(CHILDREN)
            await self._put({**session, "subject": {"reference": who}})

    async def merge(self) -> None:
        """Léa turns out to be Ben."""
        lea = decode((await self.store.read(DEFAULT_PROJECT, "Patient", "lea")).body)
        other = {"other": {"reference": "Patient/ben"}, "type": "replaced-by"}
        await self._put({**lea, "active": False, "link": [other]})

    async def people(self) -> None:
        with suppress(Conflict):  # They have come before.
            await add(self.store, STRANGERS)

    @property
    def _seat(self) -> Seat:
        return Seat(self.store, DEFAULT_PROJECT, self.how, clock=self.clock)

    async def _on_session(self, act: Any) -> None:
        if session := self._one(await self._sessions()):
            await act(self._seat, _name(session))

    async def _on_thread(self, act: Any, *more: str) -> None:
        if header := self._one(await self._threads()):
            await act(self._seat, _name(header), *more)

    def _one(self, some: Sequence[Any]) -> Any:
        return self.random.choice(some) if some else None

    async def _sessions(self) -> list[Any]:
        return [one for one in await self._every("Encounter") if is_session(one)]

    async def _threads(self) -> list[Any]:
        return [one for one in await self._every("Communication") if "partOf" not in one]

    async def _said(self) -> list[Any]:
        return [one for one in await self._every("Communication") if "partOf" in one]

    async def _messages(self, session: str) -> list[Any]:
        at = f"Encounter/{session}"
        headers = [
            _name(one)
            for one in await self._threads()
            if one.get("encounter", {}).get("reference") == at
        ]
        return [one for one in await self._said() if one["partOf"][0]["reference"] in headers]

    async def _every(self, type_: str) -> list[Any]:
        """Those that count, by their ids: in one order, whenever each was written."""
        page = await self.store.search(DEFAULT_PROJECT, Query(type_, count=1000))
        return sorted(_live(page.matches), key=lambda one: str(one["id"]))

    async def _put(self, body: dict[str, Any]) -> None:
        before = await self.store.read(DEFAULT_PROJECT, body["resourceType"], body["id"])
        now = self.clock()
        tags = body.pop("meta", {}).get("tag")
        body |= {"meta": {"tag": tags}} if tags else {}
        resource, written = stamp(body, before.id, new_id(now), now)
        version = resource["meta"]["versionId"]
        write = Write(before.type, before.id, version, now, resource, written, before)
        await self.store.commit(DEFAULT_PROJECT, ChangeSet((write,)))


#: All that people may do.
DEEDS = [name for name in vars(People) if not name.startswith("_") and name not in ("do",)]


def _live(found: Iterable[Stored]) -> list[Any]:
    bodies = [decode(one.body) for one in found]
    return [one for one in bodies if one["status"] != "entered-in-error"]


def _name(one: Any) -> str:
    return f"{one['resourceType']}/{one['id']}"


def _is_ours(message: Any) -> bool:
    return str(message["sender"].get("reference", "")).startswith(("Organization/", "Pract"))


def _about(session: Any) -> str:
    return str((session.get("subject") or {}).get("reference", ""))
