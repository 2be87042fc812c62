"""What the provider delivers: whether it is from there, and what it holds."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from threadwell.calls.call import Called
from threadwell.channels.account import Account, Field
from threadwell.channels.asking import call_for
from threadwell.channels.channel import Channel, ChannelKind
from threadwell.channels.delivery import Delivery, Refused
from threadwell.channels.live import (
    Arrived,
    Heard,
    Live,
    Remote,
    State,
    Status,
    Step,
    file_of,
)
from threadwell.messages import Attachment, Broken, Message, parse_phone

NAME = "harbour"
_SIGNATURE = "harbour-signature"
_DOMAINS = ("harbour.example",)
_FILES = "https://api.harbour.example/files/"
_STATES = {
    "accepted": State.QUEUED,
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "failed": State.FAILED,
}


class _File(msgspec.Struct):
    id: str
    type: str


class _Event(msgspec.Struct):
    """An event as its provider writes it; a message has ``text``, a status ``status``."""

    kind: str
    id: str
    at: datetime
    from_: str = msgspec.field(name="from", default="")
    to: str = ""
    text: str = ""
    status: str = ""
    error: str = ""
    files: list[_File] = []


def verify(delivery: Delivery, account: Account) -> Refused | None:
    """Why it is not from the provider, ``None`` where it is: the raw body is what is signed."""
    given = delivery.headers.get(_SIGNATURE, "").encode("utf-8", "replace")
    right = hmac.digest(account.value("secret").encode(), delivery.body, "sha256").hex()
    if hmac.compare_digest(given, right.encode()):
        return None
    return Refused("its signature is not that of this account")


def parse(delivery: Delivery, account: Account, country: str) -> Iterator[Heard]:
    """What a delivery holds: one or more events, each on its own."""
    try:
        events = msgspec.convert(json.loads(delivery.body)["events"], list[dict[str, Any]])
    except (ValueError, KeyError, TypeError, RecursionError):
        yield Broken(NAME, _where(account), "it is no delivery of this provider", delivery.body)
        return
    for event in events:
        yield _heard(event, delivery, account, country)


def fetch(remote: Remote, account: Account, answer: Called | None) -> Step:
    """The next step for a file: a call, and then what came of it."""
    if answer is not None:
        return file_of(answer)
    bearer = {"Authorization": f"Bearer {account.value('secret')}"}
    return call_for(_FILES + quote(remote.place, ""), account, _DOMAINS, bearer)


def _heard(event: dict[str, Any], delivery: Delivery, account: Account, country: str) -> Heard:
    content = json.dumps(event).encode()
    try:
        read = msgspec.convert(event, _Event)
        if read.kind == "message":
            return _message(read, delivery, country)
        if read.kind == "status" and read.status in _STATES:
            to = parse_phone(read.to, country)
            return Status(NAME, read.id, _STATES[read.status], read.at, read.error, to)
    except ValueError:
        return Broken(NAME, _where(account), "something is missing in it", content)
    reason = "an event that is no message"
    return Broken(NAME, _where(account), reason, content, set_aside=True)


def _message(event: _Event, delivery: Delivery, country: str) -> Message | Arrived:
    sender, own = parse_phone(event.from_, country), parse_phone(event.to, country)
    if sender is None or own is None or event.at.tzinfo is None or not event.id:
        raise ValueError("it does not say who wrote to whom, and when")
    message = Message(
        channel=NAME,
        external_id=event.id,
        sender=sender,
        recipients=(own,),
        sent=event.at,
        received=delivery.received,
        text=event.text,
        new_text=event.text,
        thread_hint=f"{sender.key[1]},{own.key[1]}",
        attachments=tuple(
            Attachment(file.id, file.type, None, "is not fetched yet") for file in event.files
        ),
        made_id=True,
        ours=(own,),
    )
    remotes = tuple(Remote(file.id, number) for number, file in enumerate(event.files))
    return Arrived(message, remotes) if remotes else message


def _where(account: Account) -> str:
    return f"a delivery to {account.name}"


CHANNEL = Channel(
    name=NAME,
    label="Harbour Text",
    description="Harbour Text: messages as they come",
    kind=ChannelKind.SMS,
    medium="SMSWRIT",
    live=Live(
        fields=(Field("secret", "under Webhooks, on the provider's page", secret=True),),
        verify=verify,
        parse=parse,
        fetch=fetch,
    ),
)
