"""One element of a backup becomes one message, or the reason why it is none."""

from __future__ import annotations

from datetime import timedelta

from threadwell.channels.android.columns import (
    EPOCH,
    RECEIVED,
    SENT,
    Refused,
    notes_of,
    read_box,
    sent_time,
    subject_of,
)
from threadwell.channels.android.identity import Identities
from threadwell.channels.android.owner import Owner
from threadwell.channels.android.parts import Parts, read_parts
from threadwell.channels.sms_backup.earlier import earlier_ids
from threadwell.channels.sms_backup.elements import Element
from threadwell.channels.sms_backup.ends import NAME, read_ends
from threadwell.messages import Message

_SPOILT = ("characters that the backup had spoilt were left out",)


def parse_message(element: Element, owner: Owner, ids: Identities) -> Message | Refused:
    """The message that an ``<sms>`` or ``<mms>`` holds.

    ``sent`` is when the other side sent it, as far as the network told, and otherwise when the
    phone did.
    """
    attributes = element.attributes
    mms = element.name == "mms"
    dated = read_box(attributes, mms=mms)
    if isinstance(dated, Refused):
        return dated
    received, ms = dated
    box = RECEIVED if received else SENT
    ends = read_ends(element, received, owner)
    if isinstance(ends, Refused):
        return ends
    subject = subject_of(attributes)
    content = read_parts(element.parts) if mms else Parts(attributes.get("body", ""))
    if not (content.text or content.attachments or subject):
        return Refused("empty")
    date = EPOCH + timedelta(milliseconds=ms)
    before: tuple[str, ...] = ()
    if ids.earlier:
        before = earlier_ids(ms, box, ends, subject, content)
    return Message(
        channel=NAME,
        external_id=ids.of(
            ms, attributes.get("m_id", "") if mms else "", box, ends.who, content.text
        ),
        sender=ends.sender,
        recipients=ends.recipients,
        sent=sent_time(attributes, date) if received else date,
        received=date if received else None,
        text=content.text,
        new_text=content.text,
        thread_hint=ends.thread,
        subject=subject,
        attachments=content.attachments,
        medium="MMSWRIT" if mms else "SMSWRIT",
        notes=content.notes + (_SPOILT if element.repaired else ()) + notes_of(attributes),
        made_id=True,
        earlier_ids=before,
    )
