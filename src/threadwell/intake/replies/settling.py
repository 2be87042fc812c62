"""A message that was sent gets its provider's id as a second identifier, and leaves the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.channels.live import Status
from threadwell.encounters import codes
from threadwell.encounters.child import retired
from threadwell.encounters.child_ids import own_of, sent_as, with_sent_id
from threadwell.encounters.identity import message_identity
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.arrivals.statuses import statuses_kept
from threadwell.intake.circles.due import patients_of
from threadwell.intake.circles.rules import Rules
from threadwell.intake.circles.worded import identity_of
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.marks import circle_mark
from threadwell.intake.copies.recording import Recorded
from threadwell.intake.importing import revise
from threadwell.intake.links import as_key, circle_of
from threadwell.intake.paging import search_all
from threadwell.intake.replies.outbox import Queued, removed
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.stores.contract import Kept, Key, Store, Stored


class Gone(Exception):
    """Somebody else has decided about the message meanwhile."""


async def settle(seat: Seat, one: Queued, external_id: str, *, told: Sequence[Status] = ()) -> None:
    """Give the message that id, and take it out of the outbox, in one commit.

    In the same one is kept what its provider has ``told`` of it: nobody tells it again.

    A log of the provider's that was imported in between has brought the message as another one:
    that one gives way. Raises ``Gone``, and ``StoreError`` if others keep writing.
    """

    async def make(run: Run) -> Batch:
        if await seat.store.get_private(one.kind, one.name) != one.value:
            raise Gone
        kept = await statuses_kept(seat.store, seat.project, told)
        return await _settled(run, one, external_id, kept)

    await revise(seat, make)


async def is_there(store: Store, project: str, channel: str, external_id: str) -> bool:
    """Whether a message of that id is in the record: as it was met in a mailbox, say."""
    stored = await store.read(project, "Communication", message_identity(channel, external_id).id)
    return stored is not None and not stored.deleted


async def known_ids(store: Store, project: str, channel: str, ids: Sequence[str]) -> set[str]:
    """Those of the provider's ids that messages which were written here have already."""
    if not ids:
        return set()
    tokens = tuple(TokenMatch(codes.MESSAGE + channel, id_) for id_ in ids)
    query = Query("Communication", (TokenFilter("identifier", tokens),))
    return {
        id_
        async for stored in search_all(store, project, query)
        for id_ in sent_as(decode(stored.body))
    }


async def _settled(run: Run, one: Queued, external_id: str, told: Sequence[Kept]) -> Batch:
    entry, batch = one.entry, run.begin()
    key = Key("Communication", entry.message)
    copy = Key("Communication", message_identity(entry.channel, external_id).id)
    # The marker is read before what it stands for.
    there = await _current(run, key)
    header = await _current(run, as_key(_parent(decode(there.body)))) if there else None
    circle = circle_of(decode(header.body)) if header else ""
    if circle:
        await run.marks.read([circle_mark(circle)])
        there = await _current(run, key)
    if there is None:
        raise Gone
    batch.write(key, with_sent_id(decode(there.body), external_id), there)
    batch.keep(removed(one))
    for kept in told:
        batch.keep(kept)
    if not circle:
        return batch
    batch.circles.add(circle)
    other = await _current(run, copy)
    own = own_of(decode(other.body)) if other else None
    if header is None or other is None or own is None or own.old:
        return run.marked(batch)
    who = await patients_of(run.people, circle, header.id)
    at_hand = (await run.circles({circle: who}))[circle]

    async def let_go(_rules: Rules) -> Recorded:
        placed = at_hand.messages.get(identity_of(entry.channel, external_id))
        if placed is not None:
            at_hand.let_go(placed, run.by_patient)
        batch.write(copy, retired(decode(other.body)), other)
        return Recorded()

    return await run.bring_up(batch, [circle], let_go)


async def _current(run: Run, key: Key) -> Stored | None:
    stored = (await run.current([key])).get(key)
    return None if stored is None or stored.deleted else stored


def _parent(child: Resource) -> str:
    return str((child.get("partOf") or [{}])[0].get("reference", ""))
