"""Wordings that changed no words, and are no messages: kept, as others may come in between.

A message that says A, then B, then A again has three wordings. Where B comes last it turns out
only then that the second A is one. Nothing of these is a resource, and nobody sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from hashlib import sha256

import msgspec

from threadwell.encounters.placed import Placed
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.place import child_id
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.values import Values
from threadwell.intake.held.hold import decode_message, encode_message
from threadwell.messages import Message
from threadwell.messages.wordings import original_of

KIND = "repeat"


def repeats_name(project: str, channel: str, external_id: str) -> str:
    """The name of the private value that has those of a message."""
    id_ = f"{channel}|{original_of(external_id)}"
    digest = sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{project}/{digest[:32]}"


class Repeats:
    """What one run knows of them."""

    def __init__(self, values: Values, project: str) -> None:
        self._values = values
        self._project = project
        self._found: dict[str, bytes] = {}

    async def beside(self, groups: Mapping[str, Sequence[Message]]) -> dict[str, list[Message]]:
        """Those that are known of the messages that are edited, and not among these, by their ids.

        ``groups`` are messages by their logical ids. With this a batch begins.
        """
        names = {self._name(one) for those in groups.values() for one in those if one.edited}
        self._found = await self._values.get_many(KIND, names) if names else {}
        found = [decode_message(each) for one in self._found.values() for each in _decoded(one)]
        return {id_: [one] for one in found if (id_ := child_id(one)) not in groups}

    def keep(
        self,
        batch: Batch,
        repeats: Iterable[tuple[Circle, Placed]],
        fresh: MutableMapping[str, Message],
    ) -> None:
        """Keep, with a batch, messages that have left their place, and are not ``fresh``."""
        for circle, placed in repeats:
            del fresh[placed.child]
            if placed.message is None:
                continue
            name, one = self._name(placed.message), encode_message(placed.message)
            before = self._found.get(name)
            there = _decoded(before) if before else []
            if any(decode_message(each).external_id == placed.external_id for each in there):
                continue
            now = msgspec.json.encode([*there, one])
            self._values.put(batch, KIND, name, now, before)
            self._found[name] = now
            batch.circles.add(circle.key)

    def rests(self, batch: Batch) -> bool:
        """Whether a batch keeps one: then it rests on what stands, though it may write nothing."""
        return any(key.type == KIND for key in batch.kept)

    def _name(self, message: Message) -> str:
        return repeats_name(self._project, message.channel, message.external_id)


def _decoded(value: bytes) -> list[bytes]:
    return msgspec.json.decode(value, type=list[bytes])
