"""Which wording of a message counts: the last one. The others are taken back, as is all of one that
its sender has deleted.

It depends on which wordings there are, and not on which came first: an older export brings no
earlier words back, and what was taken back stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from threadwell.encounters.placed import Placed
from threadwell.encounters.retracted import BY_SENDER, REWORDED, TAKEN_BACK
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.plan import is_kept_out
from threadwell.intake.circles.rules import Rules
from threadwell.stores.contract import Key


def settle_wordings(circle: Circle, new: Sequence[Placed], rules: Rules) -> list[Placed]:
    """Let the last wording of each new message count; those that are stored and count no more."""
    out: list[Placed] = []
    coming = {one.child for one in new}
    for placed in new:
        coming.discard(placed.child)
        gone = placed.message is not None and placed.message.taken_back
        wordings = [one for one in circle.wordings_of(placed) if one.child not in coming]
        if gone:
            _undo(circle, placed, BY_SENDER, rules)
        if len(wordings) < 2 or is_kept_out(circle, placed, rules):
            continue
        link_wordings(circle, wordings, by_patient=rules.by_patient)
        others = [one for one in wordings if one is not placed]
        if gone:
            out += [one for one in others if take_back(circle, one, BY_SENDER, rules)]
        elif others[-1].retracted:
            _undo(circle, placed, others[-1].undone or TAKEN_BACK, rules)
        elif wordings[-1] is placed:
            out += [one for one in others if take_back(circle, one, REWORDED, rules)]
        else:
            _undo(circle, placed, REWORDED, rules)
    return out


def link_wordings(circle: Circle, wordings: list[Placed], *, by_patient: bool) -> None:
    """Let each wording answer the one before."""
    for before, after in pairwise(wordings):
        if after.edited and after.answers != before.external_id and not after.by_references:
            circle.answer(after, before.external_id, by_patient)


def take_back(circle: Circle, placed: Placed, why: str, rules: Rules) -> bool:
    """Let a message count for nothing; whether it is stored, and is to be written so.

    What was billed stays as it was billed: there the message alone is taken back.
    """
    if placed.retracted:
        return False
    _undo(circle, placed, why, rules)
    return placed.message is None


def _undo(circle: Circle, placed: Placed, why: str, rules: Rules) -> None:
    placed.undone = why
    if placed.link and Key("Communication", placed.link.header) in circle.locked:
        return
    placed.retracted = True
    circle.moved.add(placed.sent.id)
    circle.soil(circle.scope_of(placed, rules.by_patient), placed.sent.at)
