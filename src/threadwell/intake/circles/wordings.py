"""Which wording of a message counts: the last one. The others are taken back, as is all of one that
its sender has deleted.

It depends on which wordings there are, and not on which came first: an older export brings no
earlier words back, and what was taken back stays so. A wording with the words of the one before is
none: a reaction or a preview of a link was added to the message, or something that nobody reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from threadwell.encounters.placed import Placed
from threadwell.encounters.retracted import BY_SENDER, REPEATED, REWORDED, TAKEN_BACK
from threadwell.encounters.said import File, Said
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.plan import is_kept_out
from threadwell.intake.circles.rules import Rules
from threadwell.intake.circles.worded import worded
from threadwell.stores.contract import Key


@dataclass(slots=True)
class Settled:
    """What became of wordings: ``undone`` and ``restored`` are stored ones, by their ids, that
    count no more, or again. The new ones that are ``repeats`` have left their circle.
    """

    undone: dict[str, Placed] = field(default_factory=dict)
    restored: dict[str, Placed] = field(default_factory=dict)
    repeats: list[Placed] = field(default_factory=list)


def settle_wordings(
    circle: Circle, new: Sequence[Placed], rules: Rules, says: Mapping[str, Said]
) -> Settled:
    """Let the last wording of each new message count.

    ``says`` tells by their ids what the wordings say, where a message has several.
    """
    out = Settled()
    if not circle.is_reworded:
        return out
    coming = {one.child for one in new}
    for placed in sorted(new, key=worded):
        coming.discard(placed.child)
        gone = placed.message is not None and placed.message.taken_back
        wordings = [one for one in circle.wordings_of(placed) if one.child not in coming]
        if gone:
            _undo(circle, placed, BY_SENDER, rules)
        if len(wordings) < 2:
            continue
        repeats = _repeats(wordings, says)
        if placed.child in repeats:
            circle.let_go(placed, rules.by_patient)
            out.repeats.append(placed)
            continue
        if is_kept_out(circle, placed, rules):
            continue
        circle.link_wordings(wordings, rules.by_patient)
        others = [one for one in wordings if one is not placed and one.undone != REPEATED]
        if gone:
            for one in others:
                _take_back(out, circle, one, BY_SENDER, rules)
        elif others and others[-1].retracted:
            _undo(circle, placed, others[-1].undone or TAKEN_BACK, rules)
        else:
            _settle(out, circle, wordings, repeats, rules)
    return out


def take_back(circle: Circle, placed: Placed, why: str, rules: Rules) -> bool:
    """Let a message count for nothing; whether it is stored, and is to be written so.

    What was billed stays as it was billed: there the message alone is taken back.
    """
    if placed.retracted:
        return False
    _undo(circle, placed, why, rules)
    return placed.message is None


def _settle(
    out: Settled, circle: Circle, wordings: Sequence[Placed], repeats: set[str], rules: Rules
) -> None:
    """Let the last wording count that is no repeat, and no other."""
    last = next(one for one in reversed(wordings) if one.child not in repeats)
    if last.undone == REPEATED and last.retracted and not _is_locked(circle, last):
        last.retracted, last.undone = False, ""
        _stir(circle, last, rules)
        if out.undone.pop(last.child, None) is None and last.message is None:
            out.restored[last.child] = last
    for one in wordings:
        if one is not last and not (last.retracted and one.child in repeats):
            why = REPEATED if one.child in repeats else REWORDED
            _take_back(out, circle, one, why, rules)


def _take_back(out: Settled, circle: Circle, placed: Placed, why: str, rules: Rules) -> None:
    if take_back(circle, placed, why, rules) and out.restored.pop(placed.child, None) is None:
        out.undone[placed.child] = placed


def _repeats(wordings: Sequence[Placed], says: Mapping[str, Said]) -> set[str]:
    """The ids of the wordings that say what the one before does; the first never is one."""
    out: set[str] = set()
    before: Said | None = None
    for one in wordings:
        mine = says.get(one.child)
        gone = one.message is not None and one.message.taken_back
        if before is not None and mine is not None and not gone and _repeats_words(before, mine):
            out.add(one.child)
        else:
            before = mine
    return out


def _repeats_words(before: Said, now: Said) -> bool:
    """Whether a wording says nothing else. One without files may tell nothing of them."""
    if now.text.strip() != before.text.strip() or now.subject != before.subject:
        return False
    if not now.files:
        return bool(now.text)
    return len(now.files) == len(before.files) and all(map(_is_one, before.files, now.files))


def _is_one(before: File, now: File) -> bool:
    if before.there and now.there:
        return before.bytes_key == now.bytes_key
    return (before.name, before.type) == (now.name, now.type)


def _undo(circle: Circle, placed: Placed, why: str, rules: Rules) -> None:
    placed.undone = why
    if _is_locked(circle, placed):
        return
    placed.retracted = True
    _stir(circle, placed, rules)


def _is_locked(circle: Circle, placed: Placed) -> bool:
    return placed.link is not None and Key("Communication", placed.link.header) in circle.locked


def _stir(circle: Circle, placed: Placed, rules: Rules) -> None:
    circle.moved.add(placed.sent.id)
    circle.soil(circle.scope_of(placed, rules.by_patient), placed.sent.at)
