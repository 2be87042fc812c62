"""Two records of one patient become one: threads and sessions go to the one that stays."""

from __future__ import annotations

from dataclasses import dataclass

from threadwell.fhir.json import decode
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.importing import replay
from threadwell.intake.links import as_key
from threadwell.intake.patience import Contended, Patience
from threadwell.intake.people.replaced import hand_over, record
from threadwell.intake.people.standing import replaced_by
from threadwell.intake.seat import Seat
from threadwell.stores.contract import ChangeSet, Conflict


class BadMerge(ValueError):
    """The two cannot be merged; the message says why."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Who has everything now (``Patient/…``), and what became of threads and sessions."""

    patient: str
    report: Report


async def merge_patients(seat: Seat, old: str, new: str) -> Merged:
    """Let ``new`` (``Patient/…``) take the place of ``old``, whose record stays and is closed.

    Addresses, family, threads, sessions, acts and answers are the other one's from then on; what
    has been billed stays as it was. Raises ``BadMerge``, and ``Contended`` if others keep writing.
    """
    store, project, settings = seat.store, seat.project, seat.settings
    old, new = (f"Patient/{one.removeprefix('Patient/')}" for one in (old, new))
    if old == new:
        raise BadMerge("a patient is not merged with themselves")
    patience = Patience()
    while await patience.turn():
        for one in (old, new):
            found = await store.read(project, *as_key(one))
            if found is None or found.deleted:
                raise BadMerge(f"there is no {one}")
            body = decode(found.body)
            if one == new and body.get("active") is False:
                raise BadMerge(f"{new} is not active any more")
            if one == old and replaced_by(body) not in ("", new):
                raise BadMerge(f"{old} was merged into {replaced_by(body)}")
        batch = Batch(updated=seat.clock(), author=seat.by.author)
        await hand_over(store, project, batch, old, new, settings.country)
        try:
            if batch.writes:
                record(batch, old, new, seat.by)
                await store.commit(project, ChangeSet(tuple(batch.writes.values())))
        except Conflict:
            continue
        return Merged(new, await replay(seat))
    raise Contended("others keep writing to the same people; try again when they are done")
