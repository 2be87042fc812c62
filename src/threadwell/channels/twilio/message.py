"""A message of Twilio's as we have it, whichever way it came.

Logs and webhooks tell the same of it by other names. Both make a ``Told`` of that, so that both
make the same message: with the same id, thread and words, and the addresses in the same form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from threadwell.channels.channel import ReadOptions
from threadwell.channels.records import Refused
from threadwell.channels.twilio.addresses import DamagedAddress, ends_of
from threadwell.channels.twilio.identity import NAME, is_multimedia, parse_account
from threadwell.channels.twilio.states import NEVER_SENT, note_of
from threadwell.messages import Attachment, Message

#: The medium of what names no other.
MEDIUM = "SMSWRIT"
#: What Twilio puts before each text of an account that was not paid for.
_TRIAL = "Sent from your Twilio trial account - "


@dataclass(frozen=True, slots=True)
class Told:
    """What Twilio tells of a message.

    ``id`` is as ``parse_message_id`` makes it; ``sent`` is when Twilio sent it, or the practice was
    told of it. ``status`` is in lower case, and may be empty, as may all other texts. ``files`` are
    the media that came with it, without content where only their number is known. ``account`` is
    the one that it is of, as Twilio writes it.
    """

    id: str
    from_: str
    to: str
    inbound: bool
    sent: datetime
    body: str = ""
    status: str = ""
    error_code: str = ""
    service_sid: str = ""
    files: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = field(default=())
    account: str = ""


def message_of(told: Told, options: ReadOptions) -> Message | Refused:
    """The message, or why it is none."""
    if not told.inbound and told.status in NEVER_SENT:
        return Refused(NEVER_SENT[told.status], set_aside=True)
    try:
        ends = ends_of(
            told.from_,
            told.to,
            inbound=told.inbound,
            service_sid=told.service_sid,
            owner=options.owner,
            country=options.country,
        )
    except DamagedAddress:
        return Refused("a number in it has lost digits in a spreadsheet")
    if ends is None:
        return Refused("nobody is named at its other end")
    state = note_of(told.status, told.error_code)
    return Message(
        channel=NAME,
        external_id=told.id,
        sender=ends.sender,
        recipients=(ends.recipient,),
        sent=told.sent,
        text=told.body,
        new_text=told.body if told.inbound else told.body.removeprefix(_TRIAL),
        thread_hint=ends.thread,
        attachments=told.files,
        medium=ends.medium or ("MMSWRIT" if is_multimedia(told.id) or told.files else MEDIUM),
        notes=(*told.notes, *filter(None, [state])),
        made_id=True,
        ours=(ends.own,),
        source=parse_account(told.account),
    )
