"""Stored messages that count no more become writes: their senders have reworded or deleted them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from threadwell.encounters.corrected import Agent
from threadwell.encounters.placed import Placed
from threadwell.encounters.retracted import BY_SENDER, retracted, retraction, retraction_id
from threadwell.fhir.json import decode
from threadwell.fhir.stamp import instant
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.rules import Rules
from threadwell.intake.circles.wordings import settle_wordings, take_back
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.unread import cancel_receipts
from threadwell.intake.copies.occupants import AtHand, find_places
from threadwell.intake.copies.recording import Draft, Recorded
from threadwell.messages import Message
from threadwell.stores.contract import Key, Stored

#: Whose word it is: the provider tells of it, and knows no name.
BY = Agent("Its sender")


async def undo(
    groups: Mapping[str, Sequence[Message]],
    found: Mapping[Key, Stored],
    placed: Iterable[tuple[Circle, Sequence[Placed]]],
    recorded: Recorded,
    batch: Batch,
    rules: Rules,
    desk: AtHand,
) -> None:
    """Take back what counts no more by messages that have come, and add that to ``recorded``.

    ``groups`` are all that have come by the id of a sole child, ``found`` what is stored under
    these, and ``placed`` the new ones that have a place.
    """
    undone: list[tuple[Circle, Placed]] = []
    for circle, new in placed:
        undone += [(circle, one) for one in settle_wordings(circle, new, rules)]
    undone += await _deleted(groups, found, rules, desk)
    current = await desk.current([Key("Communication", one.child) for _, one in undone])
    for circle, one in undone:
        stored = current.get(Key("Communication", one.child))
        if stored is None or stored.deleted:
            continue
        draft = recorded.drafts.get(one.child)
        body = retracted(draft.body if draft else decode(stored.body), one.undone)
        files = draft.files if draft else ()
        recorded.drafts[one.child] = Draft(circle, one, body, stored, files)
        recorded.touched.add(circle.key)
        told = retraction(one.child, BY, one.undone, instant(batch.updated))
        batch.write(Key("Provenance", retraction_id(one.child, stored.version_id)), told)
        await cancel_receipts(desk.store, desk.project, one.child, batch)


async def _deleted(
    groups: Mapping[str, Sequence[Message]],
    found: Mapping[Key, Stored],
    rules: Rules,
    desk: AtHand,
) -> list[tuple[Circle, Placed]]:
    """What is stored and has been deleted by its sender since."""
    gone = {
        id_: those
        for id_, those in groups.items()
        if any(one.taken_back for one in those) and Key("Communication", id_) in found
    }
    out: list[tuple[Circle, Placed]] = []
    if not gone:
        return out
    await desk.ways.find([one for those in gone.values() for one in those])
    for place in (await find_places(gone, found, desk)).values():
        for one in place.occupants:
            circle, placed = one.circle, one.placed
            if circle is None or placed is None:
                continue
            wordings = circle.wordings_of(placed)
            out += [
                (circle, each) for each in wordings if take_back(circle, each, BY_SENDER, rules)
            ]
    return out
