"""Stored messages that count no more become writes: their senders have reworded or deleted them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threadwell.encounters.corrected import Agent
from threadwell.encounters.placed import Placed
from threadwell.encounters.retracted import (
    BY_SENDER,
    RETURNED,
    REWORDED,
    restored,
    retracted,
    retraction,
    retraction_id,
)
from threadwell.encounters.said import Said, said, said_in
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
    placed: Sequence[tuple[Circle, Sequence[Placed]]],
    recorded: Recorded,
    batch: Batch,
    rules: Rules,
    desk: AtHand,
) -> list[tuple[Circle, Placed]]:
    """Take back what counts no more by messages that have come, and add that to ``recorded``.

    The new ones are returned that say what the wording before them says: they have no place.

    ``groups`` are all that have come by the id of a sole child, ``found`` what is stored under
    these, and ``placed`` the new ones that have a place.
    """
    undone: list[tuple[Circle, Placed]] = []
    again: list[tuple[Circle, Placed]] = []
    repeats: list[tuple[Circle, Placed]] = []
    says = await _words(placed, desk)
    for circle, new in placed:
        settled = settle_wordings(circle, new, rules, says)
        undone += [(circle, one) for one in settled.undone.values()]
        again += [(circle, one) for one in settled.restored.values()]
        repeats += [(circle, one) for one in settled.repeats]
    replaced = [one for _, new in placed for one in new] + [one for _, one in undone]
    recorded.reworded = sum(one.undone == REWORDED for one in replaced)
    undone += await _deleted(groups, found, rules, desk)
    changed = [*undone, *again]
    current = await desk.current([Key("Communication", one.child) for _, one in changed])
    for at, (circle, one) in enumerate(changed):
        stored = current.get(Key("Communication", one.child))
        if stored is None or stored.deleted:
            continue
        draft = recorded.drafts.get(one.child)
        body, counts = draft.body if draft else decode(stored.body), at >= len(undone)
        body = restored(body) if counts else retracted(body, one.undone)
        files = draft.files if draft else ()
        recorded.drafts[one.child] = Draft(circle, one, body, stored, files)
        recorded.touched.add(circle.key)
        why = RETURNED if counts else one.undone
        told = retraction(one.child, BY, why, instant(batch.updated), undone=not counts)
        batch.write(Key("Provenance", retraction_id(one.child, stored.version_id)), told)
        if not counts:
            await cancel_receipts(desk.store, desk.project, one.child, batch)
    return repeats


async def _words(
    placed: Sequence[tuple[Circle, Sequence[Placed]]], desk: AtHand
) -> dict[str, Said]:
    """What the wordings say of the new messages that have several, by their ids."""
    out: dict[str, Said] = {}
    there: dict[Key, Placed] = {}
    for circle, new in placed:
        for one in new if circle.is_reworded else ():
            wordings = circle.wordings_of(one)
            for each in wordings if len(wordings) > 1 else ():
                if each.message is not None:
                    out[each.child] = said(each.message)
                else:
                    there[Key("Communication", each.child)] = each
    for key, stored in (await desk.current(list(there))).items() if there else ():
        says = None if stored.deleted else said_in(decode(stored.body), there[key].thread_id)
        if says is not None:
            out[key.id] = says
    return out


async def _deleted(
    groups: Mapping[str, Sequence[Message]],
    found: Mapping[Key, Stored],
    rules: Rules,
    desk: AtHand,
) -> list[tuple[Circle, Placed]]:
    """What is stored and has been deleted by its sender since."""
    out: list[tuple[Circle, Placed]] = []
    if not found:
        return out
    gone = {
        id_: those
        for id_, those in groups.items()
        if any(one.taken_back for one in those) and Key("Communication", id_) in found
    }
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
