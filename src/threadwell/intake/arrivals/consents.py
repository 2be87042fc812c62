"""Who does not want messages: the ledger of what people have said with STOP and START.

It is kept by the practice's address and theirs, as carriers do: whoever has that phone has said so,
for every message from there. What was said last counts, in whatever order it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from threadwell.channels.live import Wish, Wished
from threadwell.intake.patience import Contended, Patience
from threadwell.messages import Address
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

_KIND = "consent"


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody has said: ``message`` is the provider's id of it, ``channel`` where it came."""

    wish: Wish
    at: datetime
    channel: str
    message: str


async def may_write(store: Store, project: str, own: Address, other: Address) -> bool:
    """Whether ``other`` may get messages from ``own``: not once they have said STOP.

    Whoever sends asks this right before it sends, for each recipient.
    """
    words = await words_of(store, project, own, other)
    return not words or words[-1].wish is not Wish.STOP


async def words_of(store: Store, project: str, own: Address, other: Address) -> list[Word]:
    """What ``other`` has said to ``own`` about being written to, the oldest first."""
    value = await store.get_private(_KIND, _name(project, own, other))
    return msgspec.json.decode(value, type=list[Word]) if value is not None else []


async def keep_wishes(store: Store, project: str, wishes: Sequence[Wished]) -> None:
    """Add what was said to the ledger; a question for help changes nothing."""
    by_name: dict[str, list[Word]] = {}
    for one in wishes:
        if one.wish is not Wish.HELP:
            word = Word(one.wish, one.at, one.channel, one.external_id)
            by_name.setdefault(_name(project, one.own, one.who), []).append(word)
    patience = Patience()
    while by_name and await patience.turn():
        kept = []
        for name, words in by_name.items():
            before = await store.get_private(_KIND, name)
            there = msgspec.json.decode(before, type=list[Word]) if before is not None else []
            now = msgspec.json.encode(_ordered([*there, *words]))
            if now != before:
                kept.append(Kept(_KIND, name, now, before))
        try:
            if kept:
                await store.commit(project, ChangeSet((), kept=tuple(kept)))
        except Conflict:
            continue
        return
    if by_name:
        raise Contended("others keep writing to the ledger of the same addresses")


def _ordered(words: Sequence[Word]) -> list[Word]:
    """Each message's word once, by the earliest time that it was told with."""
    out: dict[tuple[str, str], Word] = {}
    for word in words:
        known = out.get((word.channel, word.message), word)
        out[word.channel, word.message] = min(known, word, key=lambda one: one.at)
    return sorted(out.values(), key=lambda one: (one.at, one.channel, one.message))


def _name(project: str, own: Address, other: Address) -> str:
    return f"{project}/{own.key[1]}|{other.key[1]}"
