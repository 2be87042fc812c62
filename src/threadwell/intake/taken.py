"""What became of the messages of one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from threadwell.intake.copies.meeting import Newcomer
from threadwell.intake.people.route import Held
from threadwell.messages import Message


@dataclass(slots=True)
class Taken:
    """What became of messages: ``held`` in their order, ``None`` for those that have a place.

    ``new`` is how many were not there before, and ``placed`` are those that were not known.
    """

    held: list[Held | None]
    new: int
    placed: list[Message]

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        messages: Sequence[Message],
        fresh: Mapping[str, Message],
        newcomers: Mapping[str, Sequence[Newcomer]],
        held: Mapping[str, Held],
    ) -> Taken:
        """Out of the ids of sole children, the fresh messages and what those that met became."""
        placed = [message for id_, message in fresh.items() if id_ not in held]
        new = len(placed)
        for those in newcomers.values():
            for one in those:
                one.held = one.held or held.get(one.child)
                if one.held is None:
                    placed.append(one.message)
        if not newcomers:
            return cls([held.get(id_) for id_ in ids], new, placed)
        fates: list[Held | None] = []
        for id_, message in zip(ids, messages, strict=True):
            met = newcomers.get(id_)
            mine = next((one.held for one in met if one.message == message), None) if met else None
            fates.append(mine if met else held.get(id_))
        return cls(fates, new, placed)
