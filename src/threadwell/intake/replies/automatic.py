"""A reply that nobody writes at that moment: a saved one, sent by a rule.

It never goes where it could do harm: not twice within hours in one thread, so that two machines do
not write to each other; not to what came long ago; and not to whoever has said STOP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from threadwell.channels.channel import Channel
from threadwell.encounters.child_ids import REPLY
from threadwell.encounters.identity import message_identity
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake.commits.batch import Batch
from threadwell.intake.links import as_key
from threadwell.intake.people.address_book import keys_of
from threadwell.intake.people.practice_row import PRACTICE
from threadwell.intake.people.route import address_key
from threadwell.intake.replies.asked import Asked, BadReply, parent_of
from threadwell.intake.replies.saved import saved_text
from threadwell.intake.replies.words import Words
from threadwell.intake.replies.writing import AUTHORS, write_reply
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.messages import Message
from threadwell.messages.automatic import AUTOMATIC

#: How long nothing is sent by itself again in a thread, and how old what it answers may be.
PAUSE_US, OLD_US = 12 * 3_600_000_000, 3_600_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """What has come of it: the reply (``Communication/…``) or why there is none, as ``text``."""

    sent: bool
    text: str


async def reply_by_itself(
    seat: Seat, saved: str, message: str, channels: Mapping[str, Channel], *, sender: str, key: str
) -> Told:
    """Answer a message with a saved reply; asked again with the same ``key``, it is the same one.

    ``sender`` is who is named as having written it, ``""`` for the practice. Raises ``Contended``.
    """
    stored = await seat.store.read(seat.project, *as_key(message))
    child = decode(stored.body) if stored and not stored.deleted else {}
    thread = parent_of(child)
    if not thread:
        return Told(False, "the message is gone")
    try:
        sender = sender or await _practice(seat)
        text = await saved_text(seat, saved, message, sender=sender)
        done = await write_reply(
            seat,
            thread,
            Words(text, sender, message, key=key, filled_in=True),
            channels,
            ask=_ByItself,
            may=(*AUTHORS, "Organization/"),
        )
    except BadReply as error:
        return Told(False, str(error))
    return Told(True, done.message)


@dataclass(slots=True)
class _ByItself(Asked):
    """What is written by itself, where nothing speaks against it."""

    async def write(self, run: Run, now: int) -> Batch:
        """As ``Asked.write``; raises ``BadReply`` where nothing is to be sent by itself."""
        own = message_identity(self.channel, f"{REPLY}{self.name}").id
        at = now * 1000
        if all(one.child != own for one in self.circle.messages.values()):
            if at - self.answered.sent.at > OLD_US:
                raise BadReply("the message is older than an hour")
            if any(
                one.quiet and not one.sent.inbound and at - one.sent.at < PAUSE_US
                for one in self.circle.messages.values()
                if one.sent.thread == self.answered.sent.thread
            ):
                raise BadReply("something was sent by itself less than 12 hours ago")
        return await Asked.write(self, run, now)

    def _message(self, now: int) -> Message:
        return replace(Asked._message(self, now), notes=(AUTOMATIC,))


async def _practice(seat: Seat) -> str:
    """The Organization that writes, where no person does."""
    settings = seat.settings
    if settings.organization:
        return settings.organization
    page = await seat.store.search(seat.project, Query("Organization", count=1000))
    found = {one.id: decode(one.body) for one in page.matches}
    active = {id_: one for id_, one in found.items() if one.get("active") is not False}
    own = {address_key(address) for address in settings.owner}
    having = [id_ for id_, one in active.items() if own & keys_of(one, settings.country)]
    made = [PRACTICE.id] if PRACTICE.id in active else []
    for id_ in (*having, *made, *active):
        return f"Organization/{id_}"
    raise BadReply("no Organization says who the practice is")
