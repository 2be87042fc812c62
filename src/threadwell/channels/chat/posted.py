"""A message of an app as it stands in the journal, and as a ``Message``. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from threadwell.channels.account import Account
from threadwell.channels.chat.names import NAME, Patient, own_address
from threadwell.channels.delivery import Delivery
from threadwell.channels.live import Heard
from threadwell.messages import Attachment, Broken, Message

#: Files of a message, and bytes of them together.
MOST_FILES, MOST_BYTES = 10, 20 * 1000 * 1000


class PostedFile(msgspec.Struct, frozen=True):
    """A file of a message, with its bytes."""

    name: str
    type: str
    content: bytes


class Posted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that a patient has sent; ``key`` is what their app calls it."""

    account: str
    who: str
    key: str
    text: str
    display: str = ""
    files: tuple[PostedFile, ...] = ()


def written(posted: Posted) -> bytes:
    """How it stands in the journal."""
    return msgspec.json.encode(posted)


def parse(delivery: Delivery, account: Account, _country: str) -> Iterator[Heard]:
    """The message of a delivery, which the server itself has written."""
    try:
        posted = msgspec.json.decode(delivery.body, type=Posted)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        where = f"a delivery to {account.name}"
        yield Broken(NAME, where, "is no message of an app", delivery.body, "application/json")
        return
    yield message_of(posted, delivery)


def message_of(posted: Posted, delivery: Delivery) -> Message:
    """The message. It was sent when it was accepted: a phone's clock may be wrong."""
    patient, own = Patient(posted.account, posted.who), own_address(posted.account)
    return Message(
        channel=NAME,
        external_id=patient.external_id(posted.key),
        sender=patient.address._replace(display=posted.display),
        recipients=(own,),
        sent=delivery.received,
        received=delivery.received,
        text=posted.text,
        new_text=posted.text,
        thread_hint=patient.thread,
        attachments=tuple(Attachment(one.name, one.type, one.content) for one in posted.files),
        made_id=True,
        ours=(own,),
    )
