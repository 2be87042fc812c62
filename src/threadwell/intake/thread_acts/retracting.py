"""A person takes a message back: it stays readable, keeps its place, and counts for nothing.

It is the status of the message that says so. So a client that makes it ``entered-in-error`` has
said the same, and what was taken back stays so, whatever is imported again.
"""

from __future__ import annotations

from dataclasses import dataclass

from threadwell.encounters.child_ids import REPLY, own_of
from threadwell.encounters.corrected import Agent
from threadwell.encounters.drafts import is_draft
from threadwell.encounters.merge import is_live
from threadwell.encounters.retracted import retracted, retraction, retraction_id
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import instant
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.due import patients_of
from threadwell.intake.circles.rules import Rules
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.commits.unread import cancel_receipts
from threadwell.intake.copies.recording import Recorded
from threadwell.intake.importing import revise
from threadwell.intake.links import as_key, circle_of
from threadwell.intake.replies.asked import parent_of
from threadwell.intake.replies.outbox import Stage, letter, removed
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.stores.contract import Key, Stored


class BadRetraction(ValueError):
    """The message cannot be taken back; the message of this says why, without any content."""


@dataclass(frozen=True, slots=True)
class Retracted:
    """What has become of it: ``message`` and ``thread`` are ``Communication/…``.

    It is ``unsent`` where it is certain that nobody has it: it waited to be sent, and is not. No
    channel calls back what it has sent. It was ``there`` where somebody had taken it back before.
    """

    report: Report
    message: str
    thread: str
    unsent: bool
    there: bool = False


async def retract(seat: Seat, message: str, *, why: str = "") -> Retracted:
    """Take back the message (``Communication/…``).

    It is no longer part of its session's period, participants and subjects, and stays where it is:
    no message moves. The session keeps its identity, also where it was the first one. What was
    billed stays as it was billed; there the message alone is taken back. Raises ``BadRetraction``
    where it is no message, and ``Contended`` if others keep writing.
    """
    asked = _Asked(message if "/" in message else f"Communication/{message}", seat.by, why)

    async def make(run: Run) -> Batch:
        return await asked.make(run)

    report = await revise(seat, make)
    return Retracted(report, asked.message, asked.thread, asked.unsent, asked.there)


@dataclass(slots=True)
class _Asked:
    message: str
    by: Agent
    why: str
    thread: str = ""
    unsent: bool = False
    there: bool = False

    async def make(self, run: Run) -> Batch:
        """The batch that takes it back."""
        batch, key = run.begin(), as_key(self.message)
        stored = (await run.current([key])).get(key) if key.type == "Communication" else None
        if stored is None or stored.deleted:
            raise BadRetraction(f"there is no {self.message}")
        body: Resource = decode(stored.body)
        self.thread, self.unsent = parent_of(body), False
        self.there = not is_live(body)
        if not self.thread:
            raise BadRetraction(f"{self.message} is a thread: only a message is taken back")
        if is_draft(body):
            raise BadRetraction(f"{self.message} is a draft: delete it")
        if self.there:
            return batch
        header = await _current(run, as_key(self.thread))
        circle = circle_of(decode(header.body)) if header else ""
        who = await patients_of(run.people, circle, header.id) if circle and header else ()
        if who:
            at_hand = (await run.circles({circle: who}))[circle]
            batch.circles.add(circle)

            async def mark(_: Rules) -> Recorded:
                take_back(at_hand, key.id, run.by_patient)
                return Recorded()

            batch = await run.bring_up(batch, [circle], mark)
        self.unsent = await write_retracted(run, batch, stored, self.by, self.why)
        # The message may be all that changes: who has the circle at hand has to learn of it.
        return run.marked(batch)


def take_back(circle: Circle, child: str, by_patient: bool) -> None:
    """Let a message of the circle count for nothing; a session that was billed stays as it is."""
    for placed in circle.messages.values():
        link = placed.link
        if placed.child != child or link is None:
            continue
        placed.retracted = True
        if Key("Communication", link.header) not in circle.locked:
            circle.moved.add(placed.sent.id)
            circle.soil(circle.scope_of(placed, by_patient), placed.sent.at)


async def write_retracted(run: Run, batch: Batch, stored: Stored, by: Agent, why: str) -> bool:
    """Add the message as it is taken back, and who has done it; whether it never went out.

    What waits to be sent is taken out of the outbox by the same commit, also where it was tried in
    vain; whether a part of it went out then, nobody can tell. While it is being sent, the outbox
    lets go of it afterwards.
    """
    key = Key("Communication", stored.id)
    write = batch.writes.get(key)
    body = write.resource if write is not None else None
    batch.write(key, retracted(body or decode(stored.body), why), stored)
    told = retraction(stored.id, by, why, instant(batch.updated))
    batch.write(Key("Provenance", retraction_id(stored.id, stored.version_id)), told)
    await cancel_receipts(run.store, run.project, stored.id, batch)
    own = own_of(decode(stored.body))
    if own is None or not own.external_id.startswith(REPLY):
        return False
    unsent = False
    for one in await letter(run.store, run.project, own.external_id):
        if one.entry.stage in (Stage.HELD, Stage.WAITING):
            batch.keep(removed(one))
            unsent = not one.entry.tries
    return unsent


async def _current(run: Run, key: Key) -> Stored | None:
    stored = (await run.current([key])).get(key)
    return None if stored is None or stored.deleted else stored
