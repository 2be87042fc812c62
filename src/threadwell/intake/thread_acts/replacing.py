"""A person corrects a message that the practice has sent: it is taken back, and another one goes.

Both happen in one commit. The new message answers the one that was wrong, goes to those who have
that, and has the category ``correction``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from threadwell.channels.channel import Channel
from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent
from threadwell.encounters.merge import is_live
from threadwell.encounters.replacing import replacement
from threadwell.fhir.json import decode
from threadwell.intake.acting_person import agent_at
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.place import child_id
from threadwell.intake.commits.batch import Batch
from threadwell.intake.links import as_key
from threadwell.intake.replies.asked import Asked, BadReply, Replied
from threadwell.intake.replies.writing import Words, write_reply
from threadwell.intake.run import Run
from threadwell.intake.seat import SOMEBODY, Seat
from threadwell.intake.thread_acts.retracting import take_back, write_retracted
from threadwell.messages import Attachment
from threadwell.stores.contract import Key


async def correct_message(
    seat: Seat,
    message: str,
    text: str,
    channels: Mapping[str, Channel],
    *,
    sender: str,
    files: Sequence[Attachment] = (),
    key: str = "",
    why: str = "",
) -> Replied:
    """Take back the message (``Communication/…``), and send another one in its place.

    ``sender`` is the person who corrects. The same ``key`` given twice is one correction. Raises
    ``BadReply`` where that is no message of the practice's, was taken back or corrected before, or
    nothing can be sent in its thread, and ``Contended`` if others keep writing. Nothing is taken
    back then.
    """
    name = message if "/" in message else f"Communication/{message}"
    words = Words(text, sender, name, files, key, {"category": [codes.CORRECTED_MESSAGE]})
    # Whoever writes has taken it back, where nobody else is named.
    who = seat.by if seat.by.author else await agent_at(seat.store, seat.project, sender)
    ask = partial(_Correcting, by=who, why=why)
    return await write_reply(seat, name, words, channels, ask=ask)


@dataclass(slots=True)
class _Correcting(Asked):
    """A message that takes the place of the one that it answers."""

    by: Agent = SOMEBODY
    why: str = ""

    def find(self, circle: Circle) -> None:
        """Find out between whom it goes: it goes where the wrong one went."""
        Asked.find(self, circle)
        if self.answered.sent.inbound:
            raise BadReply("only what the practice wrote can be corrected")

    async def write(self, run: Run, now: int) -> Batch:
        """The batch with both."""
        key = as_key(f"Communication/{self.answered.child}")
        stored = (await run.current([key]))[key]
        wrong = is_live(decode(stored.body))
        if wrong:
            take_back(self.circle, key.id, run.by_patient)
        elif not await run.current([Key("Communication", child_id(self._message(now)))]):
            raise BadReply(self._over(key.id))
        batch = await Asked.write(self, run, now)
        if wrong and not self.there:
            await write_retracted(run, batch, stored, self.by, self.why)
        return batch

    def _over(self, child: str) -> str:
        """Why what counts no more is not corrected."""
        name = f"Communication/{child}"
        if instead := replacement(self.circle.messages.values(), child):
            instead_of = f"Communication/{instead.child}"
            return f"{name} was corrected already by {instead_of}: correct that one"
        return f"{name} was taken back already"
