"""What a provider took and did not deliver is sent once more: as another message, beside it."""

from __future__ import annotations

from collections.abc import Mapping

from threadwell.channels.channel import Channel
from threadwell.encounters.child_ids import own_of
from threadwell.encounters.delivery import FAILED, delivery_of
from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.intake.links import as_key
from threadwell.intake.replies.asked import BadReply, Replied
from threadwell.intake.replies.outbox import Stage, letter
from threadwell.intake.replies.words import words_of
from threadwell.intake.replies.writing import reply
from threadwell.intake.seat import Seat


async def send_again(
    seat: Seat, message: str, channels: Mapping[str, Channel], *, sender: str
) -> Replied:
    """Write the same words, to the same people, that a message (``Communication/…``) has.

    ``sender`` is the person who says so, and writes it. However often it is said of one message, it
    is one more. Raises ``BadReply`` where that was not said to be undelivered, and ``Contended``.
    """
    key = as_key(message)
    stored = await seat.store.read(seat.project, *key) if key.type == "Communication" else None
    if stored is None or stored.deleted:
        raise BadReply(f"there is no {message}")
    body = decode(stored.body)
    told = delivery_of(body)
    if told is None or told.state != FAILED or not is_live(body):
        raise BadReply("only what was not delivered is sent again")
    own = own_of(body)
    letters = await letter(seat.store, seat.project, own.external_id) if own else []
    if any(one.entry.stage is Stage.HELD for one in letters):
        raise BadReply("it waits in the outbox, where it can be sent after all")
    words = await words_of(seat.store, seat.project, body)
    return await reply(
        seat,
        message,
        words.text,
        channels,
        sender=sender,
        answers=message,
        files=words.files,
        key=f"again {key.id}",
    )
